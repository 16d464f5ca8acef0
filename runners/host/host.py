"""The supervisor of one machine: opens sessions, starts their runners, adopts and restarts them. Small on purpose."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

import structlog

from bot.wire import codec
from bot.wire.messages import (
    DeliverAnswer,
    HostDescribed,
    MergeReview,
    PauseSession,
    Prompt,
    RefuseAttach,
    ReportNow,
    ResetContext,
    ResumeSession,
    SendBack,
    SessionChanged,
    SessionEnded,
    SessionPlaced,
    SessionRefused,
    StartSession,
    SteerPrompt,
    StopSession,
    WakeAtReset,
    WithdrawPrompt,
)
from bot.wire.types import Ending, RunState, SessionId, SessionSpec
from runners import kept
from runners.attach import control
from runners.attach.board import Attachments, Told
from runners.attach.moving import Mover
from runners.attach.placing import open_attached
from runners.config import HostConfig
from runners.errors import RunnerError, disk_problem
from runners.host import offers, opening
from runners.host.restarting import FIRST_REST, Next, Restarts
from runners.host.spawning import Spawner
from runners.lifeline import watch_lifeline
from runners.link.link import Address, Link
from runners.link.spool import Outgoing, Spool, Waiting
from runners.runner import ticket
from runners.runner.daemon import BOT_FILE, on_signals, utc_now
from runners.runner.ticket import Ticket

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at the runners' locks."""
LOOK_AGAIN = 5.0
"""Seconds between two looks at a repository or agent that cannot be used, so that its fix needs no restart."""
DISK_AGAIN = 5.0
"""Seconds between two tries to write down what became of a command."""
PAUSE_WITHIN, KNOWN_WITHIN = 12.0, 20.0
"""Seconds runners get to pause, and the bot to acknowledge what this host offers before it is told again."""


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


