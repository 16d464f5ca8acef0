"""Failures of sessions, each kept as it was told."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.domain.failures import Failure
from bot.store.database import Tx
from bot.store.times import from_us, maybe, to_us
from bot.wire.types import PersonId, SessionId


def add(tx: Tx, session: SessionId, at: datetime, *, why: str, last_words: str, exit_status: int | None) -> int:
    row = {"session": session, "at": to_us(at), "why": why, "last_words": last_words, "exit_status": exit_status}
    return tx.insert("failures", row)


def get(tx: Tx, failure: int) -> Failure | None:
    row = tx.one("SELECT * FROM failures WHERE id = ?", failure)
    return _failure(row) if row else None


def latest(tx: Tx, session: SessionId) -> Failure | None:
    row = tx.one("SELECT * FROM failures WHERE session = ? ORDER BY id DESC LIMIT 1", session)
    return _failure(row) if row else None


def take(tx: Tx, failure: int, by: PersonId, at: datetime) -> None:
    tx.run("UPDATE failures SET taken_by = ?, taken_at = ? WHERE id = ?", by, to_us(at), failure)


def settle(tx: Tx, failure: int, words: str, at: datetime) -> None:
    tx.run("UPDATE failures SET settled = ?, settled_at = ? WHERE id = ? AND settled = ''", words, to_us(at), failure)


def _failure(row: sqlite3.Row) -> Failure:
    return Failure(
        id=row["id"],
        session=SessionId(row["session"]),
        at=from_us(row["at"]),
        why=row["why"],
        last_words=row["last_words"],
        exit_status=row["exit_status"],
        taken_by=PersonId(row["taken_by"]) if row["taken_by"] else None,
        taken_at=maybe(row["taken_at"]),
        settled=row["settled"],
        settled_at=maybe(row["settled_at"]),
    )
