"""Socket Mode's promises, with bare sockets to see every frame and with Bolt to see that it copes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.local_slack.manifest import AppManifest
from bot.local_slack.server import Options, serve
from tests.local_slack.clock import ManualClock
from tests.local_slack.conftest import Inbox, Place, bolt, connected, place_in

Json = dict[str, Any]


class Link:
    """One socket of the app, frame by frame."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, hello: Json) -> None:
        self.socket = socket
        self.hello = hello

    async def frame(self) -> Json:
        return dict(await self.socket.receive_json(timeout=5))

    async def ack(self, frame: Json, payload: Json | None = None) -> None:
        answer = {"envelope_id": frame["envelope_id"]}
        await self.socket.send_json(answer | ({"payload": payload} if payload is not None else {}))


async def new_url(place: Place) -> str:
    return str((await place.api.apps_connections_open(app_token=place.running.ready["app_token"]))["url"])


@contextlib.asynccontextmanager
async def link(place: Place) -> AsyncIterator[Link]:
    async with aiohttp.ClientSession() as http, http.ws_connect(await new_url(place)) as socket:
        yield Link(socket, dict(await socket.receive_json(timeout=5)))


async def test_a_ticket_works_once(place: Place) -> None:
    url = await new_url(place)
    async with aiohttp.ClientSession() as http:
        async with http.ws_connect(url) as socket:
            assert (await socket.receive_json())["type"] == "hello"
        for bad in (url, url.replace("ticket=", "ticket=x")):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await http.ws_connect(bad)
            assert refusal.value.status == 401


async def test_hello_counts_the_connections_and_the_eleventh_is_turned_away(place: Place) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for number in range(1, 11):
            opened = await stack.enter_async_context(link(place))
            assert opened.hello["num_connections"] == number
            assert opened.hello["connection_info"]["app_id"].startswith("A")
        extra = await stack.enter_async_context(link(place))
        assert (extra.hello["type"], extra.hello["reason"]) == ("disconnect", "too_many_websockets")


async def test_each_event_goes_to_one_socket_and_may_be_acknowledged_on_another(place: Place) -> None:
    async with link(place) as one, link(place) as two:
        seen = []
        for number in range(4):
            await place.person().say(place.sessions, str(number))
        for socket, other in ((one, two), (two, one)):
            for _ in range(2):
                frame = await socket.frame()
                seen.append(frame["payload"]["event"]["text"])
                await other.ack(frame)
        assert sorted(seen) == ["0", "1", "2", "3"]
    await until_delivered(place)


async def until_delivered(place: Place) -> None:
    async with asyncio.timeout(5):
        while place.running.workspace.state.pending:
            await asyncio.wait_for(place.person().get("traffic"), 5)


async def test_an_event_that_is_not_acknowledged_comes_again_with_the_same_ids(
    tmp_path: Path, manifest: AppManifest
) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place, link(place) as app:
        await place.person().say(place.sessions, "hello")
        first = await app.frame()
        assert (first["retry_attempt"], first["retry_reason"], first["accepts_response_payload"]) == (0, "", False)
        await clock.advance(3)
        await clock.advance(1)
        again = await app.frame()
        assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
        assert again["envelope_id"] == first["envelope_id"]
        assert again["payload"]["event_id"] == first["payload"]["event_id"]
        for attempt, delay in ((2, 60), (3, 300)):
            await clock.advance(3)
            await clock.advance(delay)
            assert (await app.frame())["retry_attempt"] == attempt
        await clock.advance(3)
        await until_delivered(place)  # Given up, as Slack does after the third retry.


async def test_events_wait_for_a_connection_and_a_late_ack_is_an_ack(place: Place) -> None:
    await place.person().say(place.sessions, "while you were out")
    async with link(place) as app:
        frame = await app.frame()
        assert frame["payload"]["event"]["text"] == "while you were out"
        await app.ack(frame)
        await until_delivered(place)


async def test_an_event_more_than_two_hours_late_is_not_delivered(tmp_path: Path, manifest: AppManifest) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place:
        await place.person().say(place.sessions, "old")
        clock.jump(2 * 60 * 60 + 1)
        await place.person().say(place.sessions, "new")
        async with link(place) as app:
            frame = await app.frame()
            assert frame["payload"]["event"]["text"] == "new"
            await app.ack(frame)
            await until_delivered(place)


async def test_a_dead_connection_sends_its_events_to_the_next(place: Place) -> None:
    await place.faults(retry_delays=[0, 0, 0])
    async with link(place) as first:
        await place.person().say(place.sessions, "hello")
        taken = await first.frame()
    async with link(place) as second:
        again = await second.frame()
        assert again["envelope_id"] == taken["envelope_id"]
        assert again["retry_attempt"] >= 1
        await second.ack(again)
    await until_delivered(place)


