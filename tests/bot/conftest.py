from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from blockbuster import BlockBuster, blockbuster_ctx

from tests.bot.board import ANA, BEN, CLEO, Board, open_board


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop() -> Iterator[BlockBuster]:
    with blockbuster_ctx("bot") as guard:
        yield guard


@pytest_asyncio.fixture
async def slow_board(tmp_path: Path) -> AsyncIterator[Board]:
    """As in production: a session card is edited every three seconds at most."""
    board = await open_board(tmp_path, card_edit_every=timedelta(seconds=3))
    async with board.db:
        await board.knows(ANA, BEN, CLEO)
        yield board


@pytest_asyncio.fixture
async def board(tmp_path: Path) -> AsyncIterator[Board]:
    board = await open_board(tmp_path)
    async with board.db:
        await board.knows(ANA, BEN, CLEO)
        yield board
