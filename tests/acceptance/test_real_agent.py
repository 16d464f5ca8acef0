"""A real coding agent does the main job: opencode, configured as in docs/agents.md; only its model is scripted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.parts import parts
from tests.acceptance.people import words
from tests.acceptance.story import Story, git
from tests.agents.model_server import Calls, Says, model_server
from tests.agents.real import RealAgent, opencode

pytestmark = [pytest.mark.agents, pytest.mark.timeout(240)]

COMMIT = "git add NOTES.md && git commit -q -m 'Add notes'"
NOTES = "# Notes\n\nPlayback keeps no state.\n"


def configured(agent: RealAgent) -> str:
    env = "".join(f"{name} = {json.dumps(value)}\n" for name, value in agent.env.items())
    return f"\n[agents.opencode]\ncommand = {json.dumps(agent.argv)}\n[agents.opencode.env]\n{env}"


async def test_opencode_edits_asks_commits_and_is_merged(tmp_path: Path) -> None:
    worktree = tmp_path / "host" / "worktrees" / "playback" / "notes"
    replies = [
        Calls("todowrite", {"todos": [{"content": "Write the notes", "status": "in_progress", "priority": "high"}]}),
        Calls("write", {"filePath": str(worktree / "NOTES.md"), "content": NOTES}, "I write the notes."),
        Calls("bash", {"command": COMMIT, "description": "Commit the notes"}),
        Says("The notes are in NOTES.md."),
    ]
    async with (
        model_server(replies) as model,
        parts(tmp_path, more=configured(opencode(model, tmp_path / "agent"))) as running,
        running.workspace.person("ana") as ana,
    ):
        story = await Story.begin(ana, "notes", "agent=opencode Write notes about playback")
        permission = await story.permission()
        assert COMMIT.replace("&", "&amp;") in words(permission)
        assert git(worktree, "log", "--format=%s", "main..HEAD") == ""
        await ana.clicks(permission, "Allow")
        review = await story.review()
        assert "The notes are in NOTES.md." in words(review)
        assert "Add notes" in words(review)
        assert model.prompts()[0].count("Write notes about playback") == 1
        await ana.clicks(review, "Merge")
        await story.merged(review)
    assert git(running.repo, "show", "main:NOTES.md") == NOTES.strip()
    assert git(running.repo, "log", "--merges", "-1", "--format=%an|%cn", "main") == "Ana|Switchboard"
    assert git(running.repo, "log", "-1", "--format=%an", "main^2") == "Ana"
