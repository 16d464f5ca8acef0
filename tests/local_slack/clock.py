"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio


class ManualClock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._fell_asleep = asyncio.Condition()

    def time(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self._now + seconds, waking)
        self._sleepers.append(entry)
        async with self._fell_asleep:
            self._fell_asleep.notify_all()
        try:
            await waking
        finally:
            self._sleepers.remove(entry)

    async def advance(self, seconds: float) -> None:
        """Moves on once somebody sleeps until exactly then, so that a test never runs ahead of what it tests."""
        until = self._now + seconds

        def somebody() -> bool:
            return any(due == until and not waking.done() for due, waking in self._sleepers)

        async with asyncio.timeout(5), self._fell_asleep:
            await self._fell_asleep.wait_for(somebody)
        self.jump(seconds)

    def jump(self, seconds: float) -> None:
        self._now += seconds
        for due, waking in self._sleepers:
            if due <= self._now and not waking.done():
                waking.set_result(None)
