"""One thread that works in the order it is asked to. What a full disk refuses waits, and all that comes after it."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

RESERVE = 256 * 1024
"""Bytes held for the day when the disk is full: what happened last, and that it is full, can still be told."""
AGAIN = 2.0
"""Seconds between two looks whether there is space again."""
_FULL = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR_WRITE,  # a quota, or the largest size that a file may have
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}


def is_full(err: BaseException) -> bool:
    return isinstance(err, sqlite3.Error) and getattr(err, "sqlite_errorcode", 0) in _FULL


@dataclass(frozen=True)
class _Job:
    work: Callable[[], Any]
    future: asyncio.Future[Any]
    waits: bool


class Patient:
    """``changed`` is called on the loop when ``full`` says something else than before."""

    def __init__(self, reserve: Path, changed: Callable[[], None]) -> None:
        self._reserve = reserve
        self._changed = changed
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._stuck: deque[_Job] = deque()
        self._loop = asyncio.get_running_loop()
        self.full = ""
        """What the disk says, while it has no room for everything; else empty."""

    def ask(self, work: Callable[[], T], *, waits: bool = True) -> asyncio.Future[T]:
        """``waits``: in its turn, however long that takes. Else now, and a full disk's refusal is raised."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._thread.submit(self._do, _Job(work, future, waits))
        return future

    async def close(self, last: Callable[[], None]) -> None:
        """What is still stuck is given up: nobody was told that it is on disk."""
        self.full = ""
        await asyncio.shield(self.ask(last, waits=False))
        await asyncio.shield(self.ask(lambda: self._reserve.unlink(missing_ok=True), waits=False))
        self._thread.shutdown(wait=False)
        for job in self._stuck:
            job.future.cancel()

    # --- on the thread -----------------------------------------------------------------------------------------------

    def hold_reserve(self) -> bool:
        """Whether it is there."""
        if self._reserve.exists():
            return True
        try:
            self._reserve.touch(mode=0o600)
            self._reserve.write_bytes(os.urandom(RESERVE))  # nothing that a file system could make smaller
        except OSError:
            with suppress(OSError):
                self._reserve.unlink()
            return False
        return True

    def _do(self, job: _Job) -> None:
        if (job.waits and self._stuck) or not self._done(job):
            self._stuck.append(job)

    def _done(self, job: _Job) -> bool:
        """False: it has to wait."""
        try:
            result = self._spending(job.work)
        except BaseException as err:  # noqa: BLE001  (handed to whoever waits for it)
            if job.waits and is_full(err):
                return False
            self._on_loop(_fail, job.future, err)
        else:
            self._on_loop(_finish, job.future, result)
        return True

    def _spending(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except sqlite3.Error as err:
            if not is_full(err):
                raise
            self._on_loop(self._told, str(err))
            if not self._reserve.exists():
                raise
            self._reserve.unlink()
            return work()

    def _try_again(self) -> None:
        while self._stuck and self._done(self._stuck[0]):
            self._stuck.popleft()
        room = not self._stuck and self.hold_reserve()
        self._on_loop(self._looked, room)

    def _on_loop(self, call: Callable[..., None], *args: object) -> None:
        self._loop.call_soon_threadsafe(call, *args)

    # --- on the loop -------------------------------------------------------------------------------------------------

    def _told(self, words: str) -> None:
        if not self.full:
            self.full = words
            self._look_later()
            self._changed()

    def _looked(self, room: bool) -> None:
        if room and self.full:
            self.full = ""
            self._changed()
        elif self.full:
            self._look_later()

    def _look_later(self) -> None:
        self._loop.call_later(AGAIN, self._look)

    def _look(self) -> None:
        if self.full:
            self._thread.submit(self._try_again)


def _finish(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[Any], err: BaseException) -> None:
    if not future.done():
        future.set_exception(err)
