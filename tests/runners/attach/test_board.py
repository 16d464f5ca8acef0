"""Hand-run sessions as a real host knows them: asked for over its socket, placed where they are, refused in words."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.wire.messages import AttachAsked, RefuseAttach, SessionEnded, SessionPlaced, SessionRefused, StartSession
from bot.wire.types import Ending
from runners import files
from runners.attach import control
from runners.attach.control import Reply, Request
from runners.repo import git
from runners.runner import ticket
from tests.runners.board import Board, Running, running
from tests.runners.places import HOST, HOST_TOKEN, host_process, make_repo, spec

S = "s1234567a"


class Desk:
    """A machine with one repository, a worktree of it that a person made, and a host."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.repo = make_repo(folder / "playback")
        self.worktree = folder / "by-hand"
        git.run(self.repo, "worktree", "add", "--quiet", "-b", "by-hand", str(self.worktree))
        self.board = Board(tokens={HOST_TOKEN: HOST})

    @asynccontextmanager
    async def host(self, bot: Running) -> AsyncIterator[None]:
        async with host_process(self.data, bot.url, "--repo", str(self.repo)):
            await self.board.connected(HOST)
            yield

    async def ask(self, verb: str, where: Path | None = None, **more: object) -> Reply:
        request = Request(verb, worktree=str(where or self.worktree), **more)  # type: ignore[arg-type]
        return await asyncio.to_thread(control.call, self.data, request)

    async def placed(self) -> Reply:
        """A script's session on the board."""
        asking = asyncio.create_task(self.ask("attach", agent="script", title="Nightly", wait=20.0))
        asked = await self.board.heard(AttachAsked)
        await self.board.tell(HOST, StartSession(spec(self.board, asked.repo, "Nightly", attach=asked.attach)))
        return await asking

    def untouched(self) -> bool:
        """Nothing of ours is in the worktree."""
        return git.dirty_paths(self.worktree) == () and sorted(p.name for p in self.worktree.iterdir()) == [
            ".git", "README.md", "app.py",
        ]  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    found = Desk(tmp_path)
    yield found  # type: ignore[misc]
    for folder in (found.data / "sessions").glob("*"):
        if pid := ticket.holder(folder / files.LOCK):
            os.kill(pid, signal.SIGKILL)  # each of these was started by this test


