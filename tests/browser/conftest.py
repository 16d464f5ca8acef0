"""The page in headless Chromium, on a workspace process of its own, with a Bolt app behind it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.chromium import MARKS as MARKS

Json = dict[str, Any]
MANIFEST = Path(__file__).parent / "manifest.yml"
on_shared_loop = pytest_asyncio.fixture(loop_scope="session")


@dataclass
class Workspace:
    """The running workspace, and people who act in it without a page."""

    ready: Json
    http: aiohttp.ClientSession

    @property
    def sessions(self) -> str:
        return str(self.ready["channels"]["sessions"])

    def person(self, name: str) -> str:
        return str(self.ready["people"][name])

    async def act(self, name: str, path: str, **body: Any) -> Json:
        """POST to the act-as-a-person API; refused calls fail the test."""
        url = f"{self.ready['url']}/person/{path}"
        async with self.http.post(url, json={"as": self.person(name), **body}) as answer:
            found = dict(await answer.json())
        assert found["ok"], found
        return found

    async def say(self, name: str, text: str, **more: Any) -> str:
        return str((await self.act(name, "message", channel=self.sessions, text=text, **more))["ts"])


@on_shared_loop
async def workspace(tmp_path: Path) -> AsyncIterator[Workspace]:
    command = ["-m", "bot.local_slack", "--data-dir", str(tmp_path), "--port", "0", "--manifest", str(MANIFEST)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        ready = json.loads(await process.stdout.readline())
        headers = {"Authorization": f"Bearer {ready['person_key']}"}
        async with aiohttp.ClientSession(headers=headers) as http:
            yield Workspace(ready, http)
    finally:
        process.terminate()
        await process.wait()


@on_shared_loop
async def app(workspace: Workspace) -> AsyncIterator[AsyncApp]:
    """A Bolt app on Socket Mode; tests add the listeners they need."""
    ready = workspace.ready
    client = AsyncWebClient(token=ready["bot_token"], base_url=ready["api"])
    bolt = AsyncApp(client=client, signing_secret=ready["signing_secret"])
    handler = AsyncSocketModeHandler(bolt, ready["app_token"])
    await handler.connect_async()
    yield bolt
    await handler.close_async()


OpenPage = Callable[..., Awaitable[Page]]


@on_shared_loop
async def open_page(browser: Browser, workspace: Workspace) -> AsyncIterator[OpenPage]:
    """Opens the page as a newcomer does; keywords go to the browser context. No script may fail, nothing be blocked."""
    wrong: list[str] = []
    cookies: list[Any] = []

    async def make(address: str = "/", **context: Any) -> Page:
        viewport = {"width": 1280, "height": 800}
        opened = await contexts.enter_async_context(await browser.new_context(**{"viewport": viewport, **context}))
        page = await opened.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
        if cookies:
            await opened.add_cookies(cookies)
            await page.goto(workspace.ready["url"] + address)
        else:
            await page.goto(workspace.ready["open"])
            cookies.extend(await opened.cookies())
        await expect(page.get_by_label("Message", exact=True)).to_be_visible()
        return page

    # A page that is left open looks for its workspace for ever, and all of them together keep a machine busy.
    async with AsyncExitStack() as contexts:
        yield make
    assert wrong == []


@on_shared_loop
async def page(open_page: OpenPage) -> Page:
    """The page as Ana sees it in #sessions."""
    return await open_page()


def message(page: Page, text: str) -> Locator:
    """The message that holds this text, in the channel or the thread."""
    return page.get_by_role("article").filter(has_text=text)


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(text: str, action: str, **more: Any) -> Json:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action, **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}
