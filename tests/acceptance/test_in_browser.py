"""The main job in a browser, as somebody lives it who saw the page for the first time a minute ago."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.newcomer import PHONE, Newcomer, newcomer
from tests.acceptance.parts import parts
from tests.acceptance.story import SENTENCE, git
from tests.acceptance.up import up
from tests.chromium import MARKS

pytestmark = [*MARKS, pytest.mark.timeout(240)]

TASK = "Add typo tolerance to search"


async def start_to_merge(ana: Newcomer, repo: Path) -> None:
    await ana.picture("welcome")
    await ana.starts_by_modal(TASK, repo.name)
    await expect(ana.main.get_by_role("article").filter(has_text=TASK)).to_contain_text("needs you")
    await ana.picture("needs-you")
    await ana.opens_thread(TASK)

    choice = ana.card("Which typo tolerance?")
    await expect(choice.get_by_role("button", name="Close matches · recommended")).to_be_visible()
    await ana.picture("choice")
    await ana.presses(choice, "Close matches")
    await expect(choice).to_contain_text("the agent has it")

    question = ana.card("How should the README put it?")
    await expect(question.get_by_role("button", name="Answer…")).to_be_visible()
    await ana.picture("text-question")
    await ana.types("/session digest")
    await digest_answers(ana)
    await ana.types(SENTENCE, "Reply")
    await expect(question).to_contain_text("the agent has it")

    permission = ana.card("python3 -m unittest -q")
    await expect(permission.get_by_role("button", name="Deny and stop")).to_be_visible()
    await ana.picture("permission")
    await ana.presses(permission, "Allow")

    review = ana.card("ready at")
    await expect(review.get_by_role("button", name="Merge")).to_be_visible()
    await ana.picture("review")
    await ana.presses(review, "Merge")
    await ana.confirms("Merge")
    await expect(ana.card("merged into main")).to_be_visible()
    await ana.picture("merged")
    newest = git(repo, "log", "--merges", "-1", "--format=%an|%cn|%s", "main")
    assert newest.startswith("Ana|Switchboard|")
    assert SENTENCE in git(repo, "show", "main:README.md")


async def digest_answers(ana: Newcomer) -> None:
    await ana.picture("digest-asked")


async def test_a_newcomer_goes_from_the_link_to_a_merge(tmp_path: Path, browser: Browser) -> None:
    data = tmp_path / "data"
    async with up(data) as running, newcomer(browser, running.link, "up") as ana:
        await start_to_merge(ana, data / "playback")


async def test_the_same_over_http_mode(tmp_path: Path, browser: Browser) -> None:
    async with parts(tmp_path, "http") as running, newcomer(browser, running.link, "http") as ana:
        await start_to_merge(ana, running.repo)