async def test_a_session_is_put_on_the_board_where_it_is_and_taken_off_without_a_trace(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        reply = await desk.placed()
        assert (reply["ok"], reply["session"], reply["name"]) == (True, S, "search")
        place = (await desk.board.heard(SessionPlaced)).place
        assert (place.branch, place.worktree, place.attached) == ("by-hand", str(desk.worktree), True)
        found = await desk.ask("find", desk.worktree)
        assert (found["found"], found["session"], found["folder"]) == (True, S, reply["folder"])
        [listed] = (await desk.ask("list"))["sessions"]
        assert listed["worktree"] == str(desk.worktree)
        assert (await desk.ask("detach"))["ok"]
        ended = await desk.board.heard(SessionEnded)
        assert (ended.ending, ended.branch) == (Ending.DETACHED, "by-hand")
        assert desk.untouched()
        assert git.has_branch(desk.repo, "by-hand")
        assert not (await desk.ask("detach"))["ok"]


async def test_the_main_checkout_can_be_on_the_board_too(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        desk.worktree = desk.repo
        reply = await desk.placed()
        assert reply["ok"]
        assert (await desk.board.heard(SessionPlaced)).place.branch == "main"


async def test_what_the_bot_refuses_is_said_to_whoever_asked(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        asking = asyncio.create_task(desk.ask("attach", agent="script", wait=20.0))
        asked = await desk.board.heard(AttachAsked)
        await desk.board.tell(HOST, RefuseAttach(asked.attach, "This machine has no owner."))
        assert (await asking)["problem"] == "This machine has no owner."


async def test_a_bot_that_is_away_is_said_and_hears_of_the_session_later(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        await bot.server.close()
        await desk.board.connected(HOST, False)
        reply = await desk.ask("attach", agent="script", attach="mine", wait=0.5)
        assert not reply["ok"]
        assert "The bot" in reply["problem"]
        assert reply["asked"]


async def test_what_is_no_worktree_of_a_known_repository_is_named(desk: Desk, tmp_path: Path) -> None:
    other = make_repo(tmp_path / "other")
    (tmp_path / "plain").mkdir()
    async with running(desk.board) as bot, desk.host(bot):
        assert "no worktree of a repository this host knows" in (await desk.ask("attach", other))["problem"]
        assert "It knows: playback" in (await desk.ask("attach", other))["fix"]
        assert "worktree" in (await desk.ask("attach", tmp_path / "plain"))["problem"]
        assert "is not there" in (await desk.ask("attach", tmp_path / "nowhere"))["problem"]


async def test_a_second_session_in_one_worktree_is_told_of_the_first(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        assert (await desk.ask("attach", session="one", pid=os.getpid()))["asked"]
        second = await desk.ask("attach", session="two", pid=os.getpid())
        assert second["two"]
        assert f"process {os.getpid()}" in second["problem"]
        assert "switchboard detach" in second["fix"]
        assert (await desk.ask("attach", session="one", pid=os.getpid()))["asked"]  # said again: the same


async def test_a_worktree_that_is_gone_by_the_time_the_bot_answers_is_refused(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        await desk.ask("attach", agent="script")
        asked = await desk.board.heard(AttachAsked)
        git.run(desk.repo, "worktree", "remove", str(desk.worktree))
        await desk.board.tell(HOST, StartSession(spec(desk.board, asked.repo, "Nightly", attach=asked.attach)))
        assert "is gone" in (await desk.board.heard(SessionRefused)).problem
        assert not (desk.data / "sessions" / S).exists()


@pytest.mark.parametrize("line", [b"\n", b"null\n", b"{\n", b"[1]\n", b'{"verb":7}\n', b"\xff\xfe\n", b"{}" * 600_000])
async def test_nonsense_on_the_socket_is_answered_or_dropped_and_the_host_lives_on(desk: Desk, line: bytes) -> None:
    desk.data.mkdir()
    async with control.served(desk.data, _echo):
        reader, writer = await asyncio.open_unix_connection(desk.data / control.SOCKET)
        writer.write(line + b"\n")
        said = await reader.readline()
        writer.close()
        assert b'"ok": false' in said
        assert await desk.ask("list") == {"ok": True, "verb": "list"}


async def _echo(request: Request) -> Reply:
    return {"ok": True, "verb": request.verb}


async def test_a_deep_data_folder_gets_a_short_socket_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    async with control.served(deep, _echo) as path:
        assert len(os.fsencode(path)) <= 100
        assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
        assert (await asyncio.to_thread(control.call, deep, Request("list")))["ok"]
    assert not path.parent.exists()
    assert list(deep.iterdir()) == []


async def test_a_socket_is_its_users_alone_and_other_files_made_meanwhile_are_as_ever(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        modes = set[int]()
        done = threading.Event()

        def made_meanwhile() -> None:
            for number in range(2000):
                (tmp_path / f"f{number}").touch()
                modes.add((tmp_path / f"f{number}").stat().st_mode & 0o777)
                if done.is_set():
                    break

        making = asyncio.create_task(asyncio.to_thread(made_meanwhile))
        for number in range(20):
            (data := tmp_path / f"d{number}").mkdir()
            async with control.served(data, _echo) as path:
                assert path.stat().st_mode & 0o777 == 0o600
        done.set()
        await making
        assert modes == {0o644}
    finally:
        os.umask(mask)


async def test_no_host_is_said_with_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(control.NoHost, match="No host runs on this machine") as caught:
        await asyncio.to_thread(control.living, tmp_path, {})
    assert str(tmp_path) in caught.value.fix
