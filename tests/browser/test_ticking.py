"""Boxes and menus of many in messages: ticked in peace, kept over edits, sent by a button, usable by keyboard."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp

from tests.browser.conftest import MARKS, Json, OpenPage, Workspace, actions, button, message, section
from tests.browser.test_controls import option, words

pytestmark = MARKS


def many(name: str, kind: str, *names: str) -> Json:
    element: Json = {"type": kind, "action_id": name, "options": [option(each, f"all about {each}") for each in names]}
    if kind == "multi_static_select":
        element["placeholder"] = words("Choose any")
    return {"type": "input", "block_id": name, "label": words("Tick all that apply"), "element": element}


CARD: list[Json] = [
    section("❓ *search* · Which shops?"),
    many("shops", "checkboxes", "books", "music", "games"),
    many("languages", "multi_static_select", *(f"language {n}" for n in range(12))),
    actions(button("Send", "send", style="primary"), button("Later", "later")),
]


def chosen(values: Json, name: str) -> list[str]:
    return [one["value"] for one in values[name][name]["selected_options"]]


async def post(app: AsyncApp, workspace: Workspace) -> str:
    answer = await app.client.chat_postMessage(channel=workspace.sessions, text="Which shops?", blocks=CARD)
    return str(answer["ts"])


async def test_ticks_are_told_only_when_they_are_sent(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    heard: asyncio.Queue[Json] = asyncio.Queue()

    @app.action(re.compile(""))
    async def any_action(ack, body) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await heard.put(body)

    await post(app, workspace)
    await page.get_by_role("checkbox", name="books").check()
    await page.get_by_role("checkbox", name="games").check()
    await page.get_by_role("combobox", name="Tick all that apply").click()
    await page.get_by_role("option", name="language 3").click()
    last = page.get_by_role("option", name="language 11")
    await last.click()
    await expect(last).to_be_in_viewport()
    await expect(last).to_have_class(re.compile("active"))
    await page.keyboard.press("Escape")
    await message(page, "Which shops?").get_by_role("button", name="Send").click()
    body = await heard.get()
    assert body["actions"][0]["action_id"] == "send"
    assert chosen(body["state"]["values"], "shops") == ["books", "games"]
    assert chosen(body["state"]["values"], "languages") == ["language 3", "language 11"]
    assert heard.empty()


async def test_ticks_outlive_an_edit_of_the_card(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    ts = await post(app, workspace)
    await page.get_by_role("checkbox", name="music").check()
    edited = [section("☑️ *1* · Which index? → *FTS*"), *CARD]
    await app.client.chat_update(channel=workspace.sessions, ts=ts, text="Which shops?", blocks=edited)
    await expect(message(page, "Which index?")).to_be_visible()
    await expect(page.get_by_role("checkbox", name="music")).to_be_checked()
    await expect(page.get_by_role("checkbox", name="books")).not_to_be_checked()


async def test_boxes_are_a_named_group_that_the_keyboard_reaches(
    page: Page, workspace: Workspace, app: AsyncApp
) -> None:
    await post(app, workspace)
    group = page.get_by_role("group", name="Tick all that apply")
    await group.get_by_role("checkbox", name="books").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await expect(group.get_by_role("checkbox", checked=True)).to_have_count(2)
    await page.keyboard.press("Tab")
    menu = page.get_by_role("combobox", name="Tick all that apply")
    await expect(menu).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Escape")
    await expect(menu).to_contain_text("language 1")
    await expect(menu).to_be_focused()


async def test_boxes_fit_a_phone(open_page: OpenPage, workspace: Workspace, app: AsyncApp) -> None:
    page = await open_page(viewport={"width": 360, "height": 700}, color_scheme="dark", has_touch=True)
    await post(app, workspace)
    await page.locator(".check").nth(2).tap()
    await expect(page.get_by_role("checkbox", name="games")).to_be_checked()
    wide = await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    assert not wide
    box = await page.locator(".check").first.bounding_box()
    assert box is not None
    assert box["height"] >= 40  # room for a thumb


async def test_small_print_names_people_and_calls_nobody(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    ana = workspace.person("ana")
    small = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"<@{ana}> · just now"}]}
    for first in (f"❓ Which index? <@{ana}>", "☑️ Which index? → *FTS*"):
        await app.client.chat_postMessage(
            channel=workspace.sessions, text=f"{first} <@{ana}>", blocks=[section(first), small]
        )
    await expect(message(page, "→")).to_be_visible()
    await expect(page.locator(".message.mentioned")).to_have_count(1)
