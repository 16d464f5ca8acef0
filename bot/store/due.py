"""What is due when. Each kind of thing has one next moment for each key; a slot that has fired never fires again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Tx
from bot.store.times import from_us, to_us

BELL = "due"


@dataclass(frozen=True)
class Due:
    kind: str
    key: str
    slot: str
    at: datetime


def schedule(tx: Tx, due: Due) -> None:
    """Replaces what was scheduled for the same kind and key."""
    tx.run(
        "INSERT INTO due (kind, key, slot, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (kind, key) DO UPDATE SET slot = excluded.slot, at = excluded.at",
        due.kind,
        due.key,
        due.slot,
        to_us(due.at),
    )
    tx.ring(BELL)


def get(tx: Tx, kind: str, key: str) -> Due | None:
    row = tx.one("SELECT slot, at FROM due WHERE kind = ? AND key = ?", kind, key)
    return Due(kind, key, row[0], from_us(row[1])) if row else None


def cancel(tx: Tx, kind: str, key: str) -> None:
    tx.run("DELETE FROM due WHERE kind = ? AND key = ?", kind, key)


def next_at(tx: Tx) -> datetime | None:
    row = tx.one("SELECT MIN(at) FROM due")
    return None if row is None or row[0] is None else from_us(row[0])


def take(tx: Tx, now: datetime, limit: int) -> list[Due]:
    """Remove and return what is due; the oldest first. Slots that have fired before are left out."""
    rows = tx.all("SELECT kind, key, slot, at FROM due WHERE at <= ? ORDER BY at LIMIT ?", to_us(now), limit)
    taken = [Due(row[0], row[1], row[2], from_us(row[3])) for row in rows]
    for due in taken:
        cancel(tx, due.kind, due.key)
    return [due for due in taken if not due.slot or _fires(tx, due)]


def _fires(tx: Tx, due: Due) -> bool:
    return (
        tx.run(
            "INSERT INTO fired (kind, key, slot) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET slot = excluded.slot WHERE slot != excluded.slot",
            due.kind,
            due.key,
            due.slot,
        )
        > 0
    )


def last_slot(tx: Tx, kind: str, key: str) -> str:
    row = tx.one("SELECT slot FROM fired WHERE kind = ? AND key = ?", kind, key)
    return row[0] if row else ""
