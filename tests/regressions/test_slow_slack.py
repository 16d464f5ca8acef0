"""Slack is slow: the delivery loop waits without turning, and no delivery outlives its lease."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.domain.deliveries import Ambiguous, Failure, Subject
from bot.services import Services
from bot.services.ports import SystemClock
from bot.services.settings import ServiceSettings
from bot.slack import deliver
from bot.slack.deliver import Delivering
from bot.store import deliveries
from bot.store.database import Database
from bot.store.deliveries import LEASE, Spot
from bot.wire.types import PersonId


class SlowSlack:
    """Takes every call and answers none until told to."""

    def __init__(self) -> None:
        self.calls = 0
        self.called = asyncio.Condition()
        self.answer = asyncio.Event()

    async def private(self, *_: Any) -> None:
        async with self.called:
            self.calls += 1
            self.called.notify_all()
        await self.answer.wait()

    async def has_calls(self, count: int) -> None:
        async with asyncio.timeout(20), self.called:
            await self.called.wait_for(lambda: self.calls >= count)


@asynccontextmanager
async def notes(folder: Path, count: int) -> AsyncIterator[Services]:
    """Services with this many private notes to deliver, each in a lane of its own."""
    clock = SystemClock()
    async with Database(folder / "switchboard.db") as db:
        services = Services(db, ServiceSettings(), clock)

        def put(tx: Any) -> None:
            for number in range(count):
                person = PersonId(f"U{number}A")
                note = deliveries.add_note(tx, person, "hi", clock.now())
                spot = Spot("dm", f"dm:{person}", person=person)
                deliveries.put(tx, Subject.PRIVATE, str(note), spot, clock.now())

        await db.write(put)
        yield services


@asynccontextmanager
async def delivering(loop: Delivering) -> AsyncIterator[None]:
    task = asyncio.create_task(loop.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


class Counting:
    """An outbox that counts how often it was waited on, and keeps what failed."""

    def __init__(self, services: Services) -> None:
        self._outbox = services.outbox
        self.waits = 0
        self.failures: asyncio.Queue[Failure] = asyncio.Queue()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    async def wait(self, timeout: float) -> None:
        self.waits += 1
        await self._outbox.wait(timeout)

    async def failed(self, delivery: Any, failure: Failure) -> None:
        await self._outbox.failed(delivery, failure)
        await self.failures.put(failure)


class Counted:
    def __init__(self, services: Services) -> None:
        self.outbox = Counting(services)


async def test_with_every_lane_busy_the_loop_does_not_turn(tmp_path: Path) -> None:
    async with notes(tmp_path, deliver.LANES + 4) as services:
        slack, counted = SlowSlack(), Counted(services)
        async with delivering(Delivering(counted, slack, "/session")):  # type: ignore[arg-type]
            await slack.has_calls(deliver.LANES)
            for _ in range(200):  # turns of the event loop in which a hot loop would go round
                await asyncio.to_thread(int)
            assert counted.outbox.waits <= 1
            slack.answer.set()
            await slack.has_calls(deliver.LANES + 4)


async def test_a_delivery_ends_before_its_lease_does(tmp_path: Path) -> None:
    assert timedelta(seconds=deliver.WITHIN) < LEASE - timedelta(seconds=10)
    async with notes(tmp_path, 1) as services:
        slack, counted = SlowSlack(), Counted(services)
        async with delivering(Delivering(counted, slack, "/session", within=0.05)):  # type: ignore[arg-type]
            failure = await asyncio.wait_for(counted.outbox.failures.get(), 20)
    assert isinstance(failure, Ambiguous)
    assert "took longer" in failure.reason
    assert slack.calls == 1
