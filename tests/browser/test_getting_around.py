"""Places and people: the address, switching who acts, the keyboard, phones, colours, and what calls for attention."""

from __future__ import annotations

from playwright.async_api import Page, expect
from slack_bolt.app.async_app import AsyncApp

from tests.browser.conftest import MARKS, OpenPage, Workspace, actions, button, message, section

pytestmark = MARKS

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


async def act_as(page: Page, name: str) -> None:
    await page.get_by_role("button", name="Switch person").click()
    await page.get_by_role("menuitem", name=name).click()
    await expect(page.get_by_role("button", name=f"Acting as {name}")).to_be_visible()


async def test_a_newcomer_is_told_what_to_type(page: Page) -> None:
    hint = page.get_by_label("Welcome", exact=True)
    await expect(hint).to_contain_text("Welcome, Ana")
    await hint.get_by_role("button", name="Begin with /porter fetch").click()
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/porter fetch ")
    await hint.get_by_label("Dismiss the welcome").click()
    await expect(hint).to_have_count(0)
    await page.reload()
    await expect(page.get_by_label("Message", exact=True)).to_be_visible()
    await expect(hint).to_have_count(0)


async def test_people_are_switched_and_each_keeps_what_is_theirs(
    page: Page, workspace: Workspace, app: AsyncApp
) -> None:
    await app.client.chat_postEphemeral(channel=workspace.sessions, user=workspace.person("ana"), text="for Ana only")
    await expect(message(page, "for Ana only")).to_be_visible()
    await act_as(page, "Ben")
    await expect(message(page, "for Ana only")).to_have_count(0)
    box = page.get_by_label("Message", exact=True)
    await box.fill("Ben was here")
    await box.press("Enter")
    await expect(message(page, "Ben was here").locator(".author")).to_have_text("Ben")
    await act_as(page, "Ana")
    await expect(message(page, "Ben was here")).to_be_visible()
    await expect(message(page, "for Ana only")).to_be_visible()


async def test_a_direct_message_counts_until_it_is_read(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    opened = await app.client.conversations_open(users=workspace.person("ana"))
    await app.client.chat_postMessage(channel=opened["channel"]["id"], text="two need you")
    row = page.get_by_role("button", name="Conversation with Porter, 1 unread")
    await expect(row.locator(".badge")).to_have_text("1")
    await expect(page.locator(".foot-count")).to_have_text("1")
    await page.get_by_label("Notifications", exact=True).click()
    panel = page.locator("#side")
    await expect(panel).to_contain_text("Ana would have been pinged once")
    await expect(page.locator(".foot-count")).to_have_count(0)
    await panel.get_by_role("button", name="Direct message").click()
    await expect(message(page, "two need you")).to_be_visible()
    await expect(page.locator(".badge")).to_have_count(0)


async def test_an_edit_never_counts(page: Page, workspace: Workspace, app: AsyncApp) -> None:
    posted = await app.client.chat_postMessage(channel=workspace.sessions, text="draft")
    await app.client.chat_update(
        channel=workspace.sessions, ts=posted["ts"], text=f"<@{workspace.person('ana')}> it is done"
    )
    await expect(message(page, "it is done")).to_be_visible()
    await page.get_by_label("Notifications", exact=True).click()
    await expect(page.locator("#side")).to_contain_text("would not have been pinged")


async def test_the_address_keeps_the_place(page: Page, workspace: Workspace) -> None:
    await workspace.say("ben", "hold this")
    await message(page, "hold this").hover()
    await message(page, "hold this").get_by_label("Reply in thread").click()
    await expect(page.get_by_label("Reply", exact=True)).to_be_visible()
    await page.reload()
    await expect(page.locator("#side").get_by_role("article")).to_contain_text("hold this")
    await page.get_by_role("button", name="Channel general").click()
    await expect(page.get_by_role("heading", name="general", exact=True)).to_be_visible()
    await page.go_back()
    await expect(page.locator("#side").get_by_role("article")).to_contain_text("hold this")


async def test_the_keyboard_reaches_everything(page: Page, workspace: Workspace) -> None:
    await workspace.say("ben", "one")
    await workspace.say("cleo", "two")
    await expect(message(page, "two")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.get_by_label("Go to", exact=True).last.press_sequentially("rand")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="random", exact=True)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("sess")
    await page.keyboard.press("Enter")
    await expect(message(page, "two")).to_be_visible()
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("k")
    await expect(message(page, "two")).to_be_focused()
    await page.keyboard.press("k")
    await expect(message(page, "one")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#side")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#side")).to_be_hidden()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("/")
    await expect(page.get_by_label("Message", exact=True)).to_be_focused()


async def test_a_modal_keeps_the_focus_inside(page: Page, app: AsyncApp) -> None:
    @app.command("/porter")
    async def porter(ack, body, client) -> None:  # type: ignore[no-untyped-def]
        await ack()
        view = {"type": "modal", "title": {"type": "plain_text", "text": "Look"}, "blocks": [section("only text")]}
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    box = page.get_by_label("Message", exact=True)
    await box.fill("/porter list")
    await box.press("Enter")
    modal = page.get_by_role("dialog", name="Look")
    await expect(modal).to_be_visible()
    for _ in range(5):
        await page.keyboard.press("Tab")
        assert await modal.evaluate("node => node.contains(document.activeElement)")
    await page.keyboard.press("Escape")
    await expect(modal).to_have_count(0)
    await expect(box).to_be_focused()


async def test_on_a_phone_the_sidebar_is_a_drawer_and_a_thread_fills_the_screen(
    open_page: OpenPage, workspace: Workspace, app: AsyncApp
) -> None:
    page = await open_page(**PHONE)
    posted = await app.client.chat_postMessage(
        channel=workspace.sessions,
        text="a card",
        blocks=[section("a card " * 30), actions(*(button(f"A long choice {n}", f"a{n}") for n in range(6)))],
    )
    await app.client.chat_postMessage(channel=workspace.sessions, thread_ts=posted["ts"], text="a reply")
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()
    await page.locator("#main .replies").tap()
    await expect(page.locator("#side")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    await page.get_by_label("Back to the channel").tap()
    await page.get_by_label("Channels", exact=True).tap()
    await expect(page.locator("#sidebar")).to_be_in_viewport()
    await page.get_by_role("button", name="Channel random").tap()
    await expect(page.get_by_role("heading", name="random", exact=True)).to_be_visible()
    await expect(page.locator("#sidebar")).not_to_be_in_viewport()


async def test_dark_follows_the_system_until_the_person_chooses(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="dark")
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 25, 27)"
    await page.get_by_label("Light colours").click()
    await expect(page.get_by_label("Dark colours")).to_be_visible()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    await page.reload()
    await expect(page.get_by_label("Dark colours")).to_be_visible()


async def test_without_the_key_there_is_no_page(page: Page, workspace: Workspace, open_page: OpenPage) -> None:
    assert page.context.browser is not None
    stranger = await (await page.context.browser.new_context()).new_page()
    answer = await stranger.goto(workspace.ready["open"])
    assert answer is not None
    assert answer.status == 403


async def test_the_traffic_between_app_and_workspace_can_be_read(
    page: Page, workspace: Workspace, app: AsyncApp
) -> None:
    await app.client.chat_postMessage(channel=workspace.sessions, text="seen passing")
    await page.get_by_label("Traffic between app and workspace").click()
    entry = page.locator(".call").filter(has_text="chat.postMessage")
    await entry.click()
    await expect(entry.locator("pre")).to_contain_text("seen passing")
