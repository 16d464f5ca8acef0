"""The due table at work: whatever is due is done in one transaction with the slot that caused it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.services import holding, links, routine
from bot.services.ctx import Ctx
from bot.services.holding import Held
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store import digests, due, hosts, inbox, replies
from bot.store.database import Database, Tx
from bot.store.due import Due
from bot.wire.types import HostId, SessionId

log = structlog.get_logger()

BATCH = 50
"""Due things in one transaction: clicks get in between."""
TRY_AGAIN = timedelta(minutes=5)
PRUNE_EVERY = timedelta(hours=6)


class Digests:
    """Called by the timers; safe to call at any time, as often as one likes."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock

    async def next_due(self) -> datetime | None:
        return await self._db.read(due.next_at)

    def changes(self) -> int:
        """How often the table has changed; for ``changed``."""
        return self._db.bells.rung(due.BELL)

    async def changed(self, seen: int) -> None:
        """Until the table has changed since ``seen``."""
        await self._db.bells.wait(due.BELL, seen)

    async def run_due(self) -> int:
        """Do all that is due by now; returns how many things that were."""
        done = 0
        while True:
            now = self._clock.now()

            def work(tx: Tx, now: datetime = now) -> int:
                return _run(Ctx(tx, now, self._settings))

            count = await self._db.write(work)
            done += count
            if count < BATCH:
                return done

    async def wake(self) -> None:
        """After a start: make sure that housekeeping is scheduled."""
        now = self._clock.now()

        def work(tx: Tx) -> None:
            if due.get(tx, "prune", "") is None:
                due.schedule(tx, Due("prune", "", "", now))

        await self._db.write(work)


def _run(ctx: Ctx) -> int:
    rows = due.take(ctx.tx, ctx.now, BATCH)
    for row in rows:
        try:
            with ctx.tx.apart():
                _fire(ctx, row)
        except sqlite3.OperationalError:
            raise  # the disk, not the row: all of it stays due
        except Exception:  # the edge of one row: the others must not wait for it, and it is tried again
            log.exception("due.failed", kind=row.kind, key=row.key)
            due.schedule(ctx.tx, replace(row, slot=f"{row.slot}+", at=ctx.now + TRY_AGAIN))
    return len(rows)


def _fire(ctx: Ctx, row: Due) -> None:
    match row.kind:
        case "digest":
            routine.digest_is_due(ctx, row)
        case "progress":
            routine.progress_is_due(ctx, SessionId(row.key))
        case "asleep":
            if hosts.fell_asleep(ctx.tx, HostId(row.key)):
                log.info("host.asleep", host=row.key)
                links.touch_host(ctx, HostId(row.key))
        case Held.QUESTION | Held.REVIEW | Held.COPY | Held.FAILURE:
            holding.release(ctx, Held(row.kind), row.key)
        case "prune":
            _prune(ctx)
        case _:
            log.warning("due.unknown_kind", kind=row.kind, key=row.key)


def _prune(ctx: Ctx) -> None:
    inbox.prune(ctx.tx, ctx.now)
    replies.prune(ctx.tx, ctx.now - timedelta(days=30))
    digests.prune(ctx.tx, ctx.now - timedelta(days=90))
    due.schedule(ctx.tx, Due("prune", "", "", ctx.now + PRUNE_EVERY))
