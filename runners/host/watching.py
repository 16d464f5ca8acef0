"""The runners of a host's open sessions: adopts the living, restarts the dead, pauses them all when it is told so."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from bot.wire.messages import EventBody, SessionChanged, SessionEnded
from bot.wire.types import Ending, RunState, SessionId
from runners import files, kept
from runners.errors import RunnerError
from runners.host import opening
from runners.host.restarting import Next, Restarts
from runners.host.spawning import Spawner
from runners.runner import ticket

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at the runners' locks."""
PAUSE_WITHIN = 12.0
"""Seconds runners get to pause."""


class Runners:
    """``locks`` are the host's, one a session: no runner is restarted while its session is opened, stopped or moved."""

    def __init__(
        self,
        data: Path,
        spawner: Spawner,
        locks: defaultdict[SessionId, asyncio.Lock],
        tell: Callable[[EventBody, SessionId], Awaitable[None]],
        first_rest: float,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._data = data
        self._spawner = spawner
        self._locks = locks
        self._tell = tell
        self._look_every = look_every
        self._restarts: defaultdict[str, Restarts] = defaultdict(lambda: Restarts(first_rest))
        self._troubles: dict[str, str] = {}
        self.held: tuple[SessionId, ...] = ()
        """The sessions that were open at the last look."""

    def forgive(self, session: SessionId) -> None:
        """However often its runner ended: it is started at the next look."""
        self._restarts.pop(session, None)

    async def try_again(self, session: SessionId) -> None:
        """A runner that was given up, if its session is open; with the session's lock in hand."""
        self.forgive(session)
        folder = self._data / "sessions" / session
        if folder in await asyncio.to_thread(opening.open_sessions, self._data):
            await self._revive(folder)

    async def watch(self) -> None:
        """Adopt the living, restart the dead."""
        while True:
            with self._guarded("sessions"):
                folders = await asyncio.to_thread(opening.open_sessions, self._data)
                self.held = tuple(SessionId(folder.name) for folder in folders)
            for session in self.held:
                lock = self._locks[session]
                if not lock.locked():
                    with self._guarded(session):
                        async with lock:
                            await self._revive(self._data / "sessions" / session)
            await asyncio.sleep(self._look_every)

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
        if await asyncio.to_thread(ticket.holder, folder / files.LOCK) is not None:
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
            f"Its runner ends again as soon as it is started; {folder / files.LOG} on its machine says why. "
            f"It is tried again in {_minutes(rest)} by itself, and takes then what was said here."
        )
        log.error("runner.given_up", session=folder.name)
        session = SessionId(folder.name)
        if await asyncio.to_thread(ticket.stop_asked, folder) is None:
            await self._tell(SessionChanged(RunState.FAILED, detail=detail), session)
            return
        # Asked to stop, and no runner that could: its agent ends, everything else stays as it is, and is told.
        if ended := await asyncio.to_thread(kept.end_kept, folder):
            log.warning("session.kept_ended", session=session, pids=ended)
        await self._tell(await asyncio.to_thread(_ended_as_it_is, folder, detail), session)
        await asyncio.to_thread(files.write_atomic, folder / files.ENDED, b"")

    async def pause(self) -> None:
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
        found = (ticket.holder(folder / files.LOCK) for folder in opening.open_sessions(self._data))
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
