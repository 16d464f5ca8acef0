"""Home told "9 pings" beside a notification log with more: it counts the cards that called, and says so now."""

from __future__ import annotations

from bot.domain.intents import Choose
from bot.slack.blocks.digest import home
from bot.wire.messages import Asked
from tests.bot.board import ANA, Board
from tests.bot.samples import choice


async def test_home_says_what_it_counts(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.deliver()
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    shown = str(home(await board.desk.home(ANA), "/session"))
    assert "Today: 1 answer, 1 card called you" in shown
    assert "ping" not in shown
