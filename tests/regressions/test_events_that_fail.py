"""An event that could not be applied was once acknowledged and gone: a session waited, and nobody knew."""

from __future__ import annotations

import msgspec
import pytest
from structlog.testing import capture_logs

from bot.domain.deliveries import Subject
from bot.domain.views import ThreadNote
from bot.wire import codec
from bot.wire.messages import Asked, Event, EventBody, QuestionWithdrawn, ReviewOffered
from tests.bot.board import START, Board, Runner
from tests.bot.samples import choice, review


async def refuse(board: Board, table: str) -> None:
    """What the code did not expect: the database takes no such row."""
    sql = f"CREATE TRIGGER no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    await board.db.write(lambda tx: tx.run(sql))


def told(board: Board) -> list[str]:
    return [view.text for view in board.shown(Subject.NOTE) if isinstance(view, ThreadNote)]


def decision(runner: Runner, kind: str) -> EventBody:
    return Asked(choice(runner)) if kind == "question" else ReviewOffered(review(runner))


@pytest.mark.parametrize(("kind", "words"), [("question", "asked something"), ("review", "offered a review")])
async def test_the_thread_says_that_a_decision_could_not_be_taken_in(board: Board, kind: str, words: str) -> None:
    runner = await board.session()
    await refuse(board, f"{kind}s")
    with capture_logs() as logs:
        assert await runner.says(decision(runner, kind)) == 1
    await board.deliver()
    (note,) = told(board)
    assert words in note
    assert "stop it" in note
    (failed,) = [entry for entry in logs if entry["event"] == "link.event_failed"]
    assert (failed["log_level"], failed["session"]) == ("error", runner.peer.session)
    assert {"peer", "seq", "type"} <= set(failed)


@pytest.mark.parametrize("kind", ["question.asked", "review.offered"])
async def test_nor_is_one_lost_whose_body_does_not_read(board: Board, kind: str) -> None:
    runner = await board.session()
    with capture_logs() as logs:
        await board.links.record(runner.peer, "e1", [Event(1, kind, START, msgspec.Raw(b'{"nonsense":1}'))])
    await board.deliver()
    assert len(told(board)) == 1
    (skipped,) = [entry for entry in logs if entry["event"] == "link.event_skipped"]
    assert (skipped["log_level"], skipped["session"]) == ("error", runner.peer.session)


async def test_what_nobody_waits_for_is_told_to_the_log_alone(board: Board) -> None:
    runner = await board.session()
    broken = Event(1, QuestionWithdrawn.type, START, msgspec.Raw(b"{}"))
    newer = Event(2, "question.danced", START, msgspec.Raw(b"{}"))
    await board.links.record(runner.peer, "e1", [broken, newer])
    await board.deliver()
    assert told(board) == []


async def test_a_host_cannot_make_a_foreign_thread_speak(board: Board) -> None:
    runner = await board.session()
    other = await board.host("other")
    event = codec.event(2, START, Asked(choice(runner)), runner.peer.session)
    broken = msgspec.structs.replace(event, body=msgspec.Raw(b"{}"))
    await board.links.record(other, "h2", [broken])
    await board.deliver()
    assert told(board) == []
