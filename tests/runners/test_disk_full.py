"""A disk that is really full: what happened last is told, all else waits in its order, and goes on by itself."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    Progressed,
    Prompt,
    QuestionWithdrawn,
    SessionRefused,
    StartSession,
)
from bot.wire.types import ALLOW, Answer, QuestionId, RunState, SessionId
from runners.kept import end_kept, kept
from runners.link.spool import Spool
from tests.runners.board import ANA, Board, running
from tests.runners.places import HOST, HOST_TOKEN, spec
from tests.runners.scene import RUNNER, S
from tests.runners.test_given_up import FAKE
from tests.runners.test_host import Machine, changed, started
from tests.runners.test_host_trouble import host_here


class Disk:
    """A small one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def fill(self) -> None:
        with contextlib.suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def free(self) -> None:
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "data"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only who may mount a file system has a disk that is full")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


def said(number: int) -> QuestionWithdrawn:
    return QuestionWithdrawn(QuestionId(f"s.q{number}"), "x" * 3000)


async def test_what_a_full_disk_has_no_room_for_waits_in_its_order(disk: Disk) -> None:
    async with Spool(disk.folder / "spool.db", lambda: datetime(2026, 11, 24, tzinfo=UTC)) as spool:
        await spool.put(said(1))
        disk.fill()
        count = 1
        while not spool.full:  # what a file has beyond its end is used up first
            await spool.put(said(count := count + 1))  # the reserve makes room for it
        while True:
            disk.fill()
            written = spool.put(said(count := count + 1))
            if not (await asyncio.wait({written}, timeout=0.5))[0]:
                break
        assert len(await spool.after(0, 1000)) == count - 1  # what is on it can be read and sent
        with pytest.raises(sqlite3.OperationalError, match="full"):
            await spool.accept(1, "prompt", b"{}")
        await spool.acked(1)
        last = spool.put(said(count + 1))
        disk.free()
        await written
        await last
        assert [event.seq for event in await spool.after(0, 1000)][-3:] == [count - 1, count, count + 1]
        while spool.full:
            await spool.newer(spool.version)
        assert await spool.accept(1, "prompt", b"{}") is None


@pytest.fixture
def machine(tmp_path: Path, disk: Disk) -> Iterator[Machine]:
    found = Machine(tmp_path)
    command = json.dumps([sys.executable, str(FAKE)])
    env = f'XDG_STATE_HOME = "{tmp_path}", XDG_RUNTIME_DIR = "{tmp_path}"'
    found.configure(more=f'[agents.outliving]\nadapter = "claude"\ncommand = {command}\nenv = {{ {env} }}')
    yield found
    if pid := found.runner():
        os.kill(pid, signal.SIGKILL)  # it was started by this test
    end_kept(found.data / "sessions" / S)


async def test_a_question_on_a_full_disk_is_asked_told_and_answered_by_the_same_processes(
    machine: Machine, disk: Disk
) -> None:
    board = Board(tokens={HOST_TOKEN: HOST})
    async with running(board) as bot, host_here(machine, bot):
        await started(board, agent="outliving")
        await changed(board, RunState.STOPPED)
        await board.tell(RUNNER, Prompt(f"later {machine.folder}/go", ANA))
        await changed(board, RunState.WORKING, 2)
        runner, agents = machine.runner(), kept(disk.folder / "sessions" / S)
        disk.fill()
        (machine.folder / "go").touch()
        question = (await board.heard(Asked)).question
        while "disk of its machine is full" not in board.all(Progressed)[-1].snapshot.trouble:
            await board.heard(Progressed, len(board.all(Progressed)) + 1)
        disk.fill()
        other = SessionId("s0000002a")
        await board.tell(HOST, StartSession(spec(board, "playback", "x", session=other, name="other")))
        refused = await board.heard(SessionRefused)
        assert "No space is left" in refused.problem
        await board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        disk.free()
        assert (await board.heard(AnswerApplied)).applied
        assert "r0: allow" in (await changed(board, RunState.STOPPED, 2)).last_words
        while board.all(Progressed)[-1].snapshot.trouble:
            await board.heard(Progressed, len(board.all(Progressed)) + 1)
        assert (machine.runner(), kept(disk.folder / "sessions" / S)) == (runner, agents)
        assert len(board.all(Asked)) == 1
