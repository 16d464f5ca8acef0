"""Digests: when they are due, what goes into one, and what a person has been told already. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

# --- schedules ------------------------------------------------------------------------------------------------------

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_FORMS = "`every 30m` (s, m, h), `off`, or five crontab fields like `0 9,13,17 * * mon-fri`"
_CRON_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELD = re.compile(r"[0-9a-z*,/-]+")
LONGEST = timedelta(days=7)


@dataclass(frozen=True)
class Off:
    pass


@dataclass(frozen=True)
class Every:
    interval: timedelta


@dataclass(frozen=True)
class Cron:
    """Five fields, with weekdays as names: crontab counts them from Sunday = 0, APScheduler from Monday = 0."""

    minute: str
    hour: str
    day: str
    month: str
    weekday: str


Schedule: TypeAlias = Off | Every | Cron


def parse_duration(text: str) -> timedelta:
    """``90s``, ``30m``, ``2h``, ``1h30m``, ``1d``. Raises ValueError naming the fix."""
    plain = text.strip().lower().replace(" ", "")
    parts = re.findall(r"(\d{1,6})([smhd])", plain)
    if not parts or "".join(number + unit for number, unit in parts) != plain:
        raise ValueError(f"{text!r} is no duration; write it like 90s, 30m or 2h")
    return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


@lru_cache(maxsize=256)
def parse_schedule(text: str) -> Schedule:
    """Raises ValueError naming the fix. Whether a crontab ever fires is found out by whoever computes its next time."""
    plain = " ".join(text.lower().split())
    if plain == "off":
        return Off()
    if plain.startswith("every "):
        interval = parse_duration(plain.removeprefix("every "))
        if not timedelta(seconds=1) <= interval <= LONGEST:
            raise ValueError(f"`{plain}`: the interval must lie between 1s and 7d")
        return Every(interval)
    fields = plain.split(" ")
    if len(fields) != 5 or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError(f"{text[:80]!r} is no digest schedule; write {_FORMS}")
    minute, hour, day, month, weekday = fields
    return Cron(minute, hour, day, month, named_weekdays(weekday))


def named_weekdays(field: str) -> str:
    """Crontab's weekday field (0 and 7 are Sunday) with names, one by one where a range wraps. Raises ValueError."""
    if field == "*":
        return field
    days: list[str] = []
    for part in field.split(","):
        body, _, step = part.partition("/")
        first, _, last = body.partition("-")
        start = 0 if body == "*" else _weekday(first)
        end = 6 if body == "*" else (_weekday(last) if last else (6 if step else start))
        if end < start:
            end += 7
        if step and not (step.isdigit() and int(step) > 0):
            raise ValueError(f"`{part}` is no weekday; write 0-6, 7 or sun-sat")
        days += [_CRON_NAMES[number % 7] for number in range(start, end + 1, int(step or 1))]
    return ",".join(dict.fromkeys(days))


def _weekday(text: str) -> int:
    if text.isdigit() and int(text) <= 7:
        return int(text)
    if text in _CRON_NAMES:
        return _CRON_NAMES.index(text)
    raise ValueError(f"`{text}` is no weekday; write 0-6, 7 or sun-sat")


def next_interval(last: datetime, every: timedelta, now: datetime) -> datetime:
    """The first multiple after ``now``: what was missed while we were away collapses into one."""
    if last > now:
        return last
    return last + every * ((now - last) // every + 1)


# --- what goes into one ---------------------------------------------------------------------------------------------

Kind = Literal["question", "review", "failed", "stopped", "working", "done"]
DECISIONS: frozenset[Kind] = frozenset(("question", "review", "failed"))
_ORDER: tuple[Kind, ...] = ("question", "failed", "review", "stopped", "working", "done")


@dataclass(frozen=True)
class Candidate:
    """Something that could be told. ``version`` changes when there is something new to say of it."""

    kind: Kind
    ref: str
    """The question's, review's or session's id: with the kind, the item."""
    session: str
    since: datetime
    version: str = ""
    text: str = ""
    light: str = ""
    own_doing: bool = False
    """The person did it themself: never told as news."""

    @property
    def item(self) -> str:
        return f"{self.kind}:{self.ref}"


@dataclass(frozen=True)
class Edition:
    """The lines of one digest, in order."""

    lines: tuple[Candidate, ...]

    @property
    def told(self) -> dict[str, str]:
        return {line.item: line.version for line in self.lines}


def is_news(candidate: Candidate, told: Mapping[str, str]) -> bool:
    return not candidate.own_doing and told.get(candidate.item) != candidate.version


def compose(candidates: Iterable[Candidate], told: Mapping[str, str], *, on_demand: bool = False) -> Edition | None:
    """One edition, or None when there is nothing new to tell.

    All open decisions stand on the page whenever there is a page, so that its count is true; progress, stopped and
    ended sessions are told once for each version. A person who asks gets everything as it is now.
    """
    every = sorted(candidates, key=lambda c: (_ORDER.index(c.kind), c.since, c.ref))
    if not on_demand and not any(is_news(c, told) for c in every):
        return None
    lines = tuple(c for c in every if on_demand or c.kind in DECISIONS or is_news(c, told))
    return Edition(lines) if lines else None
