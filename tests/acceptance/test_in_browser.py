"""The main job in a browser, as somebody lives it who saw the page for the first time a minute ago."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from tests.acceptance.newcomer import PHONE, Newcomer, newcomer
from tests.acceptance.parts import parts
from tests.acceptance.people import Workspace
from tests.acceptance.story import SENTENCE, Story, git
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
    await read_the_digest(ana)
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


async def read_the_digest(ana: Newcomer) -> None:
    """In the app's messages, and back into the thread."""
    await ana.types("/session digest")
    await ana.goes_to("Conversation with Switchboard")
    digest = ana.main.get_by_role("article").filter(has_text="needs you")
    await expect(digest).to_contain_text("How should the README put it?")
    await expect(digest.get_by_role("button", name="Answer…")).to_be_visible()
    await ana.picture("digest")
    await ana.goes_to("Switchboard home")
    await expect(ana.page.get_by_role("button", name="Preferences…")).to_be_visible()
    await ana.picture("home")
    await ana.goes_to("Channel sessions")
    for command in ("list", "status", "help"):
        await ana.types(f"/session {command}")
    await expect(ana.main.get_by_text("/session prefs")).to_be_visible()
    await ana.picture("private-answers")
    await ana.opens_thread(TASK)


async def test_a_newcomer_goes_from_the_link_to_a_merge(tmp_path: Path, browser: Browser) -> None:
    data = tmp_path / "data"
    async with up(data) as running, newcomer(browser, running.link, "up") as ana:
        await start_to_merge(ana, data / "playback")


async def test_the_same_over_http_mode(tmp_path: Path, browser: Browser) -> None:
    async with parts(tmp_path, "http") as running, newcomer(browser, running.link, "http") as ana:
        await start_to_merge(ana, running.repo)


async def test_the_printed_link_opens_once_and_nothing_else_lets_a_stranger_in(
    tmp_path: Path, browser: Browser
) -> None:
    data = tmp_path / "data"
    async with up(data) as running, aiohttp.ClientSession() as stranger, Workspace.opened(data) as workspace:
        async with newcomer(browser, running.link, "link") as ana:
            await ana.page.goto(running.link)
            await expect(ana.page.get_by_label("Message", exact=True)).to_be_visible()
        async with await browser.new_context() as other:
            page = await other.new_page()
            answer = await page.goto(running.link)
            assert answer is not None
            assert answer.status == 403
            await expect(page.get_by_role("heading")).to_have_text("This page needs its link")
        for method, path in (
            ("GET", "/"),
            ("GET", f"/person/workspace?as={workspace.people['ana']}"),
            ("GET", f"/person/events?as={workspace.people['ana']}"),
            ("POST", "/person/action"),
            ("POST", "/person/command"),
        ):
            async with stranger.request(
                method, workspace.url + path, json={} if method == "POST" else None
            ) as answered:
                assert answered.status in (401, 403), path
                assert "xox" not in await answered.text()


async def test_a_question_is_answered_on_a_phone(tmp_path: Path, browser: Browser) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        async with newcomer(browser, running.link, "phone", **PHONE) as phone:
            await phone.picture("channel")
            await phone.opens_thread("Add typo tolerance to search")
            card = phone.card("Which typo tolerance?")
            answer = card.get_by_role("button", name="Close matches")
            await expect(answer).to_be_in_viewport()
            await phone.picture("question")
            await answer.tap()
            await story.chosen(choice)
            await expect(card).to_contain_text("the agent has it")
            await phone.picture("answered")
            width = await phone.page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["viewport"]["width"]