class Host:
    """``run`` returns after ``stop``. Runners stay alive unless the options say otherwise."""

    def __init__(self, options: HostOptions, spool: Spool, spawner: Spawner) -> None:
        self._options = options
        self._config = options.config
        self._data = options.data
        self._spool = spool
        self._spawner = spawner
        self._stopping = asyncio.Event()
        self._reserving = asyncio.Lock()
        self._locks: defaultdict[SessionId, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._restarts: defaultdict[str, Restarts] = defaultdict(lambda: Restarts(options.first_rest))
        self._held: tuple[SessionId, ...] = ()
        self._troubles: dict[str, str] = {}
        self._connects = asyncio.Event()
        self._link = Link(
            "host",
            options.config.name,
            lambda: options.address,
            spool,
            sessions=lambda: self._held,
            greeting=self._connects.set,
            give_up_when_refused=True,
        )
        self._attachments = Attachments(
            options.config,
            options.data,
            tell=spool.put,
            connected=self._link.connected.is_set,
            moves=Mover(options.config, spawner, self._locks),
        )

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        bot = self._options.address.bot.encode()
        await asyncio.to_thread(ticket.write_atomic, self._data / BOT_FILE, bot)
        async with control.served(self._data, self._attachments.handle), asyncio.TaskGroup() as tasks:
            jobs = [
                tasks.create_task(job, name=name)
                for name, job in (
                    ("link", self._link.run()),
                    ("describe", self._describe()),
                    ("commands", self._commands(tasks)),
                    ("watch", self._watch()),
                )
            ]
            await self._stopping.wait()
            link, *others = jobs
            for job in others:
                job.cancel()
            await asyncio.wait(others)
            if self._options.stop_runners_on_exit:
                await self._pause_runners()
            link.cancel()

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

    # --- commands ----------------------------------------------------------------------------------------------------

    async def _commands(self, tasks: asyncio.TaskGroup) -> None:
        """Side by side across sessions, in order within one."""
        begun: set[int] = set()
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._link.arrived.clear()
                for waiting in await self._spool.waiting():
                    if waiting.id not in begun:
                        begun.add(waiting.id)
                        task = tasks.create_task(self._do(waiting), name=f"command {waiting.id}")
                        running.add(task)
                        task.add_done_callback(running.discard)
                await self._link.arrived.wait()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)

    async def _do(self, waiting: Waiting) -> None:
        body = codec.command_body(waiting.type, waiting.body)
        match body:
            case StartSession(spec):
                await self._told(lambda: self._start(body, waiting.id), spec.session, waiting.id)
            case StopSession(session):
                await self._told(lambda: self._stop_session(body, waiting.id), session, waiting.id)
            case RefuseAttach(attach, problem):
                self._attachments.taken(attach, Told(problem=problem))
                await self._spool.commit(done=waiting.id)
            case ResumeSession(session=session) if session:
                await self._told(lambda: self._resume(session, waiting.id), session, waiting.id)
            case (
                DeliverAnswer()
                | Prompt()
                | SteerPrompt()
                | WithdrawPrompt()
                | PauseSession()
                | ResumeSession()
                | ResetContext()
                | WakeAtReset()
                | MergeReview()
                | SendBack()
                | ReportNow()
            ):
                log.warning("command.for_a_runner", id=waiting.id, type=waiting.type)
                await self._spool.commit(done=waiting.id)
            case _:
                assert_never(body)

    async def _told(self, do: Callable[[], Coroutine[Any, Any, None]], session: SessionId, done: int) -> None:
        """One command's boundary: whatever goes wrong in it is told to its person, and ends neither host nor others."""
        try:
            async with self._locks[session]:
                await do()
            return
        except RunnerError as err:
            log.warning("session.refused", session=session, problem=err.problem)
            refused = SessionRefused(err.problem, err.fix)
        except OSError as err:
            log.exception("session.refused", session=session)
            problem = disk_problem(err, "try again")
            refused = SessionRefused(problem.problem, problem.fix)
        except Exception as err:
            log.exception("session.refused", session=session)
            words = f"This session's host could not do this: {type(err).__name__}: {err}."
            refused = SessionRefused(words, "Its log says more. Try again, or look at the machine.")
        while True:
            try:
                await self._spool.commit([Outgoing(refused, session)], done=done)
            except sqlite3.Error:
                log.exception("host.spool_not_written", fix="Free some disk space.", again_in=DISK_AGAIN)
                await asyncio.sleep(DISK_AGAIN)
            else:
                return

    async def _start(self, body: StartSession, done: int) -> None:
        spec = body.spec
        folder = self._folder(spec.session)
        log.info("session.start", session=spec.session, repo=spec.repo, agent=spec.agent)
        if await asyncio.to_thread((folder / ticket.TICKET).exists):
            paper = await asyncio.to_thread(ticket.read, folder)  # a crash came between the ticket and our word of it
        elif spec.attach:
            paper = await self._attached(spec)
        else:
            paper = await opening.open_session(self._config, self._data, spec, self._reserving)
        try:
            if await asyncio.to_thread(ticket.holder, folder / ticket.LOCK) is None:
                await self._spawner.start(folder)
        except (RunnerError, OSError) as err:
            # The session is there, and its runner is started again like any that has ended.
            log.warning("runner.not_started", session=spec.session, error=str(err))
        await self._spool.commit([Outgoing(SessionPlaced(paper.place), spec.session)], done=done)
        log.info("session.placed", session=spec.session, branch=paper.place.branch)
        self._attachments.taken(spec.attach, Told(spec.session, spec.name))

    async def _resume(self, session: SessionId, done: int) -> None:
        """Its runner was given up, and is tried again now. It hears itself what it is to take up."""
        self._restarts.pop(session, None)
        if self._folder(session) in await asyncio.to_thread(opening.open_sessions, self._data):
            await self._revive(self._folder(session))
        await self._spool.commit(done=done)

    async def _attached(self, spec: SessionSpec) -> Ticket:
        try:
            return await asyncio.to_thread(open_attached, self._config, self._data, spec)
        except RunnerError as err:
            self._attachments.taken(spec.attach, Told(problem=err.problem, fix=err.fix))
            raise

    async def _stop_session(self, body: StopSession, done: int) -> None:
        """The runner does the stopping, woken or started for it: it alone knows what is open."""
        folder = self._folder(body.session)
        if not await asyncio.to_thread((folder / ticket.TICKET).exists):
            gone = SessionEnded(Ending.STOPPED, branch="", last_words="This session is not known on its host any more.")
            await self._spool.commit([Outgoing(gone, body.session)], done=done)
            return
        await asyncio.to_thread(ticket.ask_to_stop, folder, body)
        pid = await asyncio.to_thread(ticket.holder, folder / ticket.LOCK)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        self._restarts.pop(folder.name, None)
        await self._spool.commit(done=done)

    def _folder(self, session: SessionId) -> Path:
        return self._data / "sessions" / session

    # --- runners -----------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Adopt the living, restart the dead."""
        while True:
            with self._guarded("sessions"):
                folders = await asyncio.to_thread(opening.open_sessions, self._data)
                self._held = tuple(SessionId(folder.name) for folder in folders)
            for session in self._held:
                lock = self._locks[session]
                if not lock.locked():
                    with self._guarded(session):
                        async with lock:
                            await self._revive(self._folder(session))
            await asyncio.sleep(LOOK_EVERY)

    @contextmanager
    def _guarded(self, what: str) -> Iterator[None]:
        """The boundary of one look: its trouble is logged, once, and is no other session's. It is looked at again."""
        try:
            yield
        except Exception as err:
            if self._troubles.get(what) != str(err):
                self._troubles[what] = str(err)
                log.exception("watch.failed", what=what)
        else:
            self._troubles.pop(what, None)

    async def _revive(self, folder: Path) -> None:
        if await asyncio.to_thread(ticket.holder, folder / ticket.LOCK) is not None:
            return
        restarts = self._restarts[folder.name]
        match restarts.next(time.monotonic()):
            case Next.START:
                try:
                    pid = await self._spawner.start(folder)
                    log.info("runner.restarted", session=folder.name, pid=pid)
                except RunnerError as err:
                    log.warning("runner.not_restarted", session=folder.name, error=str(err))
            case Next.GIVE_UP:
                await self._give_up(folder, restarts.rest)
            case Next.WAIT:
                pass

    async def _give_up(self, folder: Path, rest: float) -> None:
        detail = (
            f"Its runner ends again as soon as it is started; {folder / ticket.LOG} on its machine says why. "
            f"It is tried again in {_minutes(rest)} by itself, and takes then what was said here."
        )
        log.error("runner.given_up", session=folder.name)
        session = SessionId(folder.name)
        if await asyncio.to_thread(ticket.stop_asked, folder) is None:
            await self._spool.put(SessionChanged(RunState.FAILED, detail=detail), session)
            return
        # Asked to stop, and no runner that could: its agent ends, everything else stays as it is, and is told.
        if ended := await asyncio.to_thread(kept.end_kept, folder):
            log.warning("session.kept_ended", session=session, pids=ended)
        await self._spool.put(await asyncio.to_thread(_ended_as_it_is, folder, detail), session)
        await asyncio.to_thread(ticket.write_atomic, folder / ticket.ENDED, b"")

    async def _pause_runners(self) -> None:
        pids = await asyncio.to_thread(self._living)
        for pid in pids:
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + PAUSE_WITHIN
        while (left := await asyncio.to_thread(self._living)) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # the kernel's lock of another process rings no bell
        for pid in left:
            _signal(pid, signal.SIGKILL)
        log.info("runners.paused", count=len(pids), killed=len(left))

    def _living(self) -> list[int]:
        found = (ticket.holder(folder / ticket.LOCK) for folder in opening.open_sessions(self._data))
        return [pid for pid in found if pid]


def _ended_as_it_is(folder: Path, why: str) -> SessionEnded:
    try:
        place = ticket.read(folder).place
    except RunnerError as err:
        return SessionEnded(Ending.STOPPED, branch="", last_words=f"{why} {err.problem}")
    return SessionEnded(Ending.STOPPED, place.branch, place.worktree, look=f"cd {place.worktree}", last_words=why)


def _minutes(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    return f"{minutes} minute{'s' if minutes > 1 else ''}" if minutes < 60 else "an hour"


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


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
        await host.run()
        log.info("host.stopped")
