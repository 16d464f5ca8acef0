"""The link between a peer and the bot over real sockets: nothing lost, nothing twice, errors in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from msgspec import Raw

from bot.wire import codec
from bot.wire.messages import (
    Ack,
    Command,
    Error,
    Event,
    Frame,
    Hello,
    Prompt,
    QuestionWithdrawn,
    SessionChanged,
    Welcome,
)
from bot.wire.types import QuestionId, RunState, SessionId
from runners.errors import LinkRefused, RunnerError
from runners.link.link import Address, Link
from runners.link.spool import Spool
from tests.runners.board import ANA, WITHIN, Board, RunnerPeer, Running, running

S = SessionId("s1234567a")
RUNNER = RunnerPeer(S)
TOKEN = "secret"
AT = datetime(2026, 11, 23, tzinfo=UTC)
HELLO = Hello(versions=(1,), role="runner", name=S, epoch="e1", last_seq=0)


def board() -> Board:
    return Board(tokens={TOKEN: RUNNER})


def said(number: int) -> QuestionWithdrawn:
    return QuestionWithdrawn(QuestionId(f"q{number}"), "moved on")


@asynccontextmanager
async def peer(
    path: Path, url: Callable[[], str], role: Literal["host", "runner"] = "runner", **options: bool
) -> AsyncIterator[tuple[Spool, Link]]:
    async with Spool(path / "spool.db", lambda: AT) as spool:
        link = Link(role, S, lambda: Address(url(), TOKEN), spool, **options)
        task = asyncio.create_task(link.run())
        try:
            yield spool, link
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def raw(
    bot: Running, token: str = TOKEN, hello: Hello | None = HELLO
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A peer that says exactly what a test wants."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(bot.url + "/runner", headers=headers, max_msg_size=0) as ws,
    ):
        if hello is not None:
            await ws.send_bytes(codec.encode(hello))
        yield ws


async def frame(ws: aiohttp.ClientWebSocketResponse) -> Frame:
    return codec.decode((await ws.receive(timeout=WITHIN)).data)


async def closed(ws: aiohttp.ClientWebSocketResponse) -> int | None:
    message = await ws.receive(timeout=WITHIN)
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    return ws.close_code


# --- events ----------------------------------------------------------------------------------------------------------


async def test_events_arrive_in_order_and_leave_the_spool(tmp_path: Path) -> None:
    found = board()
    async with running(found) as bot, peer(tmp_path, lambda: bot.url) as (spool, link):
        for number in range(300):
            spool.put(said(number))
        assert await link.drained(WITHIN)
    assert found.all(QuestionWithdrawn) == [said(number) for number in range(300)]


async def test_what_happened_without_a_bot_is_told_once_when_it_is_back(tmp_path: Path) -> None:
    found, url = board(), "http://127.0.0.1:9"
    async with peer(tmp_path, lambda: url) as (spool, link):
        await spool.put(said(1))
        async with running(found) as bot:
            url = bot.url
            assert await link.drained(WITHIN)
            port = bot.port
        await spool.put(said(2))
        async with running(found, port=port):
            assert await link.drained(WITHIN)
    assert found.all(QuestionWithdrawn) == [said(1), said(2)]


async def test_events_whose_acknowledgement_was_lost_are_not_recorded_twice(tmp_path: Path) -> None:
    found = board()
    found.record_delay, url = asyncio.Event(), "http://127.0.0.1:9"
    async with peer(tmp_path, lambda: url) as (spool, link):
        async with running(found) as bot:
            url, port = bot.url, bot.port
            await found.connected(RUNNER)
            await spool.put(said(1))
            # The bot goes down with the event received and not acknowledged.
        found.record_delay = None
        async with running(found, port=port):
            assert await link.drained(WITHIN)
    assert found.all(QuestionWithdrawn) == [said(1)]


async def test_an_unknown_event_gets_an_error_and_is_acknowledged(tmp_path: Path) -> None:
    found = board()
    async with running(found) as bot, raw(bot) as ws:
        assert isinstance(await frame(ws), Welcome)
        await ws.send_bytes(codec.encode(Event(1, "session.danced", AT, Raw(b'{"how":"well"}'))))
        error = await frame(ws)
        assert isinstance(error, Error)
        assert error.code == "unknown_type"
        assert "session.danced" in error.message
        assert not error.fatal
        assert await frame(ws) == Ack(1)
        await ws.send_bytes(codec.encode(Event(2, "session.changed", AT, Raw(b'{"state":"dancing"}'))))
        error = await frame(ws)
        assert isinstance(error, Error)
        assert error.code == "bad_frame"
        assert await frame(ws) == Ack(2)
        await ws.send_bytes(codec.encode(codec.event(3, AT, SessionChanged(RunState.WORKING))))
        assert await frame(ws) == Ack(3)
    assert found.all(SessionChanged) == [SessionChanged(RunState.WORKING)]


# --- commands --------------------------------------------------------------------------------------------------------


async def test_commands_are_on_disk_before_they_are_acknowledged(tmp_path: Path) -> None:
    found = board()
    async with running(found) as bot, peer(tmp_path, lambda: bot.url) as (spool, link):
        first = await found.tell(RUNNER, Prompt("one", ANA))
        second = await found.tell(RUNNER, Prompt("two", ANA))
        assert await found.acknowledged(first) == ""
        assert await found.acknowledged(second) == ""
        assert [waiting.id for waiting in await spool.waiting()] == [first, second]
        assert link.arrived.is_set()


async def test_a_command_sent_again_is_taken_once(tmp_path: Path) -> None:
    found, url = board(), "http://127.0.0.1:9"
    async with peer(tmp_path, lambda: url) as (spool, _):
        async with running(found) as bot:
            url, port = bot.url, bot.port
            await found.acknowledged(await found.tell(RUNNER, Prompt("one", ANA)))
        found._commands[RUNNER] = {1: Prompt("one", ANA)}
        found.problems.clear()
        async with running(found, port=port):
            assert await found.acknowledged(1) == ""
            assert len(await spool.waiting()) == 1


async def test_a_command_from_a_newer_bot_is_refused_in_words(tmp_path: Path) -> None:
    found = board()

    class Dance(Prompt, frozen=True):
        type = "dance"

    async with running(found) as bot, peer(tmp_path, lambda: bot.url) as (spool, _):
        problem = await found.acknowledged(await found.tell(RUNNER, Dance("now", ANA)))
        assert "unknown command type 'dance'" in problem
        assert "update Switchboard" in problem
        assert await spool.waiting() == []


# --- handshake -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "words"), [({}, "No token"), ({"Authorization": "Bearer wrong"}, "unknown or was revoked")]
)
async def test_a_wrong_token_is_refused_in_words_before_the_upgrade(header: dict[str, str], words: str) -> None:
    async with (
        running(board()) as bot,
        aiohttp.ClientSession() as http,
        http.get(bot.url + "/runner", headers=header) as response,
    ):
        assert response.status == 401
        assert words in await response.text()


async def test_a_host_with_a_revoked_token_ends_and_names_the_fix(tmp_path: Path) -> None:
    found = board()
    found.tokens.clear()
    async with running(found) as bot, Spool(tmp_path / "spool.db", lambda: AT) as spool:
        link = Link("host", "", lambda: Address(bot.url, TOKEN), spool, give_up_when_refused=True)
        with pytest.raises(LinkRefused, match="switchboard enroll"):
            await asyncio.wait_for(link.run(), WITHIN)


@pytest.mark.parametrize(
    ("hello", "code"),
    [
        (Hello((99,), "runner", S, "e", 0), "version"),
        (Hello((1,), "runner", "s7654321b", "e", 0), "wrong_peer"),
        (Hello((1,), "host", S, "e", 0), "wrong_peer"),
    ],
)
async def test_a_hello_that_does_not_fit_is_refused(hello: Hello, code: str) -> None:
    async with running(board()) as bot, raw(bot, hello=hello) as ws:
        error = await frame(ws)
        assert isinstance(error, Error)
        assert error.code == code
        assert error.fatal
        assert await closed(ws) == 1008


async def test_the_first_frame_must_be_a_hello() -> None:
    async with running(board()) as bot, raw(bot, hello=None) as ws:
        await ws.send_bytes(codec.encode(Ack(1)))
        error = await frame(ws)
        assert isinstance(error, Error)
        assert error.code == "no_hello"


async def test_a_newer_connection_replaces_the_older() -> None:
    found = board()
    async with running(found) as bot, raw(bot) as older:
        assert isinstance(await frame(older), Welcome)
        async with raw(bot) as newer:
            assert isinstance(await frame(newer), Welcome)
            error = await frame(older)
            assert isinstance(error, Error)
            assert error.code == "replaced"
            await closed(older)
            assert RUNNER in found.online
            await newer.send_bytes(codec.encode(codec.event(1, AT, said(1))))
            assert await frame(newer) == Ack(1)
        await found.connected(RUNNER, False)


# --- bad frames ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"not json", "bad_frame"),
        (b'{"frame":"dance"}', "bad_frame"),
        (b"[1,2]", "bad_frame"),
        (b"\xff\xfe", "bad_frame"),
        (b'{"frame":"event","seq":"one","type":"x","at":"2026-01-01T00:00:00Z","body":{}}', "bad_frame"),
        (codec.encode(Error("x", "a" * codec.MAX_FRAME)), "frame_too_large"),
        (codec.encode(Welcome(1, 0, 1.0, 1)), "unexpected"),
    ],
    ids=["words", "unknown", "list", "not-utf8", "wrong-type", "large", "not-its-own"],
)
async def test_a_bad_frame_is_answered_in_words_and_ends_the_connection_only(data: bytes, code: str) -> None:
    found = board()
    async with running(found) as bot:
        async with raw(bot) as ws:
            assert isinstance(await frame(ws), Welcome)
            await ws.send_bytes(data)
            error = await frame(ws)
            assert isinstance(error, Error)
            assert error.code == code
            assert error.fatal
            await closed(ws)
        async with raw(bot) as again:
            assert isinstance(await frame(again), Welcome)


async def test_a_frame_beyond_all_limits_is_cut_off() -> None:
    async with running(board()) as bot, raw(bot) as ws:
        assert isinstance(await frame(ws), Welcome)
        with suppress(ConnectionError):
            await ws.send_bytes(b"x" * (3 * codec.MAX_FRAME))
        assert await closed(ws) in (1009, 1006)


async def test_a_bad_frame_from_the_bot_is_answered_and_survived(tmp_path: Path) -> None:
    from aiohttp import web

    answers: asyncio.Queue[Frame] = asyncio.Queue()

    async def odd_bot(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        await ws.send_bytes(codec.encode(Welcome(1, 0, 5.0, codec.MAX_FRAME)))
        await ws.send_str("garbage")
        await ws.send_bytes(codec.encode(Command(3, "prompt", Raw(codec.body_bytes(Prompt("hi", ANA))))))
        async for message in ws:
            await answers.put(codec.decode(message.data))
        return ws

    app = web.Application()
    app.router.add_get("/runner", odd_bot)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        async with peer(tmp_path, lambda: f"http://127.0.0.1:{runner.addresses[0][1]}") as (spool, _):
            error = await asyncio.wait_for(answers.get(), WITHIN)
            assert isinstance(error, Error)
            await asyncio.wait_for(answers.get(), WITHIN)
            assert [waiting.id for waiting in await spool.waiting()] == [3]
    finally:
        await runner.cleanup()


# --- life ------------------------------------------------------------------------------------------------------------


async def test_a_peer_that_hears_nothing_connects_anew(tmp_path: Path) -> None:
    connections: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    found = board()
    async with running(found, heartbeat=0.1) as bot:

        async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while data := await reader.read(65536):
                    writer.write(data)
                    await silent.wait()
            except ConnectionError:
                pass
            finally:
                writer.close()

        async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, out = await asyncio.open_connection("127.0.0.1", bot.port)
            await connections.put(writer)
            await asyncio.gather(pipe(reader, out), pipe(there, writer))

        silent = asyncio.Event()
        silent.set()
        proxy = await asyncio.start_server(through, "127.0.0.1", 0)
        async with peer(tmp_path, lambda: f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}") as (_, link):
            await asyncio.wait_for(connections.get(), WITHIN)
            await asyncio.wait_for(link.connected.wait(), WITHIN)
            silent.clear()  # the line stays open and says nothing
            await asyncio.wait_for(connections.get(), WITHIN)
        silent.set()
        proxy.close()


async def test_the_bot_goes_away_politely(tmp_path: Path) -> None:
    async with running(board()) as bot, raw(bot) as ws:
        assert isinstance(await frame(ws), Welcome)
        await bot.server.close()
        assert await closed(ws) == 1001
        async with aiohttp.ClientSession() as http:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with http.get(bot.url + "/runner", headers=headers) as response:
                assert response.status == 503


async def test_a_revoked_peer_is_dropped_with_the_reason() -> None:
    async with running(board()) as bot, raw(bot) as ws:
        assert isinstance(await frame(ws), Welcome)
        await bot.server.drop(RUNNER, "this host was removed")
        assert await frame(ws) == Error("revoked", "this host was removed", fatal=True)


# --- addresses -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bot", "url"),
    [
        ("http://127.0.0.1:8787", "ws://127.0.0.1:8787/runner"),
        ("http://localhost:1/", "ws://localhost:1/runner"),
        ("http://[::1]:8787", "ws://[::1]:8787/runner"),
        ("https://bot.example.com", "wss://bot.example.com/runner"),
        ("https://example.com/switchboard/", "wss://example.com/switchboard/runner"),
    ],
)
def test_the_bots_address_becomes_a_websocket(bot: str, url: str) -> None:
    assert Address(bot, TOKEN).ws_url() == url


@pytest.mark.parametrize("bot", ["http://bot.example.com", "ws://10.0.0.4:8787", "ftp://x", "bot.example.com", ""])
def test_an_address_that_would_give_the_token_away_is_refused(bot: str) -> None:
    with pytest.raises(RunnerError, match="https://"):
        Address(bot, TOKEN).ws_url()


def test_a_token_is_not_in_a_repr() -> None:
    assert TOKEN not in repr(Address("https://x", TOKEN))
