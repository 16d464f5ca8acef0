"""A newcomer at the embedded workspace's page: what they see and click, in a browser, with nothing but the link."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
PICTURES = os.environ.get("SWITCHBOARD_TEST_PICTURES", "")
"""A folder that takes a picture of each step; people look at them, no test does."""


class Newcomer:
    """One page, opened with a link. Waits for what it looks for; a script error on the page fails the test."""

    def __init__(self, page: Page, name: str) -> None:
        self.page, self._name, self._steps = page, name, 0
        self.main, self.thread = page.locator("#main"), page.locator("#side")

    async def picture(self, step: str) -> None:
        if PICTURES:
            self._steps += 1
            await self.page.screenshot(
                path=Path(PICTURES) / f"{self._name}-{self._steps:02}-{step}.png", animations="disabled"
            )

    async def types(self, words: str, box: str = "Message") -> None:
        """Write into the message box (or the thread's "Reply") and press Enter."""
        field = self.page.get_by_label(box, exact=True)
        await field.fill(words)
        await field.press("Enter")

    async def starts_by_modal(self, task: str, repo: str) -> None:
        await self.types("/session start")
        modal = self.page.get_by_role("dialog", name="Start a session")
        await expect(modal.get_by_label("Task")).to_be_focused()
        await modal.get_by_label("Task").fill(task)
        await expect(modal).to_contain_text(repo)
        await self.picture("modal")
        await modal.get_by_role("button", name="Start").click()
        await expect(modal).to_have_count(0)

    async def opens_thread(self, words: str) -> None:
        """Of the channel's message that says ``words``."""
        await self.main.get_by_role("article").filter(has_text=words).locator(".replies").click()
        await expect(self.thread.get_by_label("Reply", exact=True)).to_be_visible()

    def card(self, words: str) -> Locator:
        """The newest message in the open thread that says ``words``; the session's own card names its decisions too."""
        return self.thread.get_by_role("article").filter(has_text=words).last

    async def presses(self, card: Locator, label: str) -> None:
        await card.get_by_role("button", name=label).first.click()

    async def confirms(self, label: str) -> None:
        dialog = self.page.get_by_role("alertdialog")
        await expect(dialog).to_be_visible()
        await self.picture("confirm")
        await dialog.get_by_role("button", name=label).click()

    async def goes_to(self, place: str) -> None:
        """A row of the sidebar: "Channel sessions", "Conversation with Switchboard", "Switchboard home"."""
        sidebar = self.page.locator("#sidebar")
        await sidebar.get_by_label(place).or_(sidebar.get_by_text(place, exact=True)).first.click()


@asynccontextmanager
async def newcomer(browser: Browser, link: str, name: str, **context: Any) -> AsyncIterator[Newcomer]:
    wrong: list[str] = []
    async with await browser.new_context(**{**WIDE, **context}) as opened:
        page = await opened.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        await page.goto(link)
        await expect(page.get_by_label("Message", exact=True)).to_be_visible()
        yield Newcomer(page, name)
        assert wrong == []
