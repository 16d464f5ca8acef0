"""A clock that tests set: what is due comes when a test says so; back-offs come at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

GRACE = timedelta(seconds=1)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class ManualTime:
    """Implements ``Time``. A wait of at most ``skips`` is over at once, and the clock has moved on by it.

    One of at most a second is there for the real agent to end, and lasts.
    """

    def __init__(self, now: datetime = NOON, skips: timedelta = timedelta(minutes=2)) -> None:
        self._now = now
        self.skips = skips
        self._moved = asyncio.Event()
        self.awaited: list[datetime] = []
        """Moments that somebody waits for just now."""

    def now(self) -> datetime:
        return self._now

    async def until(self, moment: datetime) -> None:
        if self._now < moment <= self._now + self.skips:
            left = moment - self._now
            await asyncio.sleep(left.total_seconds() if left <= GRACE else 0)
            self._now = max(self._now, moment)
        self.awaited.append(moment)
        try:
            while self._now < moment:
                await self._moved.wait()
        finally:
            self.awaited.remove(moment)

    def set(self, now: datetime) -> None:
        self._now = now
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def on(self, by: timedelta) -> None:
        self.set(self._now + by)
