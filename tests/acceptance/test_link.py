"""The page's door: a printed link opens it once, `switchboard link` prints another, nobody else gets in."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp

from tests.acceptance.up import ROOT, environment, up


async def printed_by(data: Path) -> str:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "link", "--data-dir", str(data)),
        cwd=ROOT,
        env=environment(data.parent / "home"),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await run.communicate()
    assert run.returncode == 0
    return out.decode().removeprefix("Open ").strip()


async def status(link: str) -> int:
    """What a browser that was never here gets."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser, browser.get(link) as page:
        return page.status


async def test_each_link_opens_the_page_once_and_another_can_be_had(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data) as running:
        assert await status(running.link) == 200
        assert await status(running.link) == 403
        another = await printed_by(data)
        assert await status(another) == 200
        assert await status(another) == 403
        page = another.partition("/open")[0]
        assert await status(page + "/") == 403
        async with aiohttp.ClientSession() as stranger, stranger.post(page + "/link") as refused:
            assert refused.status == 403
