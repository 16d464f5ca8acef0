"""Whatever fails on the way: questions of one thread are posted once each, in the order in which they were asked."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.deliveries import MessageRef, Permanent, RateLimited, Retryable, Subject
from bot.services import Services
from bot.services.outbox import TRIES_IN_ORDER
from bot.wire.messages import Asked
from tests.bot.board import ANA, open_board
from tests.bot.samples import choice

OUTCOMES = st.lists(st.sampled_from(["ok", "limited", "refused", "restart"]), max_size=12).filter(
    lambda outcomes: sum(o in ("refused", "restart") for o in outcomes) < TRIES_IN_ORDER
)


async def run(outcomes: list[str], folder: Path) -> None:
    board = await open_board(folder)
    async with board.db:
        await board.knows(ANA)
        runner = await board.session()
        await runner.says(*(Asked(choice(runner, n)) for n in range(1, 6)))
        services, posted, failures = board.services, [], iter(outcomes)
        while not posted or len(posted) < 5:
            claimed = await services.outbox.claim(10)
            assert len({d.lane for d in claimed}) == len(claimed)
            for delivery in claimed:
                match next(failures, "ok"):
                    case "limited":
                        await services.outbox.failed(delivery, RateLimited(timedelta(seconds=9)))
                    case "refused":
                        await services.outbox.failed(delivery, Retryable("refused"))
                    case "restart":
                        services = Services(board.db, board.settings, board.clock)
                    case _:
                        if delivery.subject is Subject.QUESTION and delivery.message is None:
                            posted.append(delivery.ref)
                        at = delivery.message or MessageRef("C1", f"{len(posted)}.5")
                        await services.outbox.done(delivery, at)
            board.clock.forward(seconds=10)
        assert posted == [choice(runner, n).id for n in range(1, 6)]
        while claimed := await services.outbox.claim(10):
            for delivery in claimed:
                assert delivery.message
                await services.outbox.failed(delivery, Permanent("invalid_blocks"))


@settings(max_examples=15, deadline=None)
@given(OUTCOMES)
def test_posts_keep_their_order_and_happen_once(outcomes: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(outcomes, Path(folder)))
