"""How a turn that failed is told: a limit with its end, a service in trouble, or something a person must put right."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from runners.agents.base import TurnEnded
from runners.agents.claude.fields import Json, number, table, text
from runners.agents.text import one_line, prose
from runners.errors import AgentDied, AgentError, AgentLoginNeeded

_RESETS = re.compile(
    r"resets\s+(?:([A-Z][a-z]{2})\s+(\d{1,2}),?\s+(?:at\s+)?)?(\d{1,2})(?::(\d\d))?\s*([ap])m\s*\(([^)]+)\)"
)
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def limit_reset(event: Json) -> datetime | None:
    """When a ``rate_limit_event`` that refused work says that it is lifted."""
    info = table(event, "rate_limit_info")
    at = number(info, "resetsAt")
    if info.get("status") != "rejected" or not 0 < at < 32_503_680_000:
        return None
    return datetime.fromtimestamp(at, UTC)


def told_reset(words: str, now: datetime) -> datetime | None:
    """The same from Claude Code's sentence: "resets 11:28pm (UTC)", "resets Nov 26, 3pm (Europe/Berlin)"."""
    found = _RESETS.search(words)
    if found is None:
        return None
    month, day, hour, minute, half, zone = found.groups()
    try:
        local = now.astimezone(ZoneInfo(zone))
        at = local.replace(
            hour=int(hour) % 12 + (12 if half == "p" else 0), minute=int(minute or 0), second=0, microsecond=0
        )
        if month:
            at = at.replace(month=_MONTHS.index(month) // 3 + 1, day=int(day))
    except (ValueError, KeyError, OSError):
        return None
    if at <= local - timedelta(minutes=1):
        at = at.replace(year=at.year + 1) if month else at + timedelta(days=1)
    return at.astimezone(UTC)


def retry_words(message: Json) -> str:
    """What an ``api_retry`` tells: the service fails, and Claude Code tries again by itself."""
    what = text(message, "error").replace("_", " ") or "no answer"
    status = int(number(message, "error_status"))
    attempt, most = int(number(message, "attempt")), int(number(message, "max_retries"))
    return (
        f"The model service fails ({what}{f', {status}' if status else ''}); attempt {attempt} of {most} to try again"
    )


def failed(result: Json, kind: str, words: str, until: datetime | None, now: datetime) -> TurnEnded | None:
    """The end of a turn that Claude Code calls an error; None: a person must put something right (``fault``).

    ``kind`` is how the last message named its error, ``until`` what the newest limit event said.
    """
    said = prose(text(result, "result")) or "; ".join(str(e) for e in result.get("errors") or ()) or "it failed"
    if fault(kind, said, "", "") is not None:
        return None
    status = int(number(result, "api_error_status"))
    if kind == "rate_limit" or status == 429:
        upcoming = until if until is not None and until > now else told_reset(said, now)
        return TurnEnded("asleep", words, until=upcoming, detail=one_line(said))
    if result.get("subtype") == "error_max_turns" or kind == "max_output_tokens":
        return TurnEnded("limit", words, detail=one_line(said))
    return TurnEnded("failed", words, detail=one_line(said))


def fault(kind: str, said: str, name: str, login: str) -> AgentError | None:
    """What no retry cures."""
    match kind:
        case "authentication_failed" | "oauth_org_not_allowed":
            fix = login or "On the host, run `claude` once and log in with /login, or set ANTHROPIC_API_KEY."
            return AgentLoginNeeded(f"Agent {name} is not logged in ({one_line(said, 200)}).", fix)
        case "model_not_found":
            fix = "Correct `model` of this agent in switchboard.toml."
            return AgentError(f"Agent {name} cannot use its model: {one_line(said, 200)}", fix)
        case "billing_error":
            return AgentError(f"Agent {name}: {one_line(said, 200)}", "Put the account right, then reply here.")
        case _:
            return None


def gone(name: str, told: Json, *, stopped: bool) -> AgentDied:
    """Why its process is gone; ``told`` is what its holder said at the end."""
    status = told.get("exit")
    status = status if isinstance(status, int) else None
    if stopped:
        return AgentDied(f"Agent {name} was stopped.", exit_status=status)
    if told.get("replaced"):
        return AgentDied(f"Agent {name}: another runner has taken over its Claude Code.")
    if status is None:
        return AgentDied(f"Agent {name}: the process that holds Claude Code was killed, and it with that.")
    how = f"was killed (signal {-status})" if status < 0 else f"ended (exit status {status})"
    words = "\n".join(prose(text(told, "tail")).splitlines()[-8:])[-1000:]
    return AgentDied(f"Agent {name} {how}.", exit_status=status, last_words=words)
