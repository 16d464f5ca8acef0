"""The time as runners know it: what it is, and waiting for a moment. Injected, so that tests need not wait."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Protocol

LOOK = 30.0
"""Seconds between two looks at the clock: a machine that slept must not sleep on through what is due."""


class Time(Protocol):
    """Moments are aware and in UTC. ``until`` returns once ``now`` has reached the moment, at once if it has."""

    def now(self) -> datetime: ...

    async def until(self, moment: datetime) -> None: ...


class WallTime:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def until(self, moment: datetime) -> None:
        while (left := (moment - self.now()).total_seconds()) > 0:  # noqa: ASYNC110  (the clock on the wall may jump)
            await asyncio.sleep(min(left, LOOK))


async def rung(bell: asyncio.Event, time: Time, moment: datetime | None) -> None:
    """Wait for the bell, or for the moment if there is one."""
    if moment is None:
        await bell.wait()
        return
    both = {asyncio.create_task(bell.wait(), name="bell"), asyncio.create_task(time.until(moment), name="alarm")}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in both:
            each.cancel()
        await asyncio.wait(both)
