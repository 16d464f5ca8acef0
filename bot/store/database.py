"""One SQLite file: one writer thread with group commit, one reader thread, and never a statement on the event loop."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

import structlog

from bot.errors import StoreClosed, StoreError
from bot.store import migrations
from bot.store.bells import Bells

log = structlog.get_logger()
T = TypeVar("T")

MAX_BATCH = 256
"""Transaction functions in one commit at most: bounds how long the first of them waits."""


class Tx:
    """What a transaction function works with. Bells rung here sound only once the commit is on disk."""

    __slots__ = ("_db", "rings")

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.rings: set[str] = set()

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Returns the number of rows changed."""
        return self._db.execute(sql, values).rowcount

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self._db.executemany(sql, rows)

    def insert(self, table: str, row: dict[str, object]) -> int:
        """Returns the new row's id. Names come from this package's code, never from outside."""
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        cursor = self._db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
        return cursor.lastrowid or 0

    def update(self, table: str, key: str, value: object, changes: dict[str, object]) -> int:
        names = ", ".join(f"{name} = ?" for name in changes)
        return self.run(f"UPDATE {table} SET {names} WHERE {key} = ?", *changes.values(), value)  # noqa: S608

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What raises inside is undone alone; the rest of the transaction goes on. Do not nest."""
        self._db.execute("SAVEPOINT apart")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK TO apart")
                self._db.execute("RELEASE apart")
            raise
        self._db.execute("RELEASE apart")

    def ring(self, bell: str) -> None:
        self.rings.add(bell)


class _Job:
    __slots__ = ("error", "future", "result", "rings", "work")

    def __init__(self, work: Callable[[Tx], Any], future: asyncio.Future[Any]) -> None:
        self.work = work
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None
        self.rings: set[str] = set()


class Database:
    """An async context manager; or open with ``await Database.open(path)``.

    ``write`` runs a function in a transaction of its own and returns once it is on disk. Functions queued at the same
    time share one commit; one that raises is rolled back alone. Writes are done in the order in which they were asked
    for. ``read`` sees every write that had returned before it. ``close`` finishes what is queued and may be repeated.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.bells = Bells()
        self._loop: asyncio.AbstractEventLoop
        self._writes: SimpleQueue[_Job | None] = SimpleQueue()
        self._reads: SimpleQueue[_Job | None] = SimpleQueue()
        self._closing = False
        self._ended: list[asyncio.Future[None]] = []

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Creates folder (0700) and file (0600), migrates. Raises SchemaTooNew, or StoreError naming the file."""
        db = cls(path)
        await db.start()
        return db

    async def start(self) -> None:
        """Once; entering the context does it too."""
        if not self._ended:
            self._loop = asyncio.get_running_loop()
            await self._start("store-writer", self._write_loop)
            await self._start("store-reader", self._read_loop)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self._ask(self._writes, work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self._ask(self._reads, work)

    async def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._writes.put(None)
            self._reads.put(None)
        for ended in self._ended:
            await asyncio.shield(ended)

    # --- on the event loop ------------------------------------------------------------------------------------------

    async def _ask(self, queue: SimpleQueue[_Job | None], work: Callable[[Tx], T]) -> T:
        if self._closing:
            raise StoreClosed("the database is closed: the bot is shutting down")
        future: asyncio.Future[T] = self._loop.create_future()
        queue.put(_Job(work, future))
        return await future

    async def _start(self, name: str, run: Callable[[asyncio.Future[None]], None]) -> None:
        ready: asyncio.Future[None] = self._loop.create_future()
        ended: asyncio.Future[None] = self._loop.create_future()

        def main() -> None:
            try:
                run(ready)
            except BaseException as err:  # noqa: BLE001  a thread's edge: whoever waits is told, nothing is swallowed
                self._call(self._fail, ready, _translated(err, self.path))
            finally:
                self._call(self._finish, ended)

        # A plain thread starts at once and never blocks the loop; joining is by future.
        threading.Thread(target=main, name=name, daemon=True).start()
        self._ended.append(ended)
        try:
            await ready
        except BaseException:
            self._closing = True
            raise

    def _call(self, function: Callable[..., None], *values: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *values)

    @staticmethod
    def _fail(future: asyncio.Future[None], error: BaseException) -> None:
        if not future.done():
            future.set_exception(error)

    @staticmethod
    def _finish(future: asyncio.Future[None]) -> None:
        if not future.done():
            future.set_result(None)

    def _settle(self, jobs: Sequence[_Job]) -> None:
        rings: set[str] = set()
        for job in jobs:
            rings |= job.rings
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)
        self.bells.ring(rings)

    # --- on the threads ---------------------------------------------------------------------------------------------

    def _write_loop(self, ready: asyncio.Future[None]) -> None:
        migrations.migrate(_prepared(self.path))
        db = _connect(self.path)
        try:
            self._call(self._finish, ready)
            while batch := self._next_batch():
                self._commit(db, batch)
                self._call(self._settle, batch)
        finally:
            db.close()

    def _next_batch(self) -> list[_Job]:
        first = self._writes.get()
        if first is None:
            return []
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                job = self._writes.get_nowait()
            except Empty:
                break
            if job is None:
                self._writes.put(None)  # the end comes after this batch
                break
            batch.append(job)
        return batch

    def _commit(self, db: sqlite3.Connection, batch: Sequence[_Job]) -> None:
        try:
            db.execute("BEGIN IMMEDIATE")
            for job in batch:
                self._run(db, job)
            db.execute("COMMIT")
        except sqlite3.Error as err:
            if db.in_transaction:
                db.execute("ROLLBACK")
            log.exception("store.commit_failed", path=str(self.path), writes=len(batch), error=str(err))
            for job in batch:
                job.error, job.rings = _translated(err, self.path), set()

    def _run(self, db: sqlite3.Connection, job: _Job) -> None:
        """One function in its own savepoint. A full disk may end the whole transaction: then the batch ends."""
        tx = Tx(db)
        db.execute("SAVEPOINT job")
        try:
            job.result = job.work(tx)
            job.rings = tx.rings
        except BaseException as err:
            job.error = _translated(err, self.path)
            if not db.in_transaction:
                raise sqlite3.OperationalError(str(err)) from err
            db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")

    def _read_loop(self, ready: asyncio.Future[None]) -> None:
        db = _connect(self.path)
        db.execute("PRAGMA query_only = ON")
        try:
            self._call(self._finish, ready)
            while (job := self._reads.get()) is not None:
                try:
                    db.execute("BEGIN")
                    job.result = job.work(Tx(db))
                except BaseException as err:  # noqa: BLE001  handed to whoever asked, who sees it raised
                    job.error = _translated(err, self.path)
                finally:
                    if db.in_transaction:
                        db.execute("COMMIT")
                self._call(self._settle, (job,))
        finally:
            db.close()


def _translated(error: BaseException, path: Path) -> BaseException:
    """Foreign errors become ours once, here."""
    if isinstance(error, (sqlite3.Error, OSError)):
        return StoreError(f"the database {path} cannot be used: {error}; check the disk and the file's owner")
    return error


def _prepared(path: Path) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return path


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, cached_statements=512, timeout=10)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = OFF", "temp_store = MEMORY"):
        db.execute(f"PRAGMA {pragma}")
    return db
