"""How a turn of Codex's ended, in the port's words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from runners.agents.base import TurnEnded
from runners.agents.codex.rpc import Json
from runners.agents.text import one_line

_ASLEEP = frozenset(("usageLimitExceeded", "rateLimitExceeded", "sessionBudgetExceeded"))
_REFUSED = frozenset(("cyberPolicy", "misalignmentPolicyViolation"))
_AGAIN = re.compile(r"try again at (?:([A-Z][a-z]{2} \d{1,2})(?:st|nd|rd|th), (\d{4}) )?(\d{1,2}:\d{2} [AP]M)")


def ended(turn: Json, last_words: str, limits: Iterable[Json], now: datetime) -> TurnEnded:
    """``limits``: the account's rate limits as last told."""
    error = turn.get("error")
    match turn.get("status"):
        case "completed":
            return TurnEnded("done", last_words)
        case "failed" if isinstance(error, dict):
            return _failed(error, last_words, limits, now)
        case "failed":
            return TurnEnded("failed", last_words, detail="Codex does not say why.")
        case _:
            return TurnEnded("cancelled", last_words)


def _failed(error: Json, last_words: str, limits: Iterable[Json], now: datetime) -> TurnEnded:
    kind = _kind(error.get("codexErrorInfo"))
    message = str(error.get("message") or "Codex does not say why.")
    more = error.get("additionalDetails")
    detail = one_line(f"{message} {more}" if isinstance(more, str) and more not in message else message, 1000)
    reason: Literal["asleep", "refused", "limit", "failed"]
    if kind in _ASLEEP:
        return TurnEnded("asleep", last_words, until=_lifted(limits, now) or said_time(message, now), detail=detail)
    if kind in _REFUSED:
        reason = "refused"
    elif kind == "contextWindowExceeded":
        reason = "limit"
    else:
        reason = "failed"
    if kind == "modelNotFound":
        detail += " Name another model under [agents] in switchboard.toml, or none."
    if kind == "unauthorized":
        detail += " Log in again on the session's machine: codex login."
    return TurnEnded(reason, last_words, detail=detail)


def _kind(info: Any) -> str:
    if isinstance(info, dict) and info:
        return str(next(iter(info)))
    return info if isinstance(info, str) else ""


def _lifted(limits: Iterable[Json], now: datetime) -> datetime | None:
    """When the last of the windows that are used up begins anew."""
    found = []
    for limit in limits:
        for name in ("primary", "secondary"):
            window = limit.get(name)
            if not isinstance(window, dict) or not isinstance(at := window.get("resetsAt"), int | float):
                continue
            used = window.get("usedPercent")
            if isinstance(used, int | float) and used >= 100:
                found.append(datetime.fromtimestamp(at, UTC))
    return max((at for at in found if at > now), default=None)


def said_time(message: str, now: datetime) -> datetime | None:
    """“try again at Nov 24th, 2026 1:20 AM”: in this machine's own zone; without a day, the next time it is so late."""
    found = _AGAIN.search(message)
    if found is None:
        return None
    day, year, clock = found.groups()
    here = now.astimezone()
    try:
        time = datetime.strptime(clock, "%I:%M %p").time()  # noqa: DTZ007 - the zone is put on below
        date = datetime.strptime(f"{day} {year}", "%b %d %Y").date() if day else here.date()  # noqa: DTZ007
    except ValueError:
        return None
    at = datetime.combine(date, time).astimezone()
    if not day and at <= now:
        at = (datetime.combine(date, time) + timedelta(days=1)).astimezone()
    return at.astimezone(UTC)


def said_last(turn: Json) -> str:
    """The last words in what Codex remembers of a turn."""
    items = [item for item in turn.get("items") or () if isinstance(item, dict)]
    said = [str(item.get("text", "")) for item in items if item.get("type") == "agentMessage"]
    return said[-1] if said else ""
