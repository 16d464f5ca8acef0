"""The main job, whole: a session asks, a person answers in its thread, the session goes on, its work is merged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.people import Workspace, words
from tests.acceptance.up import up

pytestmark = pytest.mark.timeout(180)


def git(repo: Path, *argv: str) -> str:
    return subprocess.run(["git", *argv], cwd=repo, capture_output=True, text=True, check=True).stdout.strip()


async def test_a_session_asks_a_person_answers_and_the_work_is_merged(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data) as running, Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        await ana.types("/session", "start repo=playback Add typo tolerance to search")
        card = await ana.sees_text("Add typo tolerance to search")
        thread = card["ts"]

        choice = await ana.sees(lambda m: m.get("thread_ts") == thread and "recommended" in words(m), "the choice")
        label = next(b for b in choice["blocks"] if b["type"] == "actions")["elements"][0]["text"]["text"]
        await ana.clicks(choice, label)
        await ana.sees(lambda m: m["ts"] == choice["ts"] and "<@" + ana.id in words(m), "the answered choice")

        await ana.sees(
            lambda m: m.get("thread_ts") == thread and "reply in this thread" in words(m).lower(), "the text"
        )
        await ana.says("Two edits at most", thread=thread)

        permission = await ana.sees(lambda m: m.get("thread_ts") == thread and "Allow" in words(m), "the permission")
        await ana.clicks(permission, "Allow")

        review = await ana.sees(lambda m: m.get("thread_ts") == thread and "Merge" in words(m), "the review")
        await ana.clicks(review, "Merge")
        await ana.sees(lambda m: m["ts"] == review["ts"] and "merged" in words(m).lower(), "the merged review")

    repo = data / "playback"
    assert "Two edits at most" in git(repo, "log", "-p", "main")
    assert git(repo, "log", "-1", "--format=%an|%cn", "main").startswith("Ana")
    assert git(repo, "log", "-1", "--format=%cn", "main") == "Switchboard"
    assert running.process.returncode == 0
