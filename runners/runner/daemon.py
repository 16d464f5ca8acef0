"""The runner: one process beside one worktree. Puts spool, link, door and driver together; pauses on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import structlog
from msgspec.structs import replace

from bot.wire.messages import ReviewWithdrawn, SessionChanged
from bot.wire.types import Ending, RunState
from runners import files, kept
from runners.ask.finding import SCRIPT
from runners.ask.serving import door_for
from runners.clock import Time, WallTime
from runners.errors import RunnerError
from runners.leftovers import end_leftovers
from runners.link.link import Address, Link
from runners.link.spool import Spool
from runners.runner import ending, follow_ups, lifecycle, ticket
from runners.runner.commands import Commands
from runners.runner.driver import TURN_GRACE, Driver
from runners.runner.ending import Over, Pausing
from runners.runner.memory import Memory
from runners.runner.seat import OpenAgent
from runners.runner.ticket import Ticket

log = structlog.get_logger()

BOT_FILE = "bot"
"""In the host's data folder: the bot's address, which a living runner must learn when it changes."""
PAUSE_DRAIN = 2.0
NO_ROOM = (
    "the disk of its machine is full ({folder}): what happens is told late and what is said here waits until "
    "somebody makes room; nothing is lost"
)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runner:
    """Owns the session's spool, link and driver. ``run`` returns when the session is over or paused."""

    def __init__(
        self,
        folder: Path,
        paper: Ticket,
        spool: Spool,
        memory: Memory,
        open_agent: OpenAgent,
        time: Time | None = None,
    ) -> None:
        self._folder = folder
        self._ticket = paper
        self._spool = spool
        self._memory = memory
        self._outcome: asyncio.Future[Over | Pausing] = asyncio.get_running_loop().create_future()
        self.driver = Driver(folder, paper, memory, open_agent, time or WallTime(), self._decide)
        self._link = Link(
            "runner",
            paper.spec.session,
            lambda: Address((folder.parent.parent / BOT_FILE).read_text().strip(), paper.spec.token),
            spool,
            sessions=lambda: (paper.spec.session,),
        )
        self._commands = Commands(folder, paper, spool, memory, self.driver, self._link.arrived, self._decide)

    def pause(self) -> None:
        self._decide(Pausing())

    def look_again(self) -> None:
        """The host left word in the session's folder."""
        self._link.arrived.set()

    def _decide(self, outcome: Over | Pausing) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def run(self) -> None:
        state = self._memory.state
        if state.stopping is not None:
            self._decide(Over(Ending.STOPPED))
        try:
            async with asyncio.TaskGroup() as tasks:
                link = tasks.create_task(self._link.run(), name="link")
                disk = tasks.create_task(self._watch_disk(), name="spool.watch")
                if not state.ended:
                    await self._work(tasks)
                await self._drain()
                disk.cancel()
                link.cancel()
        finally:
            # Only after a fault of ours: an agent that can outlive this runner waits for the next one.
            self.driver.desk.handing_over = True
            await self.driver.seat.detach()

    async def _work(self, tasks: asyncio.TaskGroup) -> None:
        jobs = {**self.driver.jobs(), "commands": self._commands.run()}
        work = {name: tasks.create_task(job, name=name) for name, job in jobs.items()}
        outcome = await self._outcome
        await self._wind_up(outcome, work["turns"])
        for task in work.values():
            task.cancel()
        await asyncio.wait(work.values())
        await self._close(outcome)

    async def _drain(self) -> None:
        """A session that is over has nothing left to do but to be heard; a paused one says so if it can."""
        if not self._memory.state.ended:
            await self._link.drained(PAUSE_DRAIN)
            return
        # A bot that has everything accepts the token no more: its acknowledgement was lost, not the news.
        while not await self._link.drained(5.0) and self._link.refusal is None:
            pass
        await asyncio.to_thread(files.write_atomic, self._folder / files.ENDED, b"")

    async def _watch_disk(self) -> None:
        """A full one is told and waited out; one that is broken ends the runner."""
        told = ""
        while self._spool.failure is None:
            version = self._spool.version
            if self._spool.full != told:
                told = self._spool.full
                self.driver.reporter.no_room(told and NO_ROOM.format(folder=self._folder))
            await self._spool.newer(version)
        raise RunnerError(
            f"{self._folder / files.SPOOL} cannot be written: {self._spool.failure}.", "Free some disk space."
        )

    # --- ending ------------------------------------------------------------------------------------------------------

    async def _wind_up(self, outcome: Over | Pausing, turns: asyncio.Task[None]) -> None:
        desk, seat = self.driver.desk, self.driver.seat
        if isinstance(outcome, Pausing):
            desk.hold = True
            desk.close_momentary(f"{await self._why_paused()}; the agent asks again when it is back")
            # The turn is cut off on purpose: what it was about is on disk, and taken up again.
            turns.cancel()
            await asyncio.wait({turns})
            await seat.close()
            return
        self.driver.closing = True
        desk.close_all("the session ended")
        if self.driver.busy:
            await self.driver.cancel_turn()
            await asyncio.wait({turns}, timeout=TURN_GRACE)
        turns.cancel()
        await asyncio.wait({turns})
        await seat.close()
        if ended := await asyncio.to_thread(kept.end_kept, self._folder):
            log.warning("session.kept_ended", pids=ended)

    async def _close(self, outcome: Over | Pausing) -> None:
        state = self._memory.state
        match outcome:
            case Pausing():
                if state.run not in lifecycle.AT_REST:
                    await self._memory.tell(SessionChanged(RunState.PAUSED, detail=await self._why_paused()))
            case Over():
                gone = () if state.review is None else (ReviewWithdrawn(state.review.id, "the session ended"),)
                dropped = follow_ups.dropped(state, "the session ended first")
                ended = await asyncio.to_thread(ending.left, self._ticket, outcome)
                late = ending.unheard(await self._spool.waiting())
                over = replace(self._memory.state, review=None, inbox=(), waiting=(), ended=True)
                await self._memory.save(over, *gone, *dropped, *late, ended)
                log.info("session.ended", ending=ended.ending, branch=ended.branch, worktree=ended.worktree)
            case _:
                assert_never(outcome)

    async def _why_paused(self) -> str:
        return await asyncio.to_thread(_moving, self._folder) or "its machine is shutting down"


