"""A link in trouble: it comes back, and never hot."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from msgspec import Raw

from bot.wire import codec
from bot.wire.messages import Error, Event, Frame, QuestionWithdrawn, Welcome
from runners.link.link import FIRST_TRIES, Pace
from tests.runners.board import WITHIN, running
from tests.runners.test_link import RUNNER, board, peer, said


async def test_a_sender_that_fails_is_noticed_and_the_link_comes_back(tmp_path: Path) -> None:
    found = board()
    async with running(found) as bot, peer(tmp_path, lambda: bot.url) as (spool, link):
        await found.connected(RUNNER)
        await asyncio.to_thread(change, tmp_path, "insert into events select 5, 'progress', 'no time', null, '{}'")
        await spool.commit()  # rings; the sender cannot read its spool, and nobody else closes the connection
        await found.connected(RUNNER, False)
        await asyncio.to_thread(change, tmp_path, "delete from events")
        await spool.put(said(1))
        assert await link.drained(WITHIN)
    assert found.all(QuestionWithdrawn) == [said(1)]
    assert len(found.hellos) > 1


def change(folder: Path, sql: str, *args: object) -> None:
    db = sqlite3.connect(folder / "spool.db")
    db.execute(sql, args)
    db.commit()
    db.close()


async def test_an_event_too_large_in_an_old_spool_is_cut_and_stops_nothing(tmp_path: Path) -> None:
    found = board()
    async with peer(tmp_path, lambda: url) as (spool, link):
        url = "http://127.0.0.1:9"
        await spool.put(said(1))
        await asyncio.to_thread(grow, tmp_path)
        await spool.put(said(2))
        async with running(found) as bot:
            url = bot.url
            assert await link.drained(WITHIN)
    first, second = found.all(QuestionWithdrawn)
    assert first.reason.endswith("(cut: too long for one message)")
    assert second == said(2)


def grow(folder: Path) -> None:
    body = codec.body_bytes(QuestionWithdrawn(said(1).question, "x" * 2 * codec.MAX_FRAME))
    change(folder, "update events set body = ?", body)


@asynccontextmanager
async def bot_that_ends_it(frame: Frame, *, greets: bool = True) -> AsyncIterator[tuple[str, list[float]]]:
    """Welcomes a peer, or does not, says this and closes; when it was connected to."""
    times: list[float] = []

    async def handler(request: web.Request) -> web.WebSocketResponse:
        times.append(asyncio.get_running_loop().time())
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.receive()
        if greets:
            await ws.send_bytes(codec.encode(Welcome(1, 0, 5.0, codec.MAX_FRAME)))
        await ws.send_bytes(codec.encode(frame))
        await ws.close()
        return ws

    app = web.Application()
    app.router.add_get("/runner", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", times
    finally:
        await runner.cleanup()


async def test_a_link_that_is_thrown_out_again_and_again_tries_ever_more_slowly(tmp_path: Path) -> None:
    ending = Error("frame_too_large", "too much", fatal=True)
    async with bot_that_ends_it(ending) as (url, times), peer(tmp_path, lambda: url), asyncio.timeout(WITHIN):
        while len(times) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert times[4] - times[3] > 3 * (times[1] - times[0])


async def test_a_replaced_host_gives_way_and_says_so(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with bot_that_ends_it(Error("replaced", "a newer one took over", fatal=True)) as (url, times):
            async with peer(tmp_path, lambda: url, "host"):
                async with asyncio.timeout(WITHIN):
                    while not (found := [entry for entry in logs if entry["event"] == "link.replaced"]):  # noqa: ASYNC110
                        await asyncio.sleep(0.02)
                assert found[0]["again_in"] >= 60
                assert "switchboard enroll" in found[0]["fix"]
            assert len(times) == 1


@pytest.mark.parametrize("greeted", [True, False])
async def test_a_replaced_runner_is_soon_back(tmp_path: Path, greeted: bool) -> None:
    ending = bot_that_ends_it(Error("replaced", "a newer one took over", fatal=True), greets=greeted)
    async with ending as (url, times), peer(tmp_path, lambda: url), asyncio.timeout(WITHIN):
        while len(times) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_only_a_connection_that_lived_starts_the_pace_anew() -> None:
    pace = Pace()
    waits = [pace.after(lived=0.5, fatal=False) for _ in FIRST_TRIES]
    assert waits[-1] > 2.0
    assert pace.after(lived=60.0, fatal=False) < 0.1
    for _ in FIRST_TRIES:
        pace.after(lived=None, fatal=False)
    assert pace.after(lived=60.0, fatal=True) > 2.0
    assert pace.after(lived=10.0, fatal=False) < 0.1


def test_a_bot_that_is_killed_a_few_times_in_a_row_is_soon_found_again() -> None:
    pace = Pace()
    for _ in range(3):
        assert pace.after(lived=1.0, fatal=False) < 0.6
        away = [pace.after(lived=None, fatal=False) for _ in FIRST_TRIES]
    assert away[-1] > 2.0


def test_a_frame_of_an_event_too_large_of_an_unknown_type_is_a_stub() -> None:
    from datetime import UTC, datetime

    from runners.link.link import framed

    event = Event(7, "session.sang", datetime(2026, 11, 23, tzinfo=UTC), Raw(b'"' + b"x" * codec.MAX_FRAME + b'"'))
    frame = codec.decode(framed(event))
    assert isinstance(frame, Event)
    assert (frame.seq, frame.type) == (7, "session.sang")
    assert "cut" in bytes(frame.body).decode()
