"""The questions table. An answer is accepted by one conditional update: the first one wins."""

from __future__ import annotations

import sqlite3
from datetime import datetime

import msgspec

from bot.domain.questions import Asked
from bot.domain.views import Answered, Withdrawn
from bot.store.database import Tx
from bot.store.times import from_us, to_us
from bot.wire.types import Answer, PersonId, Question, QuestionId, SessionId

_json = msgspec.json.Encoder()
_questions = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)


def _asked(row: sqlite3.Row) -> Asked:
    answered = withdrawn = None
    if row["answered_at"] is not None:
        answered = Answered(
            by=PersonId(row["answered_by"]),
            at=from_us(row["answered_at"]),
            answer=_answers.decode(row["answer"]),
            words=row["words"],
            applied=None if row["applied"] is None else bool(row["applied"]),
            detail=row["detail"],
        )
    elif row["withdrawn_at"] is not None:
        withdrawn = Withdrawn(at=from_us(row["withdrawn_at"]), reason=row["reason"])
    return Asked(
        question=_questions.decode(row["body"]),
        session=SessionId(row["session"]),
        at=from_us(row["asked"]),
        answered=answered,
        withdrawn=withdrawn,
        ping=bool(row["ping"]),
        held_for=row["held_for"],
        card=row["card"],
    )


def add(
    tx: Tx, session: SessionId, question: Question, at: datetime, *, card: str, waits: bool, ping: bool, held_for: str
) -> bool:
    """False when the question is known already. ``waits``: work waits for its answer."""
    return (
        tx.run(
            "INSERT OR IGNORE INTO questions (id, session, body, asked, open, ping, held_for, card, waits)"
            " VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)",
            question.id,
            session,
            _json.encode(question),
            to_us(at),
            int(ping),
            held_for,
            card,
            int(waits),
        )
        > 0
    )


def get(tx: Tx, question: QuestionId) -> Asked | None:
    row = tx.one("SELECT * FROM questions WHERE id = ?", question)
    return _asked(row) if row else None


def open_in(tx: Tx, session: SessionId) -> list[Asked]:
    """The oldest first."""
    rows = tx.all("SELECT * FROM questions WHERE session = ? AND open = 1 ORDER BY asked, rowid", session)
    return [_asked(row) for row in rows]


def on_card(tx: Tx, card: str) -> list[Asked]:
    """All questions that stand on one card, in the order in which they came."""
    return [_asked(row) for row in tx.all("SELECT * FROM questions WHERE card = ? ORDER BY rowid", card)]


def card_of(tx: Tx, question: QuestionId) -> QuestionId:
    """The question by which its card is known."""
    row = tx.one("SELECT card FROM questions WHERE id = ?", question)
    return QuestionId(row[0]) if row else question


def oldest_open(tx: Tx, session: SessionId) -> datetime | None:
    """Of those that work waits for."""
    row = tx.one("SELECT MIN(asked) FROM questions WHERE session = ? AND open = 1 AND waits = 1", session)
    return None if row is None or row[0] is None else from_us(row[0])


def accept(tx: Tx, answer: Answer, words: str, at: datetime) -> bool:
    """False when somebody was faster, or it was withdrawn."""
    return (
        tx.run(
            "UPDATE questions SET open = 0, answered_by = ?, answered_at = ?, answer = ?, words = ?"
            " WHERE id = ? AND open = 1",
            answer.by.id,
            to_us(at),
            _json.encode(answer),
            words,
            answer.question,
        )
        > 0
    )


def withdraw(tx: Tx, question: QuestionId, reason: str, at: datetime) -> bool:
    """False when it was settled already."""
    return (
        tx.run(
            "UPDATE questions SET open = 0, withdrawn_at = ?, reason = ? WHERE id = ? AND open = 1",
            to_us(at),
            reason,
            question,
        )
        > 0
    )


def applied(tx: Tx, question: QuestionId, *, applied: bool, detail: str) -> bool:
    """What became of an answer; the first report counts."""
    return (
        tx.run(
            "UPDATE questions SET applied = ?, detail = ? WHERE id = ? AND answered_at IS NOT NULL AND applied IS NULL",
            int(applied),
            detail,
            question,
        )
        > 0
    )


def unapplied(tx: Tx, session: SessionId) -> list[QuestionId]:
    """Answered, but the runner has not said what became of it."""
    rows = tx.all("SELECT id FROM questions WHERE session = ? AND answered_at IS NOT NULL AND applied IS NULL", session)
    return [QuestionId(row[0]) for row in rows]


def later(tx: Tx, question: QuestionId, by: PersonId) -> None:
    tx.run("UPDATE questions SET later_by = ? WHERE id = ?", by, question)


def posted(tx: Tx, card: str) -> None:
    """The card exists: whoever it mentions has been pinged, once for all that stands on it."""
    tx.run("UPDATE questions SET ping = 0 WHERE card = ?", card)


def answered_by_since(tx: Tx, person: PersonId, since: datetime) -> int:
    row = tx.one("SELECT COUNT(*) FROM questions WHERE answered_by = ? AND answered_at >= ?", person, to_us(since))
    return row[0] if row else 0


def release(tx: Tx, card: str) -> None:
    """Nothing on this card is held any more: its post pings."""
    tx.run("UPDATE questions SET held_for = '', ping = open WHERE card = ?", card)


def answered_since(tx: Tx, session: SessionId, since: datetime) -> list[QuestionId]:
    rows = tx.all("SELECT id FROM questions WHERE session = ? AND answered_at >= ?", session, to_us(since))
    return [QuestionId(row[0]) for row in rows]
