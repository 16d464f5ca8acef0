"""Messages as people and apps write them: sent, edited, answered in threads, whispered, and never executed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, Route, expect
from slack_bolt.app.async_app import AsyncApp

from tests.browser.conftest import MARKS, Workspace, message, section

pytestmark = MARKS


async def test_enter_sends_and_shift_enter_breaks_the_line(page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.press_sequentially("first line")
    await box.press("Shift+Enter")
    await box.press_sequentially("second *line*")
    await box.press("Enter")
    sent = message(page, "first line")
    await expect(sent.locator(".author")).to_have_text("Ana")
    await expect(sent.locator("strong")).to_have_text("line")
    await expect(box).to_have_value("")


@dataclass
class Held:
    """Requests whose answers were given, and wait to be delivered until ``go`` is set."""

    answered: asyncio.Event
    go: asyncio.Event


@asynccontextmanager
async def slow(browser: Browser, workspace: Workspace, address: str) -> AsyncIterator[tuple[Page, Held]]:
    held = Held(asyncio.Event(), asyncio.Event())

    async def hold(route: Route) -> None:
        answer = await route.fetch()
        held.answered.set()
        await held.go.wait()
        await route.fulfill(response=answer)

    page = await browser.new_page()
    await page.route(address, hold)
    await page.goto(workspace.ready["open"])
    yield page, held
    await page.unroute_all(behavior="ignoreErrors")
    await page.close()


async def test_words_typed_while_the_page_still_loads_are_kept(browser: Browser, workspace: Workspace) -> None:
    async with slow(browser, workspace, "**/person/workspace?*") as (page, held):
        box = page.get_by_label("Message", exact=True)
        await box.press_sequentially("early words")
        held.go.set()
        await expect(page.get_by_role("heading", name="sessions", level=1)).to_be_visible()
        await expect(box).to_have_value("early words")


async def test_words_sent_while_the_page_still_loads_are_sent_then(browser: Browser, workspace: Workspace) -> None:
    async with slow(browser, workspace, "**/person/workspace?*") as (page, held):
        box = page.get_by_label("Message", exact=True)
        await box.press_sequentially("early words")
        await box.press("Enter")
        held.go.set()
        await expect(message(page, "early words")).to_have_count(1)
        await expect(box).to_have_value("")


@pytest.mark.parametrize("what", ["workspace", "history"])
async def test_what_is_said_while_the_page_still_loads_is_shown(
    browser: Browser, workspace: Workspace, what: str
) -> None:
    async with slow(browser, workspace, f"**/person/{what}?*") as (page, held):
        await held.answered.wait()
        ts = await workspace.say("ben", "said meanwhile")
        await workspace.act("ben", "edit", channel=workspace.sessions, ts=ts, text="edited meanwhile")
        held.go.set()
        await expect(message(page, "edited meanwhile")).to_be_visible()


async def test_a_mention_is_completed_and_shown_by_name(page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.press_sequentially("over to @be")
    await expect(page.get_by_role("option", name="Ben")).to_be_visible()
    await box.press("Enter")
    await expect(box).to_have_value("over to @ben ")
    await box.press("Enter")
    await expect(message(page, "over to").locator(".mention")).to_have_text("@Ben")


async def test_an_edit_shows_at_once_without_a_new_message(page: Page, workspace: Workspace) -> None:
    ts = await workspace.say("ben", "teh plan")
    await expect(message(page, "teh plan")).to_have_count(1)
    await workspace.act("ben", "edit", channel=workspace.sessions, ts=ts, text="the plan")
    await expect(message(page, "the plan")).to_have_count(1)
    await expect(message(page, "the plan").locator(".edited")).to_be_visible()
    await expect(message(page, "teh plan")).to_have_count(0)


async def test_ones_own_message_can_be_edited_and_deleted(page: Page) -> None:
    box = page.get_by_label("Message", exact=True)
    await box.fill("hullo")
    await box.press("Enter")
    await message(page, "hullo").hover()
    await message(page, "hullo").get_by_label("More actions").click()
    await page.get_by_role("menuitem", name="Edit message").click()
    await page.get_by_label("Edit your message").fill("hello")
    await page.get_by_label("Edit your message").press("Enter")
    await expect(message(page, "hello")).to_contain_text("(edited)")
    await message(page, "hello").hover()
    await message(page, "hello").get_by_label("More actions").click()
    await page.get_by_role("menuitem", name="Delete message").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    await expect(message(page, "hello")).to_have_count(0)


async def test_a_thread_is_answered_beside_its_channel(page: Page, workspace: Workspace) -> None:
    await workspace.say("ben", "which one?")
    await message(page, "which one?").hover()
    await message(page, "which one?").get_by_label("Reply in thread").click()
    thread = page.get_by_label("Thread", exact=True).first
    await expect(thread.get_by_role("article")).to_have_count(1)
    await page.get_by_label("Reply", exact=True).fill("the first")
    await page.get_by_label("Reply", exact=True).press("Enter")
    await expect(thread.get_by_role("article").filter(has_text="the first")).to_be_visible()
    await expect(page.locator("#main .replies")).to_contain_text("1 reply")
    await expect(page.locator("#main").get_by_role("article")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(thread).to_be_hidden()


async def test_an_ephemeral_message_is_marked(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    await app.client.chat_postEphemeral(channel=workspace.sessions, user=workspace.person("ana"), text="a whisper")
    whisper = message(page, "a whisper")
    await expect(whisper).to_contain_text("Only visible to you")
    await expect(whisper.get_by_label("Reply in thread")).to_have_count(0)


async def test_a_reaction_is_given_and_taken_back(page: Page, workspace: Workspace) -> None:
    await workspace.say("ben", "done")
    await message(page, "done").hover()
    await message(page, "done").get_by_label("Add a reaction").click()
    await page.get_by_role("menuitem", name="tada").click()
    mine = message(page, "done").locator(".reaction")
    await expect(mine).to_have_attribute("aria-pressed", "true")
    await mine.click()
    await expect(mine).to_have_count(0)


async def test_hostile_text_stays_text(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    act = "document.title='owned'"
    await workspace.say("ben", f'<script>{act}</script><img src=x onerror="{act}"> <!channel> [x](javascript:1)')
    await expect(message(page, "<script>document.title")).to_be_visible()
    forged = {"type": "link", "url": "javascript:alert(1)", "text": "rich"}
    blocks = [
        section("app &lt;b&gt;bold&lt;/b&gt; &lt;!channel&gt; \u202eevil"),
        {"type": "section", "text": {"type": "plain_text", "text": "<i>plain</i> <@U000> *no*"}},
        {"type": "markdown", "text": "[click](javascript:alert(1)) <svg onload=alert(1)>"},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [forged]}]},
    ]
    await app.client.chat_postMessage(channel=workspace.sessions, text="app", blocks=blocks)
    card = message(page, "app <b>bold</b> <!channel>")
    await expect(card).to_contain_text("<i>plain</i> <@U000> *no*")
    await expect(card).to_contain_text("<svg onload=alert(1)>")
    assert await page.locator(".list script, .list img, .list svg:not(.icon), .list a").count() == 0
    assert await card.locator("b:not(.author), i, .mention").count() == 0
    assert "owned" not in await page.title()


async def test_a_diff_is_shown_with_its_lines_coloured(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new <b>\n"
    await app.client.files_upload_v2(channel=workspace.sessions, filename="x.diff", title="The change", content=diff)
    card = page.locator(".file").filter(has_text="The change")
    await expect(card.locator(".line-added")).to_have_text("+new <b>\n")
    await expect(card.locator(".line-removed")).to_have_text("-old\n")
    await expect(card.locator(".tally")).to_have_text("+1 −1")
