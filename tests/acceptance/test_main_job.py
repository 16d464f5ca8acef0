"""The main job, whole: a session asks, a person answers in its thread, the session goes on, its work is merged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.acceptance.people import Message, Workspace, has_button, label_of, words
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

        def in_thread(message: Message) -> bool:
            return message.get("thread_ts") == thread

        choice = await ana.sees(lambda m: in_thread(m) and "recommended" in words(m), "the choice")
        await ana.clicks(choice, label_of(choice, "recommended"))
        await ana.sees(lambda m: m["ts"] == choice["ts"] and f"<@{ana.id}>" in words(m), "the answered choice")

        await ana.sees(lambda m: in_thread(m) and has_button(m, "Answer"), "the text question")
        await ana.says("Search forgives two slips of the finger.", thread=thread)

        permission = await ana.sees(lambda m: in_thread(m) and has_button(m, "Allow"), "the permission")
        await ana.clicks(permission, "Allow")

        review = await ana.sees(lambda m: in_thread(m) and has_button(m, "Merge"), "the review")
        await ana.clicks(review, "Merge")
        await ana.sees(lambda m: m["ts"] == review["ts"] and "merged" in words(m).lower(), "the merged review")

    repo = data / "playback"
    assert "two slips of the finger" in git(repo, "log", "-p", "main")
    assert git(repo, "log", "-1", "--format=%an|%cn", "main").startswith("Ana")
    assert git(repo, "log", "-1", "--format=%cn", "main") == "Switchboard"
    assert running.process.returncode == 0
