"""A merged session's card said neither where its work went nor what the command below it is for."""

from __future__ import annotations

from bot.domain.deliveries import Subject
from bot.domain.intents import Merge
from bot.domain.views import SessionCard
from bot.slack.blocks.session import session_card
from bot.wire.messages import Asked, Merged, ReviewOffered, SessionEnded
from bot.wire.types import Ending
from tests.bot.board import ANA, Board
from tests.bot.samples import COMMIT, choice, review


def _shown(board: Board) -> str:
    (view,) = board.shown(Subject.SESSION)
    assert isinstance(view, SessionCard)
    return session_card(view).text


async def test_it_says_where_the_work_went_and_what_the_command_does(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    await board.does(ANA, Merge(review(runner).id, COMMIT))
    ended = SessionEnded(Ending.MERGED, runner.spec.branch, look=f"git switch {runner.spec.branch}")
    await runner.says(Merged(review(runner).id, "4fd34dc" + "0" * 33, "main"), ended)
    await board.deliver()
    assert "merged into main at `4fd34dc`" in _shown(board)
    assert f"To look at its branch: `git switch {runner.spec.branch}`" in _shown(board)


async def test_since_when_it_waits_says_for_what(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.deliver()
    assert "needs you since" in _shown(board)


async def test_since_when_it_is_in_review(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    await board.deliver()
    assert "review since" in _shown(board)
