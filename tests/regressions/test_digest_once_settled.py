"""A digest whose decisions were made said "Nothing needs you" while newer ones waited, and told old verdicts as new."""

from __future__ import annotations

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, DigestNow, Merge, SendBack
from bot.domain.views import DigestView
from bot.slack.blocks.digest import digest
from bot.wire.messages import Asked, Merged, ReviewOffered, SessionEnded
from bot.wire.types import Ending
from tests.bot.board import ANA, Board, Runner
from tests.bot.samples import COMMIT, choice, review

NEWER = "e" * 40


async def _told(board: Board) -> str:
    await board.does(ANA, DigestNow(), surface="slash")
    await board.deliver()
    return _shown(board)


def _shown(board: Board) -> str:
    view = board.shown(Subject.DIGEST)[0]
    assert isinstance(view, DigestView)
    return digest(view).text


async def _merged(runner: Runner) -> None:
    newer = review(runner, 2, NEWER)
    await runner.says(ReviewOffered(newer))
    await runner.board.does(ANA, Merge(newer.id, NEWER))
    await runner.says(Merged(newer.id, "f" * 40, "main"), SessionEnded(Ending.MERGED, runner.spec.branch))
    await runner.board.deliver()


async def test_it_speaks_of_its_own_items_only(board: Board) -> None:
    one, other = await board.session("Ask a thing"), await board.session("Ask a second thing")
    for runner in (one, other):
        await runner.says(Asked(choice(runner)))
    assert (await _told(board)).startswith("☀️ *2 need you*")
    for runner in (one, other):
        await board.does(ANA, Choose(choice(runner).id, "fts"))
        await runner.says(Asked(choice(runner, 2)))
    board.clock.forward(hours=1)
    await board.deliver()
    shown = _shown(board)
    assert shown.startswith("☀️ *Both settled*")
    assert "Nothing needs you" not in shown
    assert "As of" not in shown
    assert "next digest <!date" not in shown  # that moment has passed
    assert "newer decisions are in Home and your next digest" in shown


async def test_what_was_sent_back_and_merged_since_is_told_as_merged(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    await _told(board)
    await board.does(ANA, SendBack(review(runner).id, COMMIT, "add a test"))
    await board.deliver()
    assert "sent it back" in _shown(board)
    await _merged(runner)
    assert "sent it back; since merged into main" in _shown(board)
