"""HTTP mode: Slack posts to us, and only Slack may."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest_asyncio
from aiohttp import web

from bot.wire.messages import Asked, DeliverAnswer
from tests.slack.scene import Stage, slack_side, workspace
from tests.slack.test_conversation import choice, start


class Door:
    """A web server in front of the Slack side."""

    def __init__(self, stage: Stage, secret: str) -> None:
        self.stage = stage
        self.secret = secret
        self.url = ""

    async def post(self, body: str, secret: str | None = None, age: int = 0, kind: str = "application/json") -> int:
        stamp = str(int(time.time()) - age)
        signed = hmac.new((secret or self.secret).encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signed}"}
        async with aiohttp.ClientSession() as http, http.post(self.url, data=body, headers=headers) as answer:
            return answer.status


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with workspace(tmp_path / "workspace") as there:
        secret = there.ready["signing_secret"]
        config: dict[str, Any] = {"app_token": None, "signing_secret": secret}
        async with slack_side(tmp_path / "bot", there, **config) as stage:
            found = Door(stage, secret)
            app = web.Application()
            app.router.add_post("/slack/events", stage.side.http_handler)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
            answer = await there.call("transport", url=found.url)
            assert answer["ok"], answer
            try:
                yield found
            finally:
                await there.call("transport", url="")
                await runner.cleanup()


async def test_the_same_conversation(door: Door) -> None:
    ana = door.stage.workspace.person("ana")
    runner, channel, card = await start(door.stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.clicks(channel, asked, "Other…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="Both"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    await ana.says(channel, "and go on", card["ts"])
    await ana.sees(channel, "is at work", card["ts"])


async def test_only_slack_is_let_in(door: Door) -> None:
    body = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_home_opened", "user": "U1"}})
    assert await door.post(body) == 200
    assert await door.post(body, secret="somebody else's") == 401
    assert await door.post(body, secret=" ") == 401
    assert await door.post(body, age=301) == 401
    for stamp, signature in (("yesterday", "v0=1"), ("", ""), (str(int(time.time())), "v0=é"), ("١٢٣", "v0=1")):
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        async with aiohttp.ClientSession() as http, http.post(door.url, data=body, headers=headers) as answer:
            assert answer.status == 401, (stamp, signature)


JUNK = [
    "{}",
    "[]",
    "null",
    "not json at all",
    '{"type":"event_callback"}',
    '{"type":"event_callback","event":"x"}',
    '{"type":"event_callback","event":{"type":"message","user":{"id":7},"channel":[]}}',
    '{"type":"block_actions","actions":[],"user":null}',
    '{"type":"view_submission","view":{"state":7}}',
    '{"type":"view_submission","view":{"callback_id":"start","state":{"values":[]}},"user":{"id":"U1"}}',
    '{"command":7}',
]


async def test_junk_is_survived(door: Door) -> None:
    for body in JUNK:
        await door.post(body)
        await door.post(f"payload={quote(body)}", kind="application/x-www-form-urlencoded")
    ana = door.stage.workspace.person("ana")
    assert (await ana.types("help"))["ok"]
    await ana.sees(door.stage.workspace.channel("sessions"), "`/session help`")
