"""The spool keeps what it was given, through kill -9, in order and once."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.wire.messages import AnswerApplied, Progressed, QuestionWithdrawn
from bot.wire.types import QuestionId, SessionId, Snapshot
from runners.errors import RunnerError
from runners.link.spool import Spool

AT = datetime(2026, 11, 23, tzinfo=UTC)


def spool(path: Path) -> Spool:
    return Spool(path, lambda: AT)


def said(number: int) -> QuestionWithdrawn:
    return QuestionWithdrawn(QuestionId(f"s.q{number}"), "moved on")


async def test_events_are_kept_in_order_until_they_are_acknowledged(tmp_path: Path) -> None:
    async with spool(tmp_path / "spool.db") as first:
        for number in range(5):
            first.put(said(number), SessionId("s"))
        epoch = first.epoch
    async with spool(tmp_path / "spool.db") as second:
        assert second.epoch == epoch
        assert second.last_seq == 5
        assert [event.seq for event in await second.after(0)] == [1, 2, 3, 4, 5]
        await second.acked(3)
        assert [event.seq for event in await second.after(0)] == [4, 5]
        assert await second.unsent() == 2
        await second.acked(5)
        await second.put(said(9))
        assert [event.seq for event in await second.after(0)] == [6]


async def test_only_the_newest_snapshot_of_a_session_is_kept(tmp_path: Path) -> None:
    one, two = SessionId("s1"), SessionId("s2")
    async with spool(tmp_path / "spool.db") as kept:
        for number in range(100):
            kept.put(Progressed(Snapshot(AT, line=str(number))), one)
        kept.put(said(1), one)
        await kept.put(Progressed(Snapshot(AT)), two)
        assert [(event.seq, event.type) for event in await kept.after(0)] == [
            (100, "progress"), (101, "question.withdrawn"), (102, "progress"),
        ]  # fmt: skip


async def test_a_command_is_taken_once_and_done_once(tmp_path: Path) -> None:
    async with spool(tmp_path / "spool.db") as first:
        assert await first.accept(4, "prompt", b"{}") is None
        assert await first.accept(5, "dance", b"{}", "unknown command type 'dance'") is None
        assert await first.accept(4, "prompt", b"{}") == ""
        assert [waiting.id for waiting in await first.waiting()] == [4]
        await first.commit([], {"session": b"new"}, done=4)
    async with spool(tmp_path / "spool.db") as second:
        assert await second.waiting() == []
        assert await second.accept(4, "prompt", b"{}") == ""
        assert await second.accept(5, "dance", b"{}") == "unknown command type 'dance'"
        assert await second.state("session") == b"new"
        assert await second.accept(6, "prompt", b"{}") is None


async def test_what_is_reported_written_survives_a_kill(tmp_path: Path) -> None:
    script = f"""
import asyncio, pathlib
from tests.runners.test_spool import spool, said
async def main():
    async with spool(pathlib.Path({str(tmp_path / "spool.db")!r})) as kept:
        for number in range(10_000):
            await kept.commit([], {{"n": str(number).encode()}})
            await kept.put(said(number))
            print(number, flush=True)
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    reported = -1
    while reported < 50:
        reported = int(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    rest = (await process.stdout.read()).split()
    await process.wait()
    reported = int(rest[-1]) if rest else reported
    async with spool(tmp_path / "spool.db") as kept:
        events = await kept.after(0, 20_000)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert len(events) >= reported + 1
        assert kept.last_seq == len(events)


async def test_state_and_events_are_one_transaction(tmp_path: Path) -> None:
    async with spool(tmp_path / "spool.db") as kept:
        bad = kept.commit([], {"session": b"x", "other": object()})  # type: ignore[dict-item]
        with pytest.raises(sqlite3.Error):
            await bad
        assert await kept.state("session") is None
        assert kept.failure is not None
        await kept.put(AnswerApplied(QuestionId("q"), applied=True))
        assert await kept.unsent() == 1


async def test_a_newer_spool_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "spool.db") as db:
        db.execute("pragma user_version = 99")
    db.close()
    with pytest.raises(RunnerError, match="newer Switchboard"):
        async with spool(tmp_path / "spool.db"):
            pass
