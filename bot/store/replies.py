"""Replies that wait for their writer to say what they are; and who has been told that a session is not theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Tx
from bot.store.times import to_us
from bot.wire.types import PersonId, SessionId


@dataclass(frozen=True)
class Kept:
    id: int
    session: SessionId
    person: PersonId
    text: str
    used: str


def keep(tx: Tx, session: SessionId, person: PersonId, text: str, now: datetime) -> int:
    return tx.insert("replies", {"session": session, "person": person, "text": text, "at": to_us(now)})


def get(tx: Tx, reply: int) -> Kept | None:
    row = tx.one("SELECT id, session, person, text, used FROM replies WHERE id = ?", reply)
    return Kept(row[0], SessionId(row[1]), PersonId(row[2]), row[3], row[4]) if row else None


def use(tx: Tx, reply: int, how: str) -> bool:
    """False when it was used before."""
    return tx.run("UPDATE replies SET used = ? WHERE id = ? AND used = ''", how, reply) > 0


def warn_once(tx: Tx, session: SessionId, person: PersonId, now: datetime) -> bool:
    """True the first time ever for this person in this session."""
    return (
        tx.run("INSERT OR IGNORE INTO warned (session, person, at) VALUES (?, ?, ?)", session, person, to_us(now)) > 0
    )


def prune(tx: Tx, before: datetime) -> int:
    return tx.run("DELETE FROM replies WHERE at < ?", to_us(before))
