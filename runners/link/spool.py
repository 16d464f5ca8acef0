"""The durable memory of one peer: events not yet acknowledged, commands not yet done, its state. SQLite, one thread.

Every change is one transaction on one writer thread, in the order asked for; nothing here runs on the event loop.
"""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import structlog
from msgspec import Raw

from bot.wire.messages import Event, EventBody, HostDescribed, Progressed
from bot.wire.types import SessionId
from runners.errors import RunnerError
from runners.link import fitting
from runners.link.patience import Patient, is_full

log = structlog.get_logger()

T = TypeVar("T")

SCHEMA = 1
RESERVE = "reserve"
"""The file beside it that makes room when the disk is full."""
WHOLE_STATE = (Progressed.type, HostDescribed.type)
"""Events of which only the newest counts: a peer cut off for a week keeps one of each, not thousands."""
_TABLES = """
create table events (seq integer primary key, type text not null, at text not null, session text, body blob not null);
create table commands (id integer primary key, type text not null, body blob not null, problem text not null,
                       done integer not null);
create table state (key text primary key, value blob not null);
"""


class Waiting(NamedTuple):
    """A command that is on disk and not yet done."""

    id: int
    type: str
    body: bytes


class Outgoing(NamedTuple):
    body: EventBody
    session: SessionId | None = None


