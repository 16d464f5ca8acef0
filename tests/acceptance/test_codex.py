"""Codex does the main job natively: an approval that outlives its runner, a commit in a linked worktree, a merge."""

from __future__ import annotations

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.parts import parts
from tests.acceptance.people import words
from tests.acceptance.story import Story, git
from tests.agents.codex.conftest import CONFIG, codex, escalated, runs
from tests.agents.codex.model import Model, Says, serving

pytestmark = [pytest.mark.agents, pytest.mark.timeout(240)]

WRITE = "echo 'No state is kept.' > NOTES.md && git add NOTES.md"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not in /tmp: there Codex lets every command write."""
    made = Path(tempfile.mkdtemp(prefix=".codex-test-", dir=Path.home()))
    yield made
    shutil.rmtree(made, ignore_errors=True)


def configured(home: Path, model: Model) -> str:
    home.mkdir()
    (home / "config.toml").write_text(CONFIG.format(url=model.url), encoding="utf-8")
    env = "".join(f"{name} = {json.dumps(str(home))}\n" for name in ("HOME", "CODEX_HOME"))
    return f'\n[agents.codex]\nprofile = "codex"\ncommand = {json.dumps(codex())}\n[agents.codex.env]\n{env}'


async def test_codex_asks_commits_and_is_merged_though_its_runner_was_killed(folder: Path) -> None:
    replies = [
        escalated(WRITE, "Write the notes?"),
        runs("git commit -q -m 'Add notes'"),
        Says("The notes are in NOTES.md."),
    ]
    async with (
        serving(replies) as model,
        parts(folder, more=configured(folder / "agent", model)) as running,
        running.workspace.person("ana") as ana,
    ):
        story = await Story.begin(ana, "notes", "agent=codex Write notes about playback")
        permission = await story.permission()
        assert "git add NOTES.md" in words(permission)
        (pid,) = running.runners()
        os.kill(pid, signal.SIGKILL)
        await ana.clicks(permission, "Allow")

        review = await story.review()
        assert "The notes are in NOTES.md." in words(review)
        await ana.clicks(review, "Merge")
        await story.merged(review)
    assert git(running.repo, "show", "main:NOTES.md") == "No state is kept."
    assert git(running.repo, "log", "--format=%s", "main").count("Add notes") == 1
