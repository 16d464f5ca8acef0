"""The status of a session once named its review by an id that only the database knows."""

from __future__ import annotations

from bot.domain.intents import Status, StatusOf
from bot.slack.blocks import answers
from bot.wire.messages import ReviewOffered
from tests.bot.board import ANA, Board
from tests.bot.samples import COMMIT, review


async def test_a_review_is_told_by_its_commit_and_its_first_line(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    status = await board.does(ANA, Status(runner.spec.name), surface="slash")
    assert isinstance(status, StatusOf)
    message = answers.response(status, "/session")
    assert message is not None
    assert f"👀 ready at `{COMMIT[:7]}` · Search works." in message.text
    assert review(runner).id not in str(message)
