"""`switchboard attach -- COMMAND`: the command is what runs, whatever is wrong on our side."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.attach import settings
from tests.runners.attach.test_board import Desk, desk
from tests.runners.board import running

__all__ = ["desk"]


async def attach(place: Desk, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "bot.cli", "attach", "--data-dir", str(place.data), "--", *command]
    return await asyncio.to_thread(
        subprocess.run, argv, cwd=place.worktree, capture_output=True, text=True, check=False, input="typed\n",
        env={**os.environ, **env, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip


@pytest.fixture
def claude(tmp_path: Path) -> str:
    """A program of that name which says what it was given, what was typed, and its process."""
    path = tmp_path / "claude"
    path.write_text('#!/bin/sh\nread line\nprintf \'%s\\n\' "$line" "$@"\nexit 7\n')
    path.chmod(0o755)
    return str(path)


async def test_without_a_host_the_command_starts_all_the_same(desk: Desk, claude: str) -> None:
    ran = await attach(desk, claude, "--resume")
    assert (ran.returncode, ran.stdout) == (7, "typed\n--resume\n")
    assert "No host runs on this machine" in ran.stderr
    assert "starts all the same" in ran.stderr


async def test_in_a_deleted_folder_the_command_starts_all_the_same(desk: Desk, claude: str, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    async with running(desk.board) as bot, desk.host(bot):
        ran = await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", 'mkdir "$1" && cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", str(gone), sys.executable,
             "-m", "bot.cli", "attach", "--data-dir", str(desk.data), "--", claude],
            capture_output=True, text=True, check=False, input="typed\n",
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (7, "typed\n")
    assert "This folder is no longer there" in ran.stderr


async def test_with_a_host_it_is_given_the_hooks_and_nothing_else_changes(desk: Desk, claude: str) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        ran = await attach(desk, claude, "--resume")
        assert (ran.returncode, ran.stderr) == (7, "")
        typed, flag, path, rest = ran.stdout.split()
        assert (typed, flag, rest) == ("typed", "--settings", "--resume")
        assert json.loads(await asyncio.to_thread(Path(path).read_text)) == settings.ours(desk.data)
        assert Path(path).is_relative_to(desk.data)
        assert desk.untouched()


async def test_a_folder_the_host_does_not_know_is_said_and_the_command_starts(desk: Desk, claude: str) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        desk.worktree = desk.data
        ran = await attach(desk, claude)
        assert (ran.returncode, ran.stdout) == (7, "typed\n")
        assert "without the board" in ran.stderr


async def test_a_second_one_in_the_worktree_is_told_and_starts(desk: Desk, claude: str) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        await desk.ask("attach", session="one", pid=os.getpid())
        ran = await attach(desk, claude)
        assert (ran.returncode, ran.stdout) == (7, "typed\n")
        assert "is on the board already" in ran.stderr


async def test_a_command_that_is_not_there_is_named(desk: Desk) -> None:
    ran = await attach(desk, "claude-that-is-nowhere")
    assert ran.returncode == 127
    assert "“claude-that-is-nowhere” was not found" in ran.stderr


async def test_what_there_is_not_is_said_in_words(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        for verb in (["detach"], ["adopt"], ["adopt", "--back"]):
            argv = [sys.executable, "-m", "bot.cli", *verb, "--data-dir", str(desk.data)]
            ran = await asyncio.to_thread(
                subprocess.run, argv, cwd=desk.worktree, capture_output=True, text=True, check=False,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
            )  # fmt: skip
            assert ran.returncode == 1
            assert "No hand-run session" in ran.stderr
            assert "Traceback" not in ran.stderr