class Spool:
    """Survives kill -9: what a method's future has reported done is on disk. ``version`` rises with each change."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path = path
        self._clock = clock
        self._pending: set[asyncio.Future[None]] = set()
        self.version = 0
        self._changed = asyncio.Event()
        self.epoch = ""
        self.last_seq = 0
        self.failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        self._thread = Patient(self._path.with_name(RESERVE), self._fullness_changed)
        self.epoch, self.last_seq = await self._thread.ask(self._open, waits=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._thread.close(self._close)

    @property
    def full(self) -> str:
        """What the disk says while it is full: writes wait, in their order, until there is space again."""
        return self._thread.full

    def _fullness_changed(self) -> None:
        log.warning("spool.disk", path=str(self._path), full=self.full or "there is space again")
        self._bump()

    # --- writing -----------------------------------------------------------------------------------------------------

    def commit(
        self, events: Sequence[Outgoing] = (), keep: Mapping[str, bytes] | None = None, done: int | None = None
    ) -> asyncio.Future[None]:
        """One transaction: events to send, state to keep, a command finished. Ordered by the time of the call.

        Not awaiting the result is fine: a failed write ends the process by way of ``failure``. A full disk is no
        failure: it is waited out.
        """
        now = self._clock()
        rows = []
        for body, session in events:
            self.last_seq += 1
            rows.append((self.last_seq, body.type, now.isoformat(), session, fitting.body_bytes(body)))
        # Handed to the thread here and now, not by a task later: that is what keeps the order.
        future = self._thread.ask(lambda: self._write(rows, dict(keep or {}), done))
        self._pending.add(future)
        future.add_done_callback(self._written)
        return future

    def _written(self, future: asyncio.Future[None]) -> None:
        self._pending.discard(future)
        if not future.cancelled() and (err := future.exception()):
            self.failure = err
        self._bump()

    def put(self, body: EventBody, session: SessionId | None = None) -> asyncio.Future[None]:
        """Spool one event."""
        return self.commit([Outgoing(body, session)])

    async def accept(self, command_id: int, kind: str, body: bytes, problem: str = "") -> str | None:
        """Persist a command before its acknowledgement. Returns None when new, else the problem it was given then.

        Raises sqlite3.Error for a full disk: the bot keeps the command and sends it again.
        """
        return await self._thread.ask(lambda: self._accept(command_id, kind, body, problem), waits=False)

    async def acked(self, seq: int) -> None:
        """The bot has everything up to ``seq``."""
        try:
            await self._thread.ask(lambda: self._execute("delete from events where seq <= ?", (seq,)), waits=False)
        except sqlite3.Error as err:
            if not is_full(err):
                raise  # else the next welcome says it again
        self._bump()

    def _bump(self) -> None:
        self.version += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def newer(self, version: int) -> None:
        """Wait for a change after ``version``; any number of tasks may."""
        while self.version <= version:
            await self._changed.wait()

    # --- reading -----------------------------------------------------------------------------------------------------

    async def after(self, seq: int, limit: int = 100) -> list[Event]:
        """Events newer than ``seq``, oldest first."""
        return await self._thread.ask(lambda: self._after(seq, limit), waits=False)

    async def unsent(self) -> int:
        """How many events the bot has not acknowledged."""
        rows = await self._run(lambda: self._select("select count(*) from events", ()))
        return int(rows[0][0])

    async def waiting(self) -> list[Waiting]:
        """Commands accepted and not done, in order."""
        rows = await self._run(
            lambda: self._select("select id, type, body from commands where not done order by id", ())
        )
        return [Waiting(*row) for row in rows]

    async def state(self, key: str) -> bytes | None:
        rows = await self._run(lambda: self._select("select value from state where key = ?", (key,)))
        return rows[0][0] if rows else None

    # --- on the thread -----------------------------------------------------------------------------------------------

    async def _run(self, work: Callable[[], T]) -> T:
        return await self._thread.ask(work)

    def _open(self) -> tuple[str, int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        self._db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        found = self._db.execute("pragma user_version").fetchone()[0]
        if found > SCHEMA:
            raise RunnerError(f"{self._path} was written by a newer Switchboard.", "Update this one.")
        if found == 0:
            self._db.executescript(f"begin; {_TABLES} pragma user_version = {SCHEMA}; commit;")
            self._keep({"epoch": secrets.token_hex(8).encode(), "last_seq": b"0"})
        epoch, last = (
            self._select("select value from state where key = ?", (key,))[0][0] for key in ("epoch", "last_seq")
        )
        self._thread.hold_reserve()
        return epoch.decode(), int(last)

    def _close(self) -> None:
        if hasattr(self, "_db"):
            self._db.close()

    def _execute(self, sql: str, args: tuple[object, ...]) -> None:
        self._db.execute(sql, args)

    def _select(self, sql: str, args: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, args).fetchall()

    def _keep(self, values: Mapping[str, bytes]) -> None:
        self._db.executemany("insert or replace into state values (?, ?)", values.items())

    def _write(self, rows: Sequence[tuple[object, ...]], keep: dict[str, bytes], done: int | None) -> None:
        self._db.execute("begin immediate")
        try:
            for row in rows:
                if row[1] in WHOLE_STATE:
                    self._db.execute("delete from events where type = ? and session is ?", (row[1], row[3]))
                self._db.execute("insert into events values (?, ?, ?, ?, ?)", row)
                keep["last_seq"] = str(row[0]).encode()
            self._keep(keep)
            if done is not None:
                # The newest row stays as the high-water mark that makes a repeated command harmless.
                self._db.execute("update commands set done = 1 where id = ?", (done,))
                self._db.execute("delete from commands where done and id < (select max(id) from commands)")
            self._db.execute("commit")
        except BaseException:
            if self._db.in_transaction:  # SQLite itself takes back what a full disk has no room for
                self._db.execute("rollback")
            raise

    def _accept(self, command_id: int, kind: str, body: bytes, problem: str) -> str | None:
        newest = self._db.execute("select max(id) from commands").fetchone()[0]
        if newest is not None and command_id <= newest:
            row = self._db.execute("select problem from commands where id = ?", (command_id,)).fetchone()
            return row[0] if row else ""
        self._db.execute(
            "insert into commands values (?, ?, ?, ?, ?)", (command_id, kind, body, problem, 1 if problem else 0)
        )
        return None

    def _after(self, seq: int, limit: int) -> list[Event]:
        sql = "select seq, type, at, session, body from events where seq > ? order by seq limit ?"
        return [
            Event(seq=row[0], type=row[1], at=datetime.fromisoformat(row[2]), session=row[3], body=Raw(row[4]))
            for row in self._db.execute(sql, (seq, limit))
        ]
