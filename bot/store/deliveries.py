"""The outbox and where each card lives. One waiting row for each card: later changes coalesce into it."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.deliveries import Address, Delivery, MessageRef, Subject
from bot.store.database import Tx
from bot.store.times import from_us, to_us
from bot.wire.types import PersonId, SessionId

BELL = "outbox"
LEASE = timedelta(seconds=90)


@dataclass(frozen=True)
class Spot:
    """One place of a card. ``session`` set: at the session's thread; else ``person`` set: their DM or Home."""

    place: str
    lane: str
    session: SessionId | None = None
    person: PersonId | None = None


@dataclass(frozen=True)
class DeadLetter:
    id: int
    subject: Subject
    ref: str
    lane: str
    error: str
    created: datetime


# --- putting things in ----------------------------------------------------------------------------------------------


def put(tx: Tx, subject: Subject, ref: str, spot: Spot, now: datetime, *, edits_every: timedelta | None = None) -> None:
    """Bring this card up to date at this place: posted if it is not there, else edited."""
    tx.ring(BELL)
    waiting = tx.one(
        "SELECT 1 FROM deliveries WHERE subject = ? AND ref = ? AND place = ? AND leased_until IS NULL AND dead = 0",
        subject.value,
        ref,
        spot.place,
    )
    if waiting:
        return
    there = tx.one(
        "SELECT edited_at, ts FROM messages WHERE subject = ? AND ref = ? AND place = ?", subject.value, ref, spot.place
    )
    edit = there is not None and there["ts"] != ""
    not_before = to_us(now)
    if edits_every and there is not None:
        not_before = max(not_before, there["edited_at"] + to_us_delta(edits_every))
    row: dict[str, object] = {
        "subject": subject.value,
        "ref": ref,
        "place": spot.place,
        "session": spot.session or "",
        "person": spot.person or "",
        "lane": spot.lane,
        "edit": int(edit),
        "not_before": not_before,
        "created": to_us(now),
    }
    tx.insert("deliveries", row)


