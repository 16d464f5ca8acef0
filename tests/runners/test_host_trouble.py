"""A host's machine in trouble: what its disk refuses ends no host, and is told to the person who waits."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    HostDescribed,
    SessionChanged,
    SessionPlaced,
    SessionRefused,
    StartSession,
    StopSession,
)
from bot.wire.types import RunState, SessionId, Share
from runners import config, files
from runners.host.host import Host, HostOptions
from runners.host.spawning import Spawner
from runners.link.link import Address
from runners.link.spool import Spool
from runners.repo import git
from runners.runner import ticket
from runners.runner.daemon import utc_now
from tests.runners.board import ANA, Board, Running, running
from tests.runners.places import HOST, HOST_TOKEN, spec
from tests.runners.scene import CHOICE, S
from tests.runners.test_host import Machine, answered, changed, started

OTHER = SessionId("s0000002a")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    found.script(CHOICE)
    yield found
    for folder in (found.data / "sessions").glob("*"):
        if folder.is_dir() and (pid := ticket.holder(folder / files.LOCK)):
            os.kill(pid, signal.SIGKILL)  # each of these was started by this test


@pytest.fixture
def board() -> Board:
    return Board(tokens={HOST_TOKEN: HOST})


async def test_worktrees_below_a_file_refuse_the_session_and_end_no_host(machine: Machine, board: Board) -> None:
    (machine.folder / "file").write_text("x")
    trees = machine.folder / "file" / "trees"
    machine.toml.write_text(machine.toml.read_text().replace("[host]\n", f'[host]\nworktrees = "{trees}"\n'))
    async with running(board) as bot, machine.host(bot) as process:
        await board.tell(HOST, StartSession(spec(board, "playback", "Add search")))
        refused = await board.heard(SessionRefused)
        assert str(machine.folder / "file") in refused.problem
        assert "Not a directory" in refused.problem
        assert refused.fix
        await board.tell(HOST, StartSession(spec(board, "playback", "x", session=OTHER, name="other")))
        await board.heard(SessionRefused, session=OTHER)
        assert process.returncode is None
    assert list((machine.data / "sessions").iterdir()) == []


async def test_a_file_that_cannot_be_copied_refuses_the_session(machine: Machine, board: Board) -> None:
    (machine.repo / "app.py").unlink()
    (machine.repo / "app.py").mkdir()
    (machine.repo / "app.py" / "env").write_text("KEY=1")  # on the base branch app.py is a file
    machine.configure('copy = ["app.py/env"]')
    async with running(board) as bot, machine.host(bot) as process:
        await board.tell(HOST, StartSession(spec(board, "playback", "Add search")))
        refused = await board.heard(SessionRefused)
        assert "app.py" in refused.problem
        assert refused.fix
        assert process.returncode is None
    assert git.run(machine.repo, "branch", "--format=%(refname:short)").split() == ["main"]
    assert list((machine.data / "sessions").iterdir()) == []


async def test_a_session_whose_folder_cannot_be_used_is_refused(machine: Machine, board: Board) -> None:
    (machine.data / "sessions").mkdir(parents=True)
    (machine.data / "sessions" / S).write_text("in the way")
    async with running(board) as bot, machine.host(bot) as process:
        await board.tell(HOST, StartSession(spec(board, "playback", "Add search")))
        refused = await board.heard(SessionRefused)
        assert S in refused.problem
        await board.tell(HOST, StartSession(spec(board, "playback", "x", session=OTHER, name="other")))
        await board.heard(SessionPlaced, session=OTHER)
        assert process.returncode is None


async def test_a_session_that_cannot_be_looked_after_ends_no_host(machine: Machine, board: Board) -> None:
    """Its lock is a folder: neither looking at it nor starting its runner can work."""
    async with running(board) as bot:
        async with machine.host(bot):
            await board.heard(HostDescribed)
        folder = machine.data / "sessions" / S
        (folder / files.LOCK).mkdir(parents=True)
        (folder / files.TICKET).write_text("{}")
        async with machine.host(bot) as process:
            await board.tell(HOST, StopSession(S, ANA))
            await board.tell(HOST, StartSession(spec(board, "playback", "x", session=OTHER, name="other")))
            await board.heard(SessionPlaced, session=OTHER)
            assert process.returncode is None
    (folder / files.LOCK).rmdir()


async def test_a_runner_that_did_not_stay_up_is_tried_again_later(machine: Machine, board: Board) -> None:
    spool_file = machine.data / "sessions" / S / files.SPOOL
    async with running(board) as bot, host_here(machine, bot, first_rest=2.0):
        await started(board)
        await board.heard(Asked)
        pid = machine.runner()
        assert pid
        os.kill(pid, signal.SIGTERM)
        await machine.runner_gone(pid)
        good = spool_file.read_bytes()
        spool_file.write_bytes(b"not a database at all, whatever its name says" * 100)
        failed = await changed(board, RunState.FAILED)
        assert "runner.log" in failed.detail
        assert "tried again in 1 minute" in failed.detail
        spool_file.write_bytes(good)
        await answered(board)  # a person replies meanwhile
        assert (await board.heard(AnswerApplied)).applied
        assert len([change for change in board.all(SessionChanged) if change.state is RunState.FAILED]) == 1


@asynccontextmanager
async def host_here(machine: Machine, bot: Running, **options: Any) -> AsyncIterator[Host]:
    """A host in the test's own process; its runners are paused at the end."""
    address = Address(bot.url, HOST_TOKEN)
    found = config.load(machine.toml, repos=(), share=Share.STAT)
    machine.data.mkdir(parents=True, exist_ok=True)
    async with Spool(machine.data / "host.db", utc_now) as spool, Spawner() as spawner:
        host = Host(HostOptions(found, machine.data, address, stop_runners_on_exit=True, **options), spool, spawner)
        task = asyncio.create_task(host.run())
        try:
            yield host
        finally:
            host.stop()
            await task
