"""What a host does with its commands: side by side across sessions, in order within one."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_never

import structlog

from bot.wire import codec
from bot.wire.messages import (
    DeliverAnswer,
    MergeReview,
    PauseSession,
    Prompt,
    RefuseAttach,
    ReportNow,
    ResetContext,
    ResumeSession,
    SendBack,
    SessionEnded,
    SessionPlaced,
    SessionRefused,
    StartSession,
    SteerPrompt,
    StopSession,
    WakeAtReset,
    WithdrawPrompt,
)
from bot.wire.types import Ending, SessionId, SessionSpec
from runners import files
from runners.attach.board import Attachments, Told
from runners.attach.placing import open_attached
from runners.config import HostConfig
from runners.errors import RunnerError, WorktreeProblem, disk_problem
from runners.host import opening
from runners.host.spawning import Spawner
from runners.host.watching import Runners
from runners.link.spool import Outgoing, Spool, Waiting
from runners.runner import ticket
from runners.runner.ticket import Ticket

log = structlog.get_logger()

DISK_AGAIN = 5.0
"""Seconds between two tries to write down what became of a command."""


class Commands:
    """``arrived`` rings when the link has put a command into the spool."""

    def __init__(
        self,
        config: HostConfig,
        data: Path,
        spool: Spool,
        arrived: asyncio.Event,
        spawner: Spawner,
        runners: Runners,
        attachments: Attachments,
        locks: defaultdict[SessionId, asyncio.Lock],
    ) -> None:
        self._config = config
        self._data = data
        self._spool = spool
        self._arrived = arrived
        self._spawner = spawner
        self._runners = runners
        self._attachments = attachments
        self._locks = locks
        self._reserving = asyncio.Lock()

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        begun: set[int] = set()
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._arrived.clear()
                for waiting in await self._spool.waiting():
                    if waiting.id not in begun:
                        begun.add(waiting.id)
                        task = tasks.create_task(self._do(waiting), name=f"command {waiting.id}")
                        running.add(task)
                        task.add_done_callback(running.discard)
                await self._arrived.wait()
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
        if await asyncio.to_thread((folder / files.TICKET).exists):
            paper = await asyncio.to_thread(ticket.read, folder)  # a crash came between the ticket and our word of it
        elif self._spool.full:
            problem = f"No space is left on the disk of this session's host ({self._data})."
            raise WorktreeProblem(problem, "Free some there, then start the session again.")
        elif spec.attach:
            paper = await self._attached(spec)
        else:
            paper = await opening.open_session(self._config, self._data, spec, self._reserving)
        try:
            if await asyncio.to_thread(ticket.holder, folder / files.LOCK) is None:
                await self._spawner.start(folder)
        except (RunnerError, OSError) as err:
            # The session is there, and its runner is started again like any that has ended.
            log.warning("runner.not_started", session=spec.session, error=str(err))
        await self._spool.commit([Outgoing(SessionPlaced(paper.place), spec.session)], done=done)
        log.info("session.placed", session=spec.session, branch=paper.place.branch)
        self._attachments.taken(spec.attach, Told(spec.session, spec.name))

    async def _resume(self, session: SessionId, done: int) -> None:
        """Its runner was given up, and is tried again now. It hears itself what it is to take up."""
        await self._runners.try_again(session)
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
        if not await asyncio.to_thread((folder / files.TICKET).exists):
            gone = SessionEnded(Ending.STOPPED, branch="", last_words="This session is not known on its host any more.")
            await self._spool.commit([Outgoing(gone, body.session)], done=done)
            return
        await asyncio.to_thread(ticket.ask_to_stop, folder, body)
        pid = await asyncio.to_thread(ticket.holder, folder / files.LOCK)
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGUSR1)
        self._runners.forgive(body.session)
        await self._spool.commit(done=done)

    def _folder(self, session: SessionId) -> Path:
        return self._data / "sessions" / session