def _moving(folder: Path) -> str:
    """Where to, if the session is being moved: for that its runner is ended as well."""
    try:
        return (folder / files.MOVING).read_text("utf-8")
    except (OSError, ValueError):
        return ""


async def run(folder: Path, open_agent: OpenAgent) -> None:
    """Run the session in ``folder`` until it is over or paused. The caller holds the folder's lock."""
    paper = await asyncio.to_thread(ticket.read, folder)
    structlog.contextvars.bind_contextvars(session=paper.spec.session)
    async with AsyncExitStack() as stack:
        spool = await stack.enter_async_context(Spool(folder / files.SPOOL, utc_now))
        if ended := await asyncio.to_thread(end_leftovers, folder):
            log.warning("runner.leftovers_ended", pids=ended)
        memory = await Memory.load(spool, paper.spec.session)
        runner = Runner(folder, paper, spool, memory, open_agent)
        if not memory.state.ended:
            await _open_door(stack, folder, runner, paper)
        on_signals(runner.pause)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, runner.look_again)
        log.info("runner.started", worktree=paper.place.worktree)
        await runner.run()
        log.info("runner.ended", ended=memory.state.ended)


async def _open_door(stack: AsyncExitStack, folder: Path, runner: Runner, paper: Ticket) -> None:
    """Where agents and scripts ask. A machine that lets nobody listen runs its sessions without."""
    comes = runner.driver.seat.prompts
    try:
        gone = runner.driver.desk.gone if paper.agent == SCRIPT else None
        door = await stack.enter_async_context(door_for(folder, runner.driver.desk, utc_now, comes=comes, gone=gone))
    except OSError as err:
        log.warning("door.not_opened", error=str(err))
        return
    runner.driver.seat.door = door.ask_door


def on_signals(call: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, call)
