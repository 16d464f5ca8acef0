"""Claude Code does the main job: questions on one card, a permission that outlives its runner, a merge."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from runners.agents.claude import held
from tests.acceptance.parts import Parts, parts
from tests.acceptance.people import has_button, words
from tests.acceptance.story import Story, git
from tests.agents.claude.model import Call, Calls, Model, Says, calls, serve_model

pytestmark = [pytest.mark.agents, pytest.mark.timeout(240)]
pytest.importorskip("claude_agent_sdk", reason="needs Claude Code: pip install -e '.[claude]'")

COMMIT = "echo 'No state is kept.' > NOTES.md && git add NOTES.md && git commit -q -m 'Add notes'"
QUESTIONS = [
    {
        "question": "Which index?",
        "header": "Index",
        "multiSelect": False,
        "options": [{"label": "FTS", "description": "shipped"}, {"label": "Tantivy", "description": "+9 MB"}],
    },
    {
        "question": "Which platforms?",
        "header": "Platforms",
        "multiSelect": True,
        "options": [
            {"label": "Linux", "description": "servers"},
            {"label": "macOS", "description": "laptops"},
            {"label": "Windows", "description": "some"},
        ],
    },
]


def configured(home: Path, model: Model) -> str:
    env = {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "ANTHROPIC_BASE_URL": model.url,
        "ANTHROPIC_API_KEY": "sk-ant-scripted",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    home.mkdir()
    lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in env.items())
    return f'\n[agents.claude]\nprofile = "claude"\n[agents.claude.env]\n{lines}'


def kill_runner(running: Parts) -> None:
    (pid,) = running.runners()
    os.kill(pid, signal.SIGKILL)


async def test_claude_code_is_answered_and_merged_though_host_and_runner_were_killed(tmp_path: Path) -> None:
    replies = [
        calls("AskUserQuestion", "Before I begin.", questions=QUESTIONS),
        Calls((Call("Bash", {"command": COMMIT, "description": "Write and commit the notes"}),)),
        Says("The notes are in NOTES.md."),
    ]
    async with (
        serve_model(replies) as model,
        parts(tmp_path, more=configured(tmp_path / "agent", model)) as running,
        running.workspace.person("ana") as ana,
    ):
        story = await Story.begin(ana, "notes", "agent=claude Write notes about playback")
        card = await ana.sees(lambda m: story.here(m) and has_button(m, "FTS"), "both questions on one card")
        assert "Which platforms?" in words(card)
        await running.end("host", signal.SIGKILL)
        await ana.clicks(card, "FTS")
        card = await ana.sees(lambda m: m["ts"] == card["ts"] and not has_button(m, "FTS"), "the first one settled")
        await ana.ticks(card, "Linux", "macOS")

        permission = await story.permission()
        assert "git commit -q -m" in words(permission)
        assert "FTS" in model.results()[0]
        assert "Linux, macOS" in model.results()[0]
        await running.start_host()
        kill_runner(running)
        await ana.clicks(permission, "Allow")

        review = await story.review()
        assert "The notes are in NOTES.md." in words(review)
        assert len([r for r in model.results() if "rejected" in r or "doesn't want" in r]) == 0
        await ana.clicks(review, "Merge")
        await story.merged(review)
    assert git(running.repo, "show", "main:NOTES.md") == "No state is kept."
    assert git(running.repo, "log", "--format=%s", "main").count("Add notes") == 1


def kill_agent(running: Parts, *, holder: bool) -> None:
    """The process of Claude Code, or the one that holds it."""
    (paper,) = running.root.glob(f"host/sessions/*/{held.PAPER}")
    found = json.loads(paper.read_text())
    os.kill(found["holder" if holder else "cli"], signal.SIGKILL)


@pytest.mark.parametrize("holder", [False, True], ids=["agent", "holder"])
async def test_a_killed_agent_is_told_and_the_answer_reaches_the_one_that_takes_it_up(
    tmp_path: Path, holder: bool
) -> None:
    replies = [calls("AskUserQuestion", questions=QUESTIONS[:1]), Says("Noted."), Says("Noted.")]
    async with (
        serve_model(replies) as model,
        parts(tmp_path, more=configured(tmp_path / "agent", model)) as running,
        running.workspace.person("ana") as ana,
    ):
        story = await Story.begin(ana, "notes", "agent=claude Write notes about playback")
        card = await ana.sees(lambda m: story.here(m) and has_button(m, "FTS"), "the question")
        kill_agent(running, holder=holder)
        await story.card("was killed", "it goes on by itself")
        await ana.clicks(card, "FTS")
        await ana.sees(lambda m: m["ts"] == card["ts"] and "given to the agent as a message" in words(m), "it is given")
        await story.card("stopped", "Noted.")
    assert model.prompts().count("FTS") == 1
    assert not [r for r in model.results() if "rejected" in r or "doesn't want" in r]
