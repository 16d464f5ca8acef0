"""The progress message of a thread told an old state beside a newer card for up to half an hour."""

from __future__ import annotations

from msgspec.structs import replace

from bot.domain.deliveries import Subject
from bot.domain.intents import Reply
from bot.domain.views import ProgressView
from bot.wire.messages import Asked, EventBody, Progressed, ReviewOffered, SessionEnded
from bot.wire.types import Ending, PlanStep, Snapshot, StepState
from tests.bot.board import ANA, START, Board, Runner
from tests.bot.samples import choice, review


def _at(done: int) -> Progressed:
    steps = tuple(PlanStep(f"step {n}", StepState.DONE if n < done else StepState.PENDING) for n in range(4))
    return Progressed(Snapshot(at=START, line=f"step {done}", steps=steps))


def _shown(board: Board) -> list[int]:
    views = [view for view in board.shown(Subject.PROGRESS) if isinstance(view, ProgressView)]
    return [sum(step.state is StepState.DONE for step in view.snapshot.steps) for view in views]


async def _says(runner: Runner, *bodies: EventBody) -> list[int]:
    runner.board.clock.forward(seconds=30)
    await runner.says(*bodies)
    await runner.board.deliver()
    return _shown(runner.board)


async def test_it_follows_questions_reviews_and_the_end(board: Board) -> None:
    runner = await board.session()
    assert await _says(runner, _at(1)) == [1]
    assert await _says(runner, _at(2)) == [1]  # nothing below it says otherwise
    assert await _says(runner, Asked(choice(runner))) == [2]
    assert await _says(runner, _at(3)) == [3]  # the question still waits below
    assert await _says(runner, ReviewOffered(review(runner))) == [3]
    assert await _says(runner, _at(4), SessionEnded(Ending.STOPPED, runner.spec.branch)) == [4]


async def test_a_card_never_posts_a_fresh_one_even_below_somebodys_words(board: Board) -> None:
    runner = await board.session()
    await _says(runner, _at(1))
    await board.does(ANA, Reply("go on"), surface="reply", thread=board.thread(runner))
    assert await _says(runner, _at(2), Asked(choice(runner))) == [2]
    await board.does(ANA, Reply("fts"), surface="reply", thread=board.thread(runner))
    await _says(runner, _at(3))
    board.clock.forward(minutes=31)
    await board.services.digests.run_due()
    await board.deliver()
    assert _shown(board) == [2, 3]  # the next regular one comes below what was written


async def test_a_diff_comes_before_the_mention(board: Board) -> None:
    """Afterwards its reviewer follows the thread, and the file would call them a second time."""
    runner = await board.session()
    offered = replace(review(runner), diff="--- a\n+++ b\n")
    await runner.says(ReviewOffered(offered))
    posted = [message.delivery.subject for message in await board.deliver()]
    assert posted.index(Subject.FILE) < posted.index(Subject.REVIEW)
