"""The main job, whole: a session asks, a person answers in its thread, the session goes on, its work is merged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.acceptance.parts import Mode, parts
from tests.acceptance.people import Workspace
from tests.acceptance.story import SENTENCE, Story, git
from tests.acceptance.up import up

pytestmark = pytest.mark.timeout(180)


async def test_one_command_and_a_session_goes_from_start_to_merge(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data) as running, Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        await (await Story.begin(ana)).to_merge()
        said = await running.stop()
    repo = data / "playback"
    assert SENTENCE in git(repo, "log", "-p", "main")
    assert git(repo, "log", "-1", "--format=%an|%cn", "main") == "Ana|Switchboard"
    assert "the same command goes on" in said.lower()
    assert running.process.returncode == 0


@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_three_sessions_at_once_over(tmp_path: Path, mode: Mode) -> None:
    async with parts(tmp_path, mode) as running, running.workspace.person("ana") as ana:
        stories = [await Story.begin(ana, name) for name in ("one", "two", "three")]
        reviews = await asyncio.gather(*(story.to_review() for story in stories))
        await ana.clicks(reviews[1], "Merge")
        await stories[1].merged(reviews[1])
    assert git(running.repo, "log", "--merges", "--format=%an|%s", "main").splitlines()[0].startswith("Ana|")
    assert "two" in git(running.repo, "log", "--merges", "-1", "--format=%B", "main")
    assert SENTENCE in git(running.repo, "show", "main:README.md")
