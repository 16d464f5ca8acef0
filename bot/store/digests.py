"""Digests as they were composed, and what has been told to whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.views import Light
from bot.store.database import Tx
from bot.store.times import from_us, maybe, to_us
from bot.wire.types import PersonId, SessionId


@dataclass(frozen=True)
class Row:
    """One line of a digest. ``kind``: question, review, failed; or stopped, working, done."""

    number: int
    kind: str
    ref: str
    session: SessionId
    light: Light | None = None
    text: str = ""
    tokens: int | None = None
    """What its session had used by then, from its beginning; None where its agent does not say."""
    cost: float | None = None


@dataclass(frozen=True)
class Kept:
    id: int
    person: PersonId
    at: datetime
    on_demand: bool
    next: datetime | None
    rows: tuple[Row, ...]


def add(
    tx: Tx,
    person: PersonId,
    at: datetime,
    rows: Sequence[Row],
    *,
    on_demand: bool,
    following: datetime | None,
    slot: str,
) -> int:
    row = {
        "person": person,
        "at": to_us(at),
        "on_demand": int(on_demand),
        "next": to_us(following) if following else None,
        "slot": slot,
    }
    digest = tx.insert("digests", row)
    tx.many(
        "INSERT INTO digest_items (digest, number, kind, ref, session, light, text, tokens, cost)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(digest, r.number, r.kind, r.ref, r.session, r.light or "", r.text, r.tokens, r.cost) for r in rows],
    )
    return digest


def get(tx: Tx, digest: int) -> Kept | None:
    head = tx.one("SELECT * FROM digests WHERE id = ?", digest)
    if head is None:
        return None
    rows = tx.all("SELECT * FROM digest_items WHERE digest = ? ORDER BY number", digest)
    return Kept(
        id=head["id"],
        person=PersonId(head["person"]),
        at=from_us(head["at"]),
        on_demand=bool(head["on_demand"]),
        next=maybe(head["next"]),
        rows=tuple(
            Row(
                r["number"],
                r["kind"],
                r["ref"],
                SessionId(r["session"]),
                Light(r["light"]) if r["light"] else None,
                r["text"],
                r["tokens"],
                r["cost"],
            )
            for r in rows
        ),
    )


def set_next(tx: Tx, digest: int, following: datetime) -> None:
    tx.run("UPDATE digests SET next = ? WHERE id = ?", to_us(following), digest)


def showing(tx: Tx, ref: str, since: datetime) -> list[tuple[int, PersonId]]:
    """Digests since then with a decision of this id in them."""
    rows = tx.all(
        "SELECT d.id, d.person FROM digest_items i JOIN digests d ON d.id = i.digest"
        " WHERE i.ref = ? AND i.kind IN ('question', 'review', 'failed') AND d.at >= ?",
        ref,
        to_us(since),
    )
    return [(row[0], PersonId(row[1])) for row in rows]


def showing_session(tx: Tx, session: SessionId, since: datetime) -> list[tuple[int, PersonId]]:
    """Digests since then with any decision of this session in them."""
    rows = tx.all(
        "SELECT DISTINCT d.id, d.person FROM digests d JOIN digest_items i ON i.digest = d.id"
        " WHERE d.at >= ? AND i.session = ? AND i.kind IN ('question', 'review', 'failed')",
        to_us(since),
        session,
    )
    return [(row[0], PersonId(row[1])) for row in rows]


def versions(tx: Tx, person: PersonId) -> dict[str, str]:
    """What this person has been told: item to version."""
    return {row[0]: row[1] for row in tx.all("SELECT item, version FROM told WHERE person = ?", person)}


def told(tx: Tx, person: PersonId, items: dict[str, str], at: datetime) -> None:
    tx.many(
        "INSERT INTO told (person, item, version, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (person, item) DO UPDATE SET version = excluded.version, at = excluded.at",
        [(person, item, version, to_us(at)) for item, version in items.items()],
    )


def untell(tx: Tx, person: PersonId, item: str) -> None:
    """The person wants to hear of it again."""
    tx.run("DELETE FROM told WHERE person = ? AND item = ?", person, item)


def prune(tx: Tx, before: datetime) -> int:
    """What was told of sessions that ended long ago is never asked for again."""
    return tx.run("DELETE FROM told WHERE at < ?", to_us(before))
