"""The reviews table: one row for each offered commit. The diff lies in its own column: cards never read it."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from bot.domain.reviews import Offered
from bot.domain.views import MergeDone, SentBack, Withdrawn
from bot.store.database import Tx
from bot.store.times import from_us, maybe, to_us
from bot.wire.types import PersonId, Review, ReviewId, SessionId

_json = msgspec.json.Encoder()
_reviews = msgspec.json.Decoder(Review)
_COLUMNS = (
    "id, session, commit_id, body, offered, open, merging_by, merging_at, problem, verdict, by, at, text,"
    " merge_commit, landed_on, look"
)


def _offered(row: sqlite3.Row) -> Offered:
    at, by = maybe(row["at"]), PersonId(row["by"] or "")
    merged = sent_back = withdrawn = None
    if at is not None:
        match row["verdict"]:
            case "merged":
                merged = MergeDone(by, at, row["merge_commit"], row["landed_on"], row["look"])
            case "sent_back":
                sent_back = SentBack(by, at, row["text"])
            case "withdrawn":
                withdrawn = Withdrawn(at, row["text"])
    return Offered(
        review=_reviews.decode(row["body"]),
        session=SessionId(row["session"]),
        at=from_us(row["offered"]),
        merging_by=PersonId(row["merging_by"]) if row["merging_by"] else None,
        merging_at=maybe(row["merging_at"]),
        merged=merged,
        sent_back=sent_back,
        withdrawn=withdrawn,
        problem=row["problem"],
    )


def add(tx: Tx, session: SessionId, review: Review, at: datetime) -> bool:
    """False when the review is known already."""
    return (
        tx.run(
            "INSERT OR IGNORE INTO reviews (id, session, commit_id, body, diff, offered, open)"
            " VALUES (?, ?, ?, ?, ?, ?, 1)",
            review.id,
            session,
            review.commit,
            _json.encode(msgspec.structs.replace(review, diff=None)),
            review.diff,
            to_us(at),
        )
        > 0
    )


def get(tx: Tx, review: ReviewId) -> Offered | None:
    row = tx.one(f"SELECT {_COLUMNS} FROM reviews WHERE id = ?", review)  # noqa: S608
    return _offered(row) if row else None


def diff(tx: Tx, review: ReviewId) -> str | None:
    row = tx.one("SELECT diff FROM reviews WHERE id = ?", review)
    return row[0] if row else None


def open_in(tx: Tx, session: SessionId) -> list[Offered]:
    """At most one in practice; the oldest first."""
    rows = tx.all(
        f"SELECT {_COLUMNS} FROM reviews WHERE session = ? AND open = 1 ORDER BY offered, rowid",  # noqa: S608
        session,
    )
    return [_offered(row) for row in rows]


def start_merge(tx: Tx, review: ReviewId, commit: str, by: PersonId, at: datetime) -> bool:
    """The approval of exactly this commit. False when it is another one, settled, or already being merged."""
    return (
        tx.run(
            "UPDATE reviews SET merging_by = ?, merging_at = ?, problem = ''"
            " WHERE id = ? AND commit_id = ? AND open = 1 AND merging_by IS NULL",
            by,
            to_us(at),
            review,
            commit,
        )
        > 0
    )


def merge_failed(tx: Tx, review: ReviewId, problem: str) -> bool:
    return (
        tx.run(
            "UPDATE reviews SET merging_by = NULL, merging_at = NULL, problem = ? WHERE id = ? AND open = 1",
            problem,
            review,
        )
        > 0
    )


def merged(tx: Tx, review: ReviewId, at: datetime, *, commit: str, landed_on: str, look: str) -> bool:
    return (
        tx.run(
            "UPDATE reviews SET open = 0, verdict = 'merged', by = merging_by, at = ?, merge_commit = ?,"
            " landed_on = ?, look = ?, problem = '' WHERE id = ? AND open = 1",
            to_us(at),
            commit,
            landed_on,
            look,
            review,
        )
        > 0
    )


def merged_by(tx: Tx, session: SessionId) -> tuple[PersonId | None, str]:
    """Who merged the session, and into what."""
    row = tx.one(
        "SELECT by, landed_on FROM reviews WHERE session = ? AND verdict = 'merged' ORDER BY at DESC LIMIT 1", session
    )
    return (PersonId(row[0]) if row[0] else None, row[1]) if row else (None, "")


def landed(tx: Tx, session: SessionId) -> tuple[str, str]:
    """Into what the session was merged, and at which commit; empty when it was not."""
    row = tx.one(
        "SELECT landed_on, merge_commit FROM reviews WHERE session = ? AND verdict = 'merged' ORDER BY at DESC LIMIT 1",
        session,
    )
    return (row[0] or "", row[1] or "") if row else ("", "")


def send_back(tx: Tx, review: ReviewId, commit: str, by: PersonId, text: str, at: datetime) -> bool:
    return (
        tx.run(
            "UPDATE reviews SET open = 0, verdict = 'sent_back', by = ?, at = ?, text = ?"
            " WHERE id = ? AND commit_id = ? AND open = 1 AND merging_by IS NULL",
            by,
            to_us(at),
            text,
            review,
            commit,
        )
        > 0
    )


def withdraw(tx: Tx, review: ReviewId, reason: str, at: datetime) -> bool:
    return (
        tx.run(
            "UPDATE reviews SET open = 0, verdict = 'withdrawn', at = ?, text = ?, merging_by = NULL"
            " WHERE id = ? AND open = 1",
            to_us(at),
            reason,
            review,
        )
        > 0
    )
