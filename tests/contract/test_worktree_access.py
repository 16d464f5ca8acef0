"""What an agent may do to files and with commands through its runner: everything in its worktree, nothing outside."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from runners.agents.acp import confine
from runners.agents.base import Cleared
from tests.contract.conftest import Kit
from tests.contract.desk import RecordingDesk
from tests.contract.test_agent_contract import gone, play


async def words(kit: Kit, *steps: dict) -> str:
    desk = RecordingDesk()
    await play(kit, desk, *steps)
    return desk.words


async def test_files_are_read_and_written(kit: Kit) -> None:
    said = await words(
        kit,
        {"host_write": "src/new/deep.txt", "text": "one\ntwo ü\nthree\n"},
        {"host_read": "src/new/deep.txt", "line": 2, "limit": 1},
        {"say": "{{write}}: {{read}}"},
    )
    assert said == "written: two ü\n"
    assert kit.worktree.read("src/new/deep.txt") == "one\ntwo ü\nthree\n"


async def test_a_file_that_is_not_there_is_not_found(kit: Kit) -> None:
    said = await words(kit, {"host_read": "no.txt"}, {"say": "{{read}}"})
    assert said.startswith("refused (-32002)")
    assert "no.txt does not exist" in said


@pytest.mark.parametrize(
    "path", ["../outside.txt", "/etc/passwd", "link/outside.txt", "link.txt", "src/../../outside.txt"]
)
async def test_nothing_outside_is_read_or_written(kit: Kit, path: str) -> None:
    outside = kit.worktree.path.parent / "outside.txt"
    outside.write_text("secret")
    (kit.worktree.path / "link").symlink_to(kit.worktree.path.parent)
    (kit.worktree.path / "link.txt").symlink_to(outside)
    steps = [{"host_read": path}, {"host_write": path, "text": "mine"}, {"say": "{{read}} | {{write}}"}]
    said = await words(kit, *steps)
    assert said.count("lies outside the worktree") == 2
    assert outside.read_text() == "secret"


@pytest.mark.parametrize("path", [".git", ".GIT/config", "sub/.git/hooks/post-commit"])
async def test_gits_own_folder_is_left_alone(kit: Kit, path: str) -> None:
    said = await words(kit, {"host_write": path, "text": "x"}, {"host_read": path}, {"say": "{{read}} | {{write}}"})
    assert said.count("belongs to git itself") == 2


@pytest.mark.parametrize("kind", ["binary", "pipe", "folder"])
async def test_what_is_no_text_is_refused_in_words(kit: Kit, kind: str) -> None:
    path = kit.worktree.path / "thing"
    if kind == "binary":
        path.write_bytes(b"\xff\xfe\x00")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    said = await words(kit, {"host_read": "thing"}, {"say": "{{read}}"})
    assert said.startswith("refused (-32602)")


def test_a_file_of_any_size_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(confine.MOST_READ + 1)
    with pytest.raises(confine.OutOfBounds, match="larger than 16 MB"):
        confine.read_text(tmp_path, str(tmp_path / "big"))


async def test_a_command_runs_in_the_worktree_and_says_how_it_ended(kit: Kit) -> None:
    said = await words(
        kit,
        {"host_run": "sh", "args": ["-c", "pwd; echo err >&2; exit 3"], "name": "a"},
        {"host_run": "echo $((40 + 2)) | cat", "name": "b", "cwd": "src"},
        {"say": "{{a}}{{a.status}} {{b}}{{b.status}}"},
    )
    assert said == f"{kit.worktree.path.resolve()}\nerr\n3 42\n0"


async def test_output_is_cut_at_the_start_of_a_character(kit: Kit) -> None:
    said = await words(kit, {"host_run": "printf 'aüüüü'", "limit": 3, "name": "a"}, {"say": "{{a}} {{a.cut}}"})
    assert said == "ü True"


async def test_a_command_is_killed_with_all_it_started(kit: Kit) -> None:
    run = {"host_run": "sleep 1000 & echo $! > pid; wait", "kill": True, "name": "a"}
    said = await words(kit, run, {"say": "{{a.status}}"})
    assert said == "SIGTERM"
    if (pid := kit.worktree.path / "pid").exists() and (number := pid.read_text().strip()):
        async with asyncio.timeout(10):
            await gone(int(number))


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"host_run": "no-such-program", "args": ["x"]}, "“no-such-program” could not be started"),
        ({"host_run": "true", "cwd": ".."}, "lies outside the worktree"),
        ({"host_run": "true", "cwd": "README.md"}, "is no folder"),
    ],
)
async def test_what_cannot_be_run_is_refused_in_words(kit: Kit, step: dict, problem: str) -> None:
    said = await words(kit, {**step, "name": "a"}, {"say": "{{a}}"})
    assert said.startswith("refused (-32602)")
    assert problem in said


async def test_a_command_left_running_outlives_a_reset_and_ends_with_the_agent(kit: Kit) -> None:
    desk = RecordingDesk()
    steps = [{"host_run": "echo $$ > pid; exec sleep 1000", "leave": True}, {"wait": "pid"}, {"say": "ok"}]
    agent, _ = await play(kit, desk, *steps)
    cleared = await agent.reset()
    assert cleared == Cleared(cleared.session, survived=("echo $$ > pid; exec sleep 1000",))
    pid = int((kit.worktree.path / "pid").read_text())
    os.kill(pid, 0)
    await agent.close()
    async with asyncio.timeout(10):
        await gone(pid)


async def test_cancel_does_not_wait_for_a_command(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"say": "x"}, {"host_run": "sleep 1000"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.until(lambda: desk.words == "x")
    async with asyncio.timeout(10):
        await agent.cancel()
        assert (await turn).reason == "cancelled"