async def test_a_command_without_an_app_fails_at_once_and_is_never_sent_later(place: Place) -> None:
    ana = place.person()
    answer = await ana.post("command", channel=place.sessions, command="/probe", text="x")
    assert (answer["ok"], answer["error"]) == (False, "dispatch_failed")
    async with link(place) as app:
        await ana.say(place.sessions, "next")
        assert (await app.frame())["type"] == "events_api"


async def test_a_command_that_is_not_acknowledged_in_three_seconds_fails_for_the_person(
    tmp_path: Path, manifest: AppManifest
) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place, link(place) as app:
        ana = place.person()
        running = asyncio.ensure_future(ana.post("command", channel=place.sessions, command="/probe", text="x"))
        frame = await app.frame()
        assert frame["accepts_response_payload"] is True
        await clock.advance(3)
        answer = await running
        assert (answer["ok"], answer["error"]) == (False, "dispatch_failed")
        await app.ack(frame, {"text": "too late"})
        assert await ana.history(place.sessions) == []


async def test_a_refresh_closes_the_sockets_and_bolt_comes_back(place: Place, inbox: Inbox) -> None:
    app = bolt(place)

    @app.event("message")
    async def heard(body: Json) -> None:
        await inbox.put(body)

    async with connected(place, app):
        await place.person().say(place.sessions, "before")
        await inbox.event("message", text="before")
        await place.faults(disconnect="refresh_requested")
        await place.person().say(place.sessions, "after")
        await inbox.event("message", text="after")


async def test_a_cut_connection_says_nothing(place: Place) -> None:
    async with link(place) as app:
        assert (await place.faults(disconnect="abort"))["connections"] == 0
        message = await app.socket.receive(timeout=5)
        assert message.type in {aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.ERROR}


async def test_a_ghost_is_counted_and_swallows_its_share(place: Place) -> None:
    await place.faults(ack_seconds=0.05, retry_delays=[0] * 20)
    async with link(place):
        await place.faults(disconnect="ghost")
    async with link(place) as alive:
        assert alive.hello["num_connections"] == 2
        for text in ("one", "two"):
            await place.person().say(place.sessions, text)
        attempts: dict[str, int] = {}
        while len(attempts) < 2:
            frame = await alive.frame()
            attempts.setdefault(frame["payload"]["event"]["text"], frame["retry_attempt"])
            await alive.ack(frame)
        assert max(attempts.values()) >= 1
        assert (await place.faults(clear=True))["connections"] == 1


async def test_a_warning_comes_ten_seconds_before_the_end(tmp_path: Path, manifest: AppManifest) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place, link(place) as app:
        faults = asyncio.ensure_future(place.faults(disconnect="warning"))
        assert await app.frame() == {"type": "disconnect", "reason": "warning", "debug_info": {"host": "embedded"}}
        await clock.advance(10)
        await faults
        assert (await app.socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE


async def test_refused_tickets_lost_acks_and_duplicates_happen_on_demand(place: Place) -> None:
    await place.faults(refuse_tickets=1, drop_acks=1, duplicate_events=1, ack_seconds=0.05, retry_delays=[0])
    with pytest.raises(Exception, match="internal_error"):
        await new_url(place)
    async with link(place) as app:
        await place.person().say(place.sessions, "hello")
        frames = [await app.frame(), await app.frame()]
        assert frames[0]["payload"]["event_id"] == frames[1]["payload"]["event_id"]
        await app.ack(frames[0])  # Lost on the way.
        again = await app.frame()
        assert again["retry_attempt"] == 1
        await app.ack(again)
        await until_delivered(place)


async def test_the_server_pings_and_answers_pings(place: Place) -> None:
    async with link(place) as app:
        await app.socket.ping(b"sdk-ping-pong:1")
        await app.socket.send_str("garbage")
        await app.socket.send_str("[1]")
        await place.person().say(place.sessions, "still there")
        assert (await app.frame())["payload"]["event"]["text"] == "still there"


async def test_stopping_with_everybody_connected_takes_less_than_two_seconds(
    tmp_path: Path, manifest: AppManifest
) -> None:
    async with contextlib.AsyncExitStack() as outside:
        http = await outside.enter_async_context(aiohttp.ClientSession())
        async with asyncio.timeout(4), serve(Options(tmp_path, manifest)) as running:
            headers = {"Authorization": f"Bearer {running.ready['person_key']}"}
            for path in (
                f"/link/?ticket={running.workspace.socket_mode.ticket()}",
                f"/person/events?as={running.ready['people']['ana']}",
            ):
                await outside.enter_async_context(http.ws_connect(running.url + path, headers=headers))
            began = time.monotonic()
        assert time.monotonic() - began < 2
