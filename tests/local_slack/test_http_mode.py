"""HTTP mode: signed requests that Bolt accepts, Slack's retries, and the switch between transports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

from bot.local_slack.manifest import AppManifest
from tests.local_slack.clock import ManualClock
from tests.local_slack.conftest import Inbox, Place, bolt, place_in

Json = dict[str, Any]


@contextlib.asynccontextmanager
async def listening(app: AsyncApp) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async with served(handle) as url:
        yield url


@contextlib.asynccontextmanager
async def served(handle: Callable[..., Any]) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes([web.post("/slack/events", handle)])
    async with TestServer(application) as server:
        yield str(server.make_url("/slack/events"))


@dataclass
class Endpoint:
    """A request URL that answers as told and keeps what it got."""

    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    got: asyncio.Queue[tuple[Json, Any]] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["type"] == "url_verification":
            return web.json_response({"challenge": body["challenge"]})
        await self.got.put((body, request.headers))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, headers=self.headers)


async def test_the_whole_round_trip_over_signed_http(place: Place, inbox: Inbox) -> None:
    app = bolt(place, signing_secret=place.running.ready["signing_secret"])

    @app.event("app_mention")
    async def mentioned(event: Json, say: Any) -> None:
        await say(text="hi", thread_ts=event["ts"])
        await inbox.put(event)

    @app.command("/probe")
    async def command(ack: Any, body: Json) -> None:
        await ack(text=f"got {body['text']}")

    @app.shortcut("probe_anywhere")
    async def anywhere(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=VIEW)

    @app.view("v")
    async def submitted(ack: Any) -> None:
        await ack(response_action="errors", errors={"b": "not like this"})

    ana = place.person()
    async with listening(app) as url:
        assert (await ana.post("transport", url=url))["transport"] == "http"
        await ana.say(place.sessions, "@probe hello")
        assert (await inbox.next())["text"] == f"<@{place.bot}> hello"
        assert (await ana.post("command", channel=place.sessions, command="/probe", text="a&b=c"))["ok"]
        assert (await ana.history(place.sessions))[-1]["text"] == "got a&amp;b=c"
        assert (await ana.post("shortcut", callback_id="probe_anywhere"))["ok"]
        view = (await ana.get("views"))["views"][0]
        values = {"b": {"a": {"value": "x"}}}
        answer = await ana.post("view/submit", view_id=view["id"], state={"values": values})
        assert answer["errors"] == {"b": "not like this"}


VIEW = {
    "type": "modal",
    "callback_id": "v",
    "title": {"type": "plain_text", "text": "T"},
    "submit": {"type": "plain_text", "text": "S"},
    "blocks": [
        {
            "type": "input",
            "block_id": "b",
            "label": {"type": "plain_text", "text": "L"},
            "element": {"type": "plain_text_input", "action_id": "a"},
        }
    ],
}


async def test_a_url_that_does_not_echo_the_challenge_is_refused(place: Place) -> None:
    async def wrong(request: web.Request) -> web.StreamResponse:
        return web.Response(text="hello")

    async with served(wrong) as url:
        answer = await place.person().post("transport", url=url)
    assert (answer["ok"], answer["error"]) == (False, "url_verification")
    assert url in answer["message"]


async def test_failures_are_retried_at_once_then_after_a_minute_and_five(tmp_path: Path, manifest: AppManifest) -> None:
    clock, endpoint = ManualClock(), Endpoint(statuses=[500, 503, 404])
    async with served(endpoint.handle) as url, place_in(tmp_path, manifest, clock=clock) as place:
        await place.person().post("transport", url=url)
        await place.person().say(place.sessions, "hello")
        first, headers = await asyncio.wait_for(endpoint.got.get(), 5)
        assert "x-slack-retry-num" not in headers
        for number, delay in ((1, 1), (2, 60), (3, 300)):
            await clock.advance(delay)
            again, headers = await asyncio.wait_for(endpoint.got.get(), 5)
            assert again["event_id"] == first["event_id"]
            assert (headers["x-slack-retry-num"], headers["x-slack-retry-reason"]) == (str(number), "http_error")


async def test_what_waited_for_a_socket_goes_over_http_after_the_switch(place: Place) -> None:
    endpoint = Endpoint()
    await place.person().say(place.sessions, "waiting")
    async with served(endpoint.handle) as url:
        await place.person().post("transport", url=url)
        assert (await asyncio.wait_for(endpoint.got.get(), 5))[0]["event"]["text"] == "waiting"


async def test_an_app_can_refuse_retries(place: Place) -> None:
    endpoint = Endpoint(statuses=[500], headers={"x-slack-no-retry": "1"})
    await place.faults(retry_delays=[0, 0, 0])
    async with served(endpoint.handle) as url:
        await place.person().post("transport", url=url)
        await place.person().say(place.sessions, "one")
        assert (await asyncio.wait_for(endpoint.got.get(), 5))[0]["event"]["text"] == "one"
        await place.person().say(place.sessions, "two")
        assert (await asyncio.wait_for(endpoint.got.get(), 5))[0]["event"]["text"] == "two"


async def test_nobody_listening_is_a_failed_dispatch(place: Place) -> None:
    ana = place.person()
    assert (await ana.post("transport", url="http://127.0.0.1:9/slack/events", verify=False))["ok"]
    answer = await ana.post("command", channel=place.sessions, command="/probe", text="")
    assert answer["error"] == "dispatch_failed"
    assert (await ana.post("transport", url=""))["transport"] == "socket"
