"""How long a call may wait before its agent would cut it off: then it is parked instead. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 15.0
"""Seconds between our end of the wait and theirs."""


@dataclass(frozen=True)
class Limit:
    """Seconds a client gives a tool. ``alive``: while it hears progress. ``stdio``: one that it runs as a process."""

    plain: float
    alive: float = 0.0
    stdio: float = 0.0


# Tried with the real programs (their names as they give them in the handshake); the first that matches counts.
LIMITS: tuple[tuple[str, Limit], ...] = (
    ("claude", Limit(60, stdio=1800)),
    ("opencode", Limit(60, alive=3600)),
    ("codex", Limit(300)),
    ("gemini", Limit(600)),
    ("qwen", Limit(600)),
    ("copilot", Limit(700)),
    ("openhands", Limit(300)),
    ("fast-agent", Limit(330)),
    ("fast_agent", Limit(330)),
)
UNKNOWN = Limit(60)
"""Most clients are built on an SDK that gives a request 60 seconds."""
SHORTEST, LONGEST = 1.0, 30 * 86400.0


def patience(client: str, *, told: float | None = None, progress: bool = False, stdio: bool = False) -> float:
    """Seconds to wait. ``told``: the limit that was configured for this client where it was given our door."""
    limit = told if told is not None else _limit(client, progress, stdio)
    return min(max(limit - min(MARGIN, limit / 4), SHORTEST), LONGEST)


def _limit(client: str, progress: bool, stdio: bool) -> float:
    found = next((limit for name, limit in LIMITS if name in client.lower()), UNKNOWN)
    return max(found.plain, found.alive if progress else 0, found.stdio if stdio else 0)
