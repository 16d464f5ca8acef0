"""Reviews and failures once called people whenever they came; only questions asked the attention policy."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.attention import Policy
from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Merge
from bot.domain.views import FailureCard, HomeView, Light, QuestionCard, ReviewCard
from bot.services import Services
from bot.wire.messages import Asked, ReviewOffered, SessionChanged, SessionEnded
from bot.wire.types import Ending, PersonId, RunState
from tests.bot.board import ANA, BEN, START, Board, Message, Runner, open_board
from tests.bot.samples import COMMIT, choice, review

QUIET = timedelta(minutes=10)


async def quiet(board: Board, *people: PersonId) -> Runner:
    """A session of Ana's, reviewed by Ben, while these people are not to be called."""
    runner = await board.session(reviewer=BEN)
    be_quiet(board, *people)
    return runner


def be_quiet(board: Board, *people: PersonId) -> None:
    board.settings.policies.update(dict.fromkeys(people, Policy(START + QUIET, "focus")))  # type: ignore[attr-defined]


def calls(board: Board) -> list[Message]:
    """Everything that makes somebody's phone ring."""
    subjects = (Subject.QUESTION, Subject.REVIEW, Subject.FAILURE, Subject.NOTE, Subject.FILE)
    return [message for message in board.messages if message.delivery.subject in subjects]


async def later(board: Board, by: timedelta = QUIET) -> None:
    board.clock.at += by
    for _ in range(2):  # ringing twice releases nothing twice
        await board.services.digests.run_due()
        await board.deliver()


async def test_a_review_waits_for_each_persons_time(board: Board) -> None:
    runner = await quiet(board, ANA)
    await runner.says(ReviewOffered(review(runner)))
    await board.deliver()
    assert [message.channel for message in calls(board)] == ["DUBEN"]
    (card,) = board.shown(Subject.SESSION)
    assert "Review ccccccc: Search works." in card.decisions  # type: ignore[union-attr]
    await later(board)
    assert [message.channel for message in calls(board)] == ["DUBEN", "C1"]


async def test_a_reviewers_own_copy_waits_for_the_reviewer(board: Board) -> None:
    runner = await quiet(board, BEN)
    await runner.says(ReviewOffered(review(runner)))
    await board.deliver()
    assert [message.channel for message in calls(board)] == ["C1"]
    await later(board)
    assert [message.channel for message in calls(board)] == ["C1", "DUBEN"]


async def test_a_held_review_is_in_home_at_once_and_can_be_decided_there(board: Board) -> None:
    runner = await quiet(board, ANA, BEN)
    await runner.says(ReviewOffered(review(runner)))
    home = await board.desk.home(BEN)
    assert isinstance(home, HomeView)
    assert [line.review.id for line in home.decisions if line.review] == [review(runner).id]
    await board.does(BEN, Merge(review(runner).id, COMMIT), surface="home")
    assert len(await runner.takes()) == 1


@pytest.mark.parametrize("how", ["fails", "ends"])
async def test_a_failure_is_told_at_its_time(board: Board, how: str) -> None:
    runner = await quiet(board, ANA)
    ended = SessionEnded(Ending.FAILED, runner.spec.branch, exit_status=3)
    await runner.says(SessionChanged(RunState.FAILED, "no disk left") if how == "fails" else ended)
    await board.deliver()
    assert calls(board) == []
    (card,) = board.shown(Subject.SESSION)
    assert card.light is Light.FAILED  # type: ignore[union-attr]
    assert await board.db.read(lambda tx: tx.all("SELECT * FROM pings")) == []
    await later(board)
    (note,) = [message.view for message in calls(board)]
    assert isinstance(note, FailureCard)
    assert note.why == "no disk left" if how == "fails" else note.exit_status == 3
    assert len(await board.db.read(lambda tx: tx.all("SELECT * FROM pings"))) == 1


async def test_what_no_longer_waits_is_not_told(board: Board) -> None:
    runner = await quiet(board, ANA, BEN)
    await runner.says(
        SessionChanged(RunState.FAILED, "no disk left"),
        SessionChanged(RunState.WORKING),
        Asked(choice(runner)),
        ReviewOffered(review(runner)),
        ReviewOffered(review(runner, 2)),
    )
    await board.does(ANA, Choose(choice(runner).id, "fts"), surface="home")
    await later(board)
    assert {message.delivery.ref for message in calls(board)} == {review(runner, 2).id}


async def test_a_thread_that_moves_brings_nothing_that_is_held(board: Board) -> None:
    runner = await quiet(board, ANA, BEN)
    await runner.says(Asked(choice(runner)), ReviewOffered(review(runner)))
    await board.deliver()
    await board.desk.message_lost("C1", board.thread(runner))
    await board.deliver()
    assert calls(board) == []
    await later(board)
    assert len(calls(board)) == 3


# --- every held item is released exactly once -----------------------------------------------------------------------

STEPS = st.lists(st.sampled_from(["ask", "offer", "fail", "go on", "answer", "wait", "lose", "restart"]), max_size=10)


@given(STEPS)
@settings(max_examples=25, deadline=None)
def test_every_held_item_is_released_exactly_once(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(steps, Path(folder)))


async def _run(steps: list[str], folder: Path) -> None:
    board = await open_board(folder)
    async with board.db:
        await board.knows(ANA, BEN)
        runner = await quiet(board, ANA, BEN)
        asked = offered = 0
        for step in steps:
            match step:
                case "ask":
                    asked += 1
                    await runner.says(Asked(choice(runner, asked)))
                case "offer":
                    offered += 1
                    await runner.says(ReviewOffered(review(runner, offered, f"{offered:x}" * 40)))
                case "fail":
                    await runner.says(SessionChanged(RunState.FAILED, "no disk left"))
                case "go on":
                    await runner.says(SessionChanged(RunState.WORKING))
                case "answer" if asked:
                    await board.does(ANA, Choose(choice(runner, asked).id, "fts"), surface="home")
                case "wait":
                    await later(board, timedelta(seconds=30))
                case "lose":
                    await board.desk.message_lost("C1", board.thread(runner))
                case "restart":
                    board.services = Services(board.db, board.settings, board.clock)
            await board.deliver()
            assert calls(board) == []
        (now,) = await board.desk.all_sessions()
        home = await board.desk.home(ANA)
        open_questions = [line.question.id for line in home.decisions if line.question]
        open_reviews = [line.review.id for line in (await board.desk.home(BEN)).decisions if line.review]
        await later(board)
        posted = [message.view for message in calls(board)]
        assert sorted(v.question.id for v in posted if isinstance(v, QuestionCard)) == sorted(open_questions)
        reviews = sorted(v.review.id for v in posted if isinstance(v, ReviewCard))
        assert reviews == sorted(open_reviews * 2)  # in the thread, and in the reviewer's own messages
        failures = [v for v in posted if isinstance(v, FailureCard)]
        assert len(failures) == (now.light is Light.FAILED)
        assert not await board.db.read(lambda tx: tx.all("SELECT * FROM due WHERE kind LIKE 'held%'"))
