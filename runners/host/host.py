"""The supervisor of one machine: opens sessions, starts their runners, adopts and restarts them. Small on purpose."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.wire.messages import HostDescribed
from bot.wire.types import SessionId
from runners import files
from runners.attach import control
from runners.attach.board import Attachments
from runners.attach.moving import Mover
from runners.config import HostConfig
from runners.host import offers
from runners.host.commands import Commands
from runners.host.restarting import FIRST_REST
from runners.host.spawning import Spawner
from runners.host.watching import LOOK_EVERY, Runners
from runners.lifeline import watch_lifeline
from runners.link.link import Address, Link
from runners.link.spool import Spool
from runners.runner.daemon import BOT_FILE, on_signals, utc_now

log = structlog.get_logger()

LOOK_AGAIN = 5.0
"""Seconds between two looks at a repository or agent that cannot be used, so that its fix needs no restart."""
KNOWN_WITHIN = 20.0
"""Seconds the bot gets to acknowledge what this host offers before it is told again."""


@dataclass(frozen=True)
class HostOptions:
    config: HostConfig
    data: Path
    address: Address
    stop_runners_on_exit: bool = False
    lifeline: int | None = None
    ready_fd: int | None = None
    """One line of JSON goes there once the bot knows what this host offers."""
    first_rest: float = FIRST_REST
    """Seconds until a runner that does not stay up is tried again for the first time."""
    look_every: float = LOOK_EVERY
    """Seconds between two looks at the runners."""


class Host:
    """``run`` returns after ``stop``. Runners stay alive unless the options say otherwise."""

    def __init__(self, options: HostOptions, spool: Spool, spawner: Spawner) -> None:
        self._options = options
        self._config = options.config
        self._data = options.data
        self._spool = spool
        self._stopping = asyncio.Event()
        locks: defaultdict[SessionId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._runners = Runners(options.data, spawner, locks, spool.put, options.first_rest, options.look_every)
        self._connects = asyncio.Event()
        self._link = Link(
            "host",
            options.config.name,
            lambda: options.address,
            spool,
            sessions=lambda: self._runners.held,
            greeting=self._connects.set,
            give_up_when_refused=True,
        )
        self._attachments = Attachments(
            options.config,
            options.data,
            tell=spool.put,
            connected=self._link.connected.is_set,
            moves=Mover(options.config, spawner, locks),
        )
        self._commands = Commands(
            options.config, options.data, spool, self._link.arrived, spawner, self._runners, self._attachments, locks
        )

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        bot = self._options.address.bot.encode()
        await asyncio.to_thread(files.write_atomic, self._data / BOT_FILE, bot)
        async with control.served(self._data, self._attachments.handle), asyncio.TaskGroup() as tasks:
            jobs = [
                tasks.create_task(job, name=name)
                for name, job in (
                    ("link", self._link.run()),
                    ("describe", self._describe()),
                    ("commands", self._commands.run(tasks)),
                    ("watch", self._runners.watch()),
                )
            ]
            await self._stopping.wait()
            link, *others = jobs
            for job in others:
                job.cancel()
            await asyncio.wait(others)
            await self.pause()
            link.cancel()

    async def pause(self) -> None:
        """End the runners, where they are to end with this host. Idempotent."""
        if self._options.stop_runners_on_exit:
            await self._runners.pause()

    async def _describe(self) -> None:
        """Tell what is offered: at each connection, and soon after a problem in it was put right."""
        ready_fd = self._options.ready_fd
        told: HostDescribed | None = None
        while True:
            again = not await self._connected_within(LOOK_AGAIN if told and offers.troubled(told) else None)
            now = await asyncio.to_thread(offers.describe, self._config)
            if again and now == told:
                continue
            told = now
            await self._spool.put(now)
            if ready_fd is not None and await self._link.drained(KNOWN_WITHIN):
                os.write(ready_fd, b"{}\n")
                os.close(ready_fd)
                ready_fd = None

    async def _connected_within(self, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._connects.wait()
        except TimeoutError:
            return False
        self._connects.clear()
        return True


async def run(options: HostOptions, *, warm: bool | None = None) -> None:
    """Run this machine's host until SIGTERM, or until whoever holds the other end of the lifeline is gone."""
    async with AsyncExitStack() as stack:
        spool = await stack.enter_async_context(Spool(options.data / "host.db", utc_now))
        spawner = await stack.enter_async_context(Spawner() if warm is None else Spawner(warm=warm))
        host = Host(options, spool, spawner)
        on_signals(host.stop)
        if options.lifeline is not None:
            stack.callback(watch_lifeline(options.lifeline, host.stop))
        log.info("host.started", bot=options.address.bot, repos=list(options.config.repos), data=str(options.data))
        try:
            await host.run()
        finally:
            # Again for a host that fails, as one that is let in no more: what should end with it ends.
            await host.pause()
        log.info("host.stopped")