def to_us_delta(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def add_note(tx: Tx, to: PersonId | None, text: str, now: datetime) -> int:
    """Words for a thread (``to`` None) or for one person; deliver them with subject NOTE or PRIVATE."""
    return tx.insert("notes", {'"to"': to or "", "text": text, "created": to_us(now)})


def note(tx: Tx, note_id: int) -> tuple[PersonId | None, str] | None:
    row = tx.one('SELECT "to", text FROM notes WHERE id = ?', note_id)
    return (PersonId(row[0]) if row[0] else None, row[1]) if row else None


# --- taking things out ----------------------------------------------------------------------------------------------

_READY = """
    FROM deliveries d LEFT JOIN sessions s ON s.id = d.session AND d.session != ''
    WHERE d.dead = 0 AND d.leased_until IS NULL
      AND (d.session = '' OR d.subject = 'session' OR s.thread_ts != '')
      AND d.lane NOT IN (SELECT lane FROM deliveries WHERE leased_until IS NOT NULL AND dead = 0)
"""
# Nobody who is told nothing can be told too early: posts come before edits, then in the order they were queued.


def claim(tx: Tx, limit: int, owner: str, now: datetime) -> list[Delivery]:
    """At most one for each lane, none for a lane that is in hand or rests. A crashed owner's leases run out."""
    tx.run("UPDATE deliveries SET leased_until = NULL, leased_by = NULL WHERE leased_until <= ?", to_us(now))
    rows = tx.all(
        "SELECT d.*, s.channel AS at_channel, s.owner AS at_owner, s.thread_ts AS at_thread,"  # noqa: S608
        f" MIN(d.edit * 1000000000000 + d.id) {_READY}"
        " AND d.not_before <= ?1 AND d.lane NOT IN (SELECT lane FROM lanes WHERE rests_until > ?1)"
        " GROUP BY d.lane LIMIT ?2",
        to_us(now),
        limit,
    )
    tx.many(
        "UPDATE deliveries SET leased_until = ?, leased_by = ?, attempts = attempts + 1 WHERE id = ?",
        [(to_us(now + LEASE), owner, row["id"]) for row in rows],
    )
    return [_delivery(tx, row) for row in rows]


def _delivery(tx: Tx, row: sqlite3.Row) -> Delivery:
    subject = Subject(row["subject"])
    there = tx.one(
        "SELECT channel, ts, shown FROM messages WHERE subject = ? AND ref = ? AND place = ?",
        row["subject"],
        row["ref"],
        row["place"],
    )
    if row["session"]:
        thread = "" if subject is Subject.SESSION else row["at_thread"]
        channel = row["at_channel"]
        to = Address(channel, None if channel else PersonId(row["at_owner"]), thread)
    else:
        to = Address(person=PersonId(row["person"]))
    return Delivery(
        id=row["id"],
        subject=subject,
        ref=row["ref"],
        to=to,
        lane=row["lane"],
        message=MessageRef(there["channel"], there["ts"]) if there and there["ts"] else None,
        shown=there["shown"] if there else "",
        attempts=row["attempts"],
    )


def next_claimable(tx: Tx) -> datetime | None:
    """The earliest moment at which something may be claimed; None: nothing waits."""
    row = tx.one(
        f"SELECT MIN(MAX(d.not_before, COALESCE((SELECT rests_until FROM lanes l WHERE l.lane = d.lane), 0))) {_READY}"  # noqa: S608
    )
    leases = tx.one("SELECT MIN(leased_until) FROM deliveries WHERE leased_until IS NOT NULL")
    moments = [r[0] for r in (row, leases) if r is not None and r[0] is not None]
    return from_us(min(moments)) if moments else None


def free_others(tx: Tx, owner: str) -> None:
    """Leases of processes that are gone. Their attempts stay counted: a post may have happened."""
    tx.run(
        "UPDATE deliveries SET leased_until = NULL, leased_by = NULL WHERE leased_by != ? AND leased_until IS NOT NULL",
        owner,
    )


def spot_of(tx: Tx, delivery: int) -> Spot | None:
    row = tx.one("SELECT place, lane, session, person FROM deliveries WHERE id = ?", delivery)
    return _spot(row) if row else None


def _spot(row: sqlite3.Row) -> Spot:
    return Spot(
        row["place"],
        row["lane"],
        SessionId(row["session"]) if row["session"] else None,
        PersonId(row["person"]) if row["person"] else None,
    )


def remove(tx: Tx, delivery: int) -> None:
    tx.run("DELETE FROM deliveries WHERE id = ?", delivery)
    tx.ring(BELL)  # the lane is free again


def release(tx: Tx, delivery: int, *, not_before: datetime | None = None, tried: bool = True) -> None:
    tx.run(
        "UPDATE deliveries SET leased_until = NULL, leased_by = NULL, attempts = attempts - ?,"
        " not_before = MAX(not_before, ?) WHERE id = ?",
        0 if tried else 1,
        to_us(not_before) if not_before else 0,
        delivery,
    )
    tx.ring(BELL)


def rest(tx: Tx, lane: str, until: datetime) -> None:
    tx.run(
        "INSERT INTO lanes (lane, rests_until) VALUES (?, ?)"
        " ON CONFLICT (lane) DO UPDATE SET rests_until = MAX(rests_until, excluded.rests_until)",
        lane,
        to_us(until),
    )


def die(tx: Tx, delivery: int, error: str) -> None:
    """No longer tried, but kept: a person can list, retry or drop it."""
    tx.run(
        "UPDATE deliveries SET dead = 1, leased_until = NULL, leased_by = NULL, error = ? WHERE id = ?", error, delivery
    )
    tx.ring(BELL)


def dead(tx: Tx) -> list[DeadLetter]:
    rows = tx.all("SELECT id, subject, ref, lane, error, created FROM deliveries WHERE dead = 1 ORDER BY id")
    return [DeadLetter(r[0], Subject(r[1]), r[2], r[3], r[4], from_us(r[5])) for r in rows]


def revive(tx: Tx, delivery: int, now: datetime) -> bool:
    tx.ring(BELL)
    return (
        tx.run(
            "UPDATE deliveries SET dead = 0, error = '', attempts = 0, not_before = ? WHERE id = ? AND dead = 1",
            to_us(now),
            delivery,
        )
        > 0
    )


def drop(tx: Tx, delivery: int) -> bool:
    return tx.run("DELETE FROM deliveries WHERE id = ? AND dead = 1", delivery) > 0


# --- where cards live -----------------------------------------------------------------------------------------------


def posted(tx: Tx, subject: Subject, ref: str, spot: Spot, message: MessageRef, shown: str, now: datetime) -> None:
    """A Home is no message: it is remembered with an empty one, for its pace and for what it shows."""
    tx.run(
        "INSERT INTO messages (subject, ref, place, session, person, channel, ts, shown, edited_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (subject, ref, place) DO UPDATE SET"
        " channel = excluded.channel, ts = excluded.ts, shown = excluded.shown, edited_at = excluded.edited_at",
        subject.value,
        ref,
        spot.place,
        spot.session or "",
        spot.person or "",
        message.channel,
        message.ts,
        shown,
        to_us(now),
    )


def copies(tx: Tx, subject: Subject, ref: str) -> list[Spot]:
    """Every place where this card is shown, or is being posted at this moment with what it showed before."""
    rows = tx.all(
        "SELECT place, '' AS lane, session, person FROM messages WHERE subject = ?1 AND ref = ?2 AND ts != ''"
        " UNION SELECT place, '', session, person FROM deliveries"
        " WHERE subject = ?1 AND ref = ?2 AND leased_until IS NOT NULL",
        subject.value,
        ref,
    )
    return [_spot(row) for row in rows]


def shown_at(tx: Tx, subject: Subject, ref: str, place: str = "thread") -> tuple[str, str] | None:
    """Channel and ts of a card, once it is posted there."""
    row = tx.one(
        "SELECT channel, ts FROM messages WHERE subject = ? AND ref = ? AND place = ? AND ts != ''",
        subject.value,
        ref,
        place,
    )
    return (row[0], row[1]) if row else None


def at(tx: Tx, channel: str, ts: str) -> tuple[Subject, str, Spot, int] | None:
    """Which card this message is, and how often it was lost before."""
    row = tx.one("SELECT *, '' AS lane FROM messages WHERE channel = ? AND ts = ?", channel, ts)
    return (Subject(row["subject"]), row["ref"], _spot(row), row["lost"]) if row else None


def lose(tx: Tx, subject: Subject, ref: str, place: str) -> None:
    """The message is gone; how often is remembered, so that a card is not posted again for ever."""
    tx.run(
        "UPDATE messages SET ts = '', shown = '', lost = lost + 1 WHERE subject = ? AND ref = ? AND place = ?",
        subject.value,
        ref,
        place,
    )


def start_anew(tx: Tx, subject: Subject, ref: str, place: str) -> None:
    """The next delivery is posted as a fresh message; the old one stays as it is."""
    tx.run("UPDATE messages SET ts = '' WHERE subject = ? AND ref = ? AND place = ?", subject.value, ref, place)
    tx.run(
        "UPDATE deliveries SET edit = 0 WHERE subject = ? AND ref = ? AND place = ? AND leased_until IS NULL",
        subject.value,
        ref,
        place,
    )


def move_session(tx: Tx, session: SessionId, lane: str, *, forget_messages: bool) -> None:
    """The session's thread goes elsewhere (or its channel's id is known now): what waits for it follows."""
    tx.run("UPDATE deliveries SET lane = ? WHERE session = ? AND leased_until IS NULL", lane, session)
    if forget_messages:
        tx.run("UPDATE messages SET ts = '', shown = '' WHERE session = ?", session)
        tx.run("UPDATE deliveries SET edit = 0 WHERE session = ?", session)
