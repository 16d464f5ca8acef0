"""Commands, modals, buttons and the Home tab: what the app offers, and what the page says while it waits."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.browser.conftest import MARKS, Json, Workspace, actions, button, message, section

pytestmark = MARKS


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(text: str, description: str = "") -> Json:
    return {"text": words(text), "value": text} | ({"description": words(description)} if description else {})


def asked(name: str, element: Json) -> Json:
    """An input block; its ids are its name, its label the name with a capital."""
    return {"type": "input", "block_id": name, "label": words(name.title()), "element": element | {"action_id": name}}


FORM: Json = {
    "type": "modal",
    "callback_id": "fetch",
    "title": words("Fetch a thing"),
    "submit": words("Fetch"),
    "blocks": [
        asked("thing", {"type": "plain_text_input"}),
        asked("size", {"type": "static_select", "options": [option("small", "fits a pocket"), option("large")]}),
    ],
}


async def test_a_command_is_completed_from_the_manifest(page: Page, app: AsyncApp) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    @app.command("/porter")
    async def porter(ack, command) -> None:  # type: ignore[no-untyped-def]
        await ack("on my way")
        await heard.put(command["text"])

    box = page.get_by_label("Message", exact=True)
    await box.press_sequentially("/po")
    await expect(page.get_by_role("option", name="/porter")).to_contain_text("Carry things")
    await box.press("Enter")
    await expect(page.get_by_role("option")).to_have_count(3)
    await box.press_sequentially("fe")
    await box.press("Tab")
    await expect(box).to_have_value("/porter fetch ")
    await expect(page.locator("#main .composer-hint")).to_have_text("/porter fetch THING")
    await box.press_sequentially("a <box>")
    await box.press("Enter")
    assert await heard.get() == "fetch a &lt;box&gt;"
    await expect(message(page, "on my way")).to_contain_text("Only visible to you")


async def test_a_modal_says_what_is_wrong_at_the_field_and_closes_when_taken(page: Page, app: AsyncApp) -> None:
    taken: asyncio.Queue[Json] = asyncio.Queue()

    @app.command("/porter")
    async def porter(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.view("fetch")
    async def fetch(ack, view) -> None:  # type: ignore[no-untyped-def]
        values = view["state"]["values"]
        if values["thing"]["thing"]["value"] == "moon":
            await ack(response_action="errors", errors={"thing": "The moon is too far away."})
            return
        await ack()
        await taken.put(values)

    box = page.get_by_label("Message", exact=True)
    await box.fill("/porter fetch")
    await box.press("Enter")
    modal = page.get_by_role("dialog", name="Fetch a thing")
    await expect(modal.get_by_label("Thing")).to_be_focused()
    await modal.get_by_label("Thing").fill("moon")
    await modal.get_by_label("Size").click()
    await expect(page.get_by_role("option", name="small")).to_contain_text("fits a pocket")
    await page.get_by_role("option", name="small").click()
    await modal.get_by_role("button", name="Fetch").click()
    await expect(modal.get_by_role("alert")).to_have_text("The moon is too far away.")
    await expect(modal.get_by_label("Thing")).to_have_attribute("aria-invalid", "true")
    await expect(modal.get_by_label("Thing")).to_have_value("moon")
    await modal.get_by_label("Thing").fill("cheese")
    await modal.get_by_role("button", name="Fetch").click()
    await expect(modal).to_have_count(0)
    values = await taken.get()
    assert values["thing"]["thing"]["value"] == "cheese"
    assert values["size"]["size"]["selected_option"]["value"] == "small"


async def test_a_required_field_is_asked_for_before_the_app_hears_of_it(page: Page, app: AsyncApp) -> None:
    @app.command("/porter")
    async def porter(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    box = page.get_by_label("Message", exact=True)
    await box.fill("/porter fetch")
    await box.press("Enter")
    modal = page.get_by_role("dialog")
    await modal.get_by_role("button", name="Fetch").click()
    await expect(modal.get_by_role("alert")).to_have_count(2)
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)


async def test_a_pushed_view_lies_on_top_and_back_leads_below(page: Page, app: AsyncApp) -> None:
    second = {"type": "modal", "title": words("Second"), "close": words("Back"), "blocks": [section("deeper")]}

    @app.command("/porter")
    async def porter(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        view = {"type": "modal", "title": words("First"), "blocks": [actions(button("More", "more"))]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.action("more")
    async def more(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await client.views_push(trigger_id=body["trigger_id"], view=second)

    box = page.get_by_label("Message", exact=True)
    await box.fill("/porter list")
    await box.press("Enter")
    await page.get_by_role("dialog", name="First").get_by_role("button", name="More").click()
    await expect(page.get_by_role("dialog", name="Second")).to_contain_text("deeper")
    await page.get_by_role("button", name="Back").click()
    await expect(page.get_by_role("dialog", name="First")).to_be_visible()


async def test_a_button_shows_that_it_works_until_the_card_changes(
    page: Page, workspace: Workspace, app: AsyncApp
) -> None:
    go_on = asyncio.Event()

    @app.action("pick")
    async def pick(ack, body, client: AsyncWebClient) -> None:  # type: ignore[no-untyped-def]
        await go_on.wait()
        await ack()
        await client.chat_update(channel=workspace.sessions, ts=body["message"]["ts"], text="Ana chose FTS")

    blocks = [section("Which index?"), actions(button("FTS", "pick", style="primary"), button("Later", "later"))]
    await app.client.chat_postMessage(channel=workspace.sessions, text="Which index?", blocks=blocks)
    fts = page.get_by_role("button", name="FTS")
    await fts.click()
    await expect(fts).to_have_attribute("aria-busy", "true")
    await expect(fts).to_be_disabled()
    go_on.set()
    await expect(message(page, "Ana chose FTS")).to_be_visible()
    await expect(fts).to_have_count(0)


async def test_an_app_that_does_not_answer_is_named_and_the_button_comes_back(
    page: Page, workspace: Workspace, app: AsyncApp
) -> None:
    await app.client.chat_postMessage(
        channel=workspace.sessions, text="quiet", blocks=[section("Quiet"), actions(button("Nobody hears", "nobody"))]
    )
    await page.get_by_role("button", name="Nobody hears").click()
    await expect(page.get_by_role("status").filter(has_text="Porter did not respond")).to_be_visible()
    await expect(page.get_by_role("button", name="Nobody hears")).to_be_enabled()


async def test_a_dangerous_button_asks_first(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    pressed: asyncio.Queue[str] = asyncio.Queue()

    @app.action("drop")
    async def drop(ack, action) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await pressed.put(action["value"])

    confirm = {"title": words("Drop it?"), "text": words("It breaks."), "confirm": words("Drop"), "deny": words("Keep")}
    blocks = [section("A vase"), actions(button("Let go", "drop", value="vase", confirm=confirm))]
    await app.client.chat_postMessage(channel=workspace.sessions, text="A vase", blocks=blocks)
    await page.get_by_role("button", name="Let go").click()
    await page.get_by_role("button", name="Keep").click()
    await expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert pressed.empty()
    await page.get_by_role("button", name="Let go").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Drop").click()
    assert await pressed.get() == "vase"


async def test_slash_commands_are_refused_in_threads(page: Page, workspace: Workspace) -> None:
    await workspace.say("ben", "a thread")
    await message(page, "a thread").hover()
    await message(page, "a thread").get_by_label("Reply in thread").click()
    reply = page.get_by_label("Reply", exact=True)
    await reply.fill("/porter list")
    await reply.press("Enter")
    await expect(
        page.get_by_role("status").filter(has_text="not supported in threads. Mention @Porter here instead")
    ).to_be_visible()
    await expect(reply).to_have_value("/porter list")


async def test_a_message_shortcut_reaches_the_app(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    carried: asyncio.Queue[str] = asyncio.Queue()

    @app.shortcut("carry")
    async def carry(ack, shortcut) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await carried.put(shortcut["message"]["text"])

    await workspace.say("ben", "a heavy bag")
    await message(page, "a heavy bag").hover()
    await message(page, "a heavy bag").get_by_label("More actions").click()
    await page.get_by_role("menuitem", name="Carry this").click()
    assert await carried.get() == "a heavy bag"


async def test_the_home_tab_is_what_the_app_published(page: Page, app: AsyncApp) -> None:
    @app.event("app_home_opened")
    async def home(event, client) -> None:  # type: ignore[no-untyped-def]
        await publish(client, event["user"], "Nothing waits")

    @app.action("refresh")
    async def refresh(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        await publish(client, body["user"]["id"], "Refreshed")

    async def publish(client: AsyncWebClient, user: str, title: str) -> None:
        blocks = [{"type": "header", "text": words(title)}, actions(button("Refresh", "refresh"))]
        await client.views_publish(user_id=user, view={"type": "home", "blocks": blocks})

    await page.get_by_role("button", name="Porter home").click()
    await expect(page.get_by_role("heading", name="Nothing waits")).to_be_visible()
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.get_by_role("heading", name="Refreshed")).to_be_visible()
