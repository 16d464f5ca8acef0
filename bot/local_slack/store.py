"""The workspace on disk: JSON rows and file contents in SQLite, written by one thread, never on the event loop."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from bot.local_slack.errors import WorkspaceError

Json = dict[str, Any]
T = TypeVar("T")
VERSION = 1
KEEP = """insert into entries (kind, key, value) values (?, ?, ?)
on conflict (kind, key) do update set value = excluded.value"""


class Store:
    """``put`` and ``drop`` are noted at once and reach the disk with the next ``commit``, all together or not at all.

    When ``commit`` returns, everything noted before the call survives the death of the process.
    """

    def __init__(self, db: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._db = db
        self._thread = thread
        self._pending: dict[tuple[str, str], str | bytes | None] = {}
        self._one_at_a_time = asyncio.Lock()
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Store:
        thread = ThreadPoolExecutor(1, thread_name_prefix="workspace-store")
        try:
            db = await asyncio.get_running_loop().run_in_executor(thread, _connect, path)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(db, thread)

    def put(self, kind: str, key: str, value: Json | bytes) -> None:
        self._pending[kind, key] = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False)

    def drop(self, kind: str, key: str) -> None:
        self._pending[kind, key] = None

    async def commit(self) -> None:
        # Whoever waits here finds, once let in, that the one before took its rows along: a group commit.
        async with self._one_at_a_time:
            batch, self._pending = self._pending, {}
            if not batch:
                return
            try:
                await self._run(lambda: _write(self._db, batch))
            except sqlite3.Error:
                self._pending = batch | self._pending
                raise

    async def rows(self) -> list[tuple[str, str, Json]]:
        """Every JSON row as (kind, key, value); file contents are read one at a time with ``blob``."""

        def read() -> list[tuple[str, str, Json]]:
            query = "select kind, key, value from entries where typeof(value) = 'text' order by place"
            return [(kind, key, json.loads(value)) for kind, key, value in self._db.execute(query)]

        return await self._run(read)

    async def blob(self, kind: str, key: str) -> bytes | None:
        def read() -> bytes | None:
            row = self._db.execute("select value from entries where kind = ? and key = ?", (kind, key)).fetchone()
            return None if row is None else bytes(row[0])

        return await self._run(read)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self.commit()
        finally:
            await self._run(self._db.close)
            self._thread.shutdown(wait=False)  # It has nothing left to do; waiting would hold up the loop.

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # It holds tokens and what people write.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    found = db.execute("pragma user_version").fetchone()[0]
    if found > VERSION:
        db.close()
        raise WorkspaceError(f"{path} was written by a newer version ({found} > {VERSION}): use that one, or delete it")
    # ``place`` keeps the order in which things first came, however often they change.
    db.execute(
        "create table if not exists entries (place integer primary key, kind text, key text, value, unique (kind, key))"
    )
    db.execute(f"pragma user_version = {VERSION}")
    return db


def _write(db: sqlite3.Connection, batch: dict[tuple[str, str], str | bytes | None]) -> None:
    db.execute("begin immediate")
    try:
        for (kind, key), value in batch.items():
            if value is None:
                db.execute("delete from entries where kind = ? and key = ?", (kind, key))
            else:
                db.execute(KEEP, (kind, key, value))
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")
