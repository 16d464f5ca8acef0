"""A bot that is away is told of in words, once, and then ever more seldom."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import structlog

from bot.wire.types import SessionId
from runners.link.complaints import FIRST_GAP, LONGEST_GAP, Complaints
from runners.link.link import Address, Link
from runners.link.spool import Spool

TRIES = 5


def test_the_first_failure_is_told_and_the_next_ever_later() -> None:
    complaints = Complaints()
    told = [second for second in range(4 * 3600) if complaints.due(float(second))]
    gaps = [later - earlier for earlier, later in pairwise(told)]
    assert told[0] == 0
    assert gaps[0] == FIRST_GAP
    assert gaps == sorted(gaps)
    assert gaps[-1] == LONGEST_GAP


def test_a_bot_that_has_answered_and_goes_again_is_told_of_at_once() -> None:
    complaints = Complaints()
    assert complaints.due(0.0)
    assert not complaints.due(1.0)
    complaints.over()
    assert complaints.due(2.0)
    assert not complaints.due(2.0 + FIRST_GAP - 1)
    assert complaints.due(2.0 + FIRST_GAP)


async def test_a_bot_that_does_not_answer_is_told_of_once(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound, never listening: every try is refused
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        tries = 0
        enough = asyncio.Event()

        def address() -> Address:
            nonlocal tries
            tries += 1
            if tries == TRIES:
                loop.call_soon_threadsafe(enough.set)
            return Address(url, "secret")

        loop = asyncio.get_running_loop()
        async with Spool(tmp_path / "spool.db", lambda: datetime.now(UTC)) as spool:
            link = Link("runner", SessionId("s1234567a"), address, spool)
            with structlog.testing.capture_logs() as logs:
                task = asyncio.create_task(link.run())
                async with asyncio.timeout(20):
                    await enough.wait()
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
    told = [line for line in logs if line["event"] == "link.unreachable"]
    assert [line["problem"] for line in told] == [f"the bot at {url} does not answer; trying again"]
