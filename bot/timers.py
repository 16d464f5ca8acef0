"""Time: one APScheduler trigger rings when the next row of the due table is due; the services do the work."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from bot.errors import StoreClosed, StoreError
from bot.services import Services
from bot.services.ports import Clock

log = structlog.get_logger()

LOOK_AGAIN = timedelta(minutes=1)
"""At the latest: the machine may have slept, and its clock may have been set."""


class Timers:
    """An async context manager; ``run`` starts its one task. Nothing is kept in APScheduler: the table survives."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self._services = services
        self._clock = clock
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True})
        self._rung = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self._services.links.wake()
        await self._services.digests.wake()
        self._scheduler.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scheduler.shutdown(wait=False)

    def run(self, tasks: asyncio.TaskGroup) -> None:
        tasks.create_task(self._tick(), name="timers")
        tasks.create_task(self._listen(), name="timers-changes")

    async def _tick(self) -> None:
        while True:
            self._rung.clear()
            try:
                due = await self._services.digests.next_due()
                if due is not None and due <= self._clock.now():
                    await self._services.digests.run_due()
                    due = await self._services.digests.next_due()
                self._set(due)
            except StoreClosed:
                return
            except StoreError:  # a full disk passes; what is due stays due
                log.exception("timers.not_stored")
                self._set(None)
            await self._rung.wait()

    async def _listen(self) -> None:
        """A row that was scheduled just now may be due before the one the trigger is set to."""
        while True:
            seen = self._services.digests.changes()
            await self._services.digests.changed(seen)
            self._rung.set()

    def _set(self, due: datetime | None) -> None:
        now = self._clock.now()
        latest = now + LOOK_AGAIN
        delay = max((min(due, latest) if due else latest) - now, timedelta())
        self._scheduler.add_job(
            self._rung.set,
            DateTrigger(datetime.now(UTC) + delay, timezone=UTC),
            id="due",
            replace_existing=True,
        )
