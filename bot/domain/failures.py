"""A session that failed: a decision of its own, until it goes on or is dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.wire.types import PersonId, SessionId


@dataclass(frozen=True)
class Failure:
    """As it was told when it happened; what became of it comes later."""

    id: int
    session: SessionId
    at: datetime
    why: str
    last_words: str
    exit_status: int | None
    taken_by: PersonId | None = None
    """Who asked it to go on; whether it does is up to its machine."""
    taken_at: datetime | None = None
    settled: str = ""
    """What became of it, in words; empty while it waits for somebody."""
    settled_at: datetime | None = None

    @property
    def open(self) -> bool:
        return not self.settled
