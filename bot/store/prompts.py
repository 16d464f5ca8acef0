"""Follow-ups on their way to an agent: queued until its runner says that it has them, or never will."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Tx
from bot.store.times import to_us
from bot.wire.types import PersonId, PromptId, SessionId


@dataclass(frozen=True)
class Kept:
    id: PromptId
    session: SessionId
    by: PersonId
    text: str
    state: str
    """``queued``, ``given`` or ``dropped``."""
    reason: str
    """Why it was dropped."""
    taken_back_by: PersonId | None
    """Who asked for it back; whether in time shows in the state."""


def _kept(row: sqlite3.Row) -> Kept:
    return Kept(
        PromptId(row["id"]),
        SessionId(row["session"]),
        PersonId(row["person"]),
        row["text"],
        row["state"],
        row["reason"],
        PersonId(row["taken_back_by"]) if row["taken_back_by"] else None,
    )


def add(tx: Tx, session: SessionId, by: PersonId, text: str, now: datetime) -> PromptId:
    row = tx.one("SELECT COUNT(*) FROM prompts WHERE session = ?", session)
    prompt = PromptId(f"{session}.p{(row[0] if row else 0) + 1}")
    tx.insert("prompts", {"id": prompt, "session": session, "person": by, "text": text, "at": to_us(now)})
    return prompt


def get(tx: Tx, prompt: PromptId) -> Kept | None:
    row = tx.one("SELECT * FROM prompts WHERE id = ?", prompt)
    return _kept(row) if row else None


def queued(tx: Tx, session: SessionId) -> list[Kept]:
    """The oldest first."""
    rows = tx.all("SELECT * FROM prompts WHERE session = ? AND state = 'queued' ORDER BY rowid", session)
    return [_kept(row) for row in rows]


def count_queued(tx: Tx, session: SessionId) -> int:
    row = tx.one("SELECT COUNT(*) FROM prompts WHERE session = ? AND state = 'queued'", session)
    return row[0] if row else 0


def settle(tx: Tx, prompt: PromptId, state: str, reason: str = "") -> bool:
    """False when it was settled before: the first report counts."""
    return (
        tx.run("UPDATE prompts SET state = ?, reason = ? WHERE id = ? AND state = 'queued'", state, reason, prompt) > 0
    )


def take_back(tx: Tx, prompt: PromptId, by: PersonId) -> bool:
    """False when that was asked for before, or it is queued no more."""
    return (
        tx.run(
            "UPDATE prompts SET taken_back_by = ? WHERE id = ? AND state = 'queued' AND taken_back_by IS NULL",
            by,
            prompt,
        )
        > 0
    )
