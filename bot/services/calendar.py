"""Calendar maths, by APScheduler's trigger: when a schedule is next due in a person's own time zone."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import assert_never
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from bot.domain.digests import Cron, Every, Off, Schedule, next_interval
from bot.store.due import Due

_LOOK_AHEAD = 4
"""Fire times to look at for one with a new local slot: the autumn hour repeats a time once."""


def zone(name: str) -> ZoneInfo | None:
    """None when there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        return None


def next_due(
    kind: str, key: str, schedule: Schedule, tz: ZoneInfo, now: datetime, *, last: datetime | None, last_slot: str
) -> Due | None:
    """The next slot after ``now``; None when there is none. Missed slots collapse into that one.

    A crontab slot is named by local date and time, so that 02:30 on the day of the autumn change is one slot.
    """
    match schedule:
        case Off():
            return None
        case Every(interval):
            at = next_interval(last or now, interval, now)
            return Due(kind, key, f"every {at.isoformat()}", at)
        case Cron():
            trigger = _trigger(schedule, tz)
            fires = trigger.get_next_fire_time(None, now)
            for _ in range(_LOOK_AHEAD):
                if fires is None:
                    return None
                slot = f"{fires.astimezone(tz):%Y-%m-%dT%H:%M}"
                if slot != last_slot and fires > now:
                    return Due(kind, key, slot, fires)
                fires = trigger.get_next_fire_time(fires, fires)
            return None
        case _:
            assert_never(schedule)


@lru_cache(maxsize=512)
def _trigger(cron: Cron, tz: ZoneInfo) -> CronTrigger:
    return CronTrigger(
        minute=cron.minute, hour=cron.hour, day=cron.day, month=cron.month, day_of_week=cron.weekday, timezone=tz
    )


def problem(schedule: Schedule, tz: ZoneInfo, now: datetime) -> str:
    """Why a schedule cannot be used; empty when it can."""
    if not isinstance(schedule, Cron):
        return ""
    try:
        fires = _trigger(schedule, tz).get_next_fire_time(None, now)
    except ValueError as err:
        return f"that crontab cannot be read: {err}"
    return "" if fires else "that crontab never fires: there is no such date"
