"""The connection, the home and the papers, without Codex."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from runners.agents.codex import home
from runners.agents.codex.papers import Drawer, Papers
from runners.agents.codex.rpc import Request, Rpc, RpcError

# --- the connection

Peer = Callable[[web.WebSocketResponse, Any], Any]


@asynccontextmanager
async def peer(path: Path, answer: Peer) -> AsyncIterator[None]:
    async def serve(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for frame in socket:
            if frame.type is WSMsgType.TEXT:
                await answer(socket, json.loads(frame.data))
        return socket

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    yield
    await runner.cleanup()


async def test_calls_are_answered_and_notices_come_in_order(tmp_path: Path) -> None:
    async def answer(socket: web.WebSocketResponse, message: Any) -> None:
        for number in range(100):
            await socket.send_json({"method": "count", "params": {"n": number}})
        await socket.send_json({"method": "ask", "id": "r1", "params": ["odd"]})
        await socket.send_json([1, 2] if message["method"] == "odd" else {"id": 99, "result": "nobody asked"})
        error = {"code": -1, "message": "no"}
        await socket.send_json(
            {"id": message["id"], **({"error": error} if message["method"] == "no" else {"result": 7})}
        )

    counted: list[Any] = []
    requests: list[Request] = []

    def count(_: str, params: Any) -> None:
        counted.append(params["n"])
        if params["n"] == 3:
            raise ValueError("not understood")

    rpc = Rpc(count, requests.append)
    async with peer(tmp_path / "s", answer):
        await rpc.connect(tmp_path / "s")
        assert await rpc.call("yes", {}) == 7
        assert counted == list(range(100))
        assert requests == [Request("r1", "ask", {})]
        with pytest.raises(RpcError, match="no"):
            await rpc.call("no", {})
        with pytest.raises(ConnectionError):
            await rpc.call("odd", {})
        assert rpc.fault == "a frame that is not a JSON object"
        await rpc.close()
        await rpc.close()
    with pytest.raises(ConnectionError):
        await rpc.call("yes", {})


async def test_a_peer_that_goes_away_ends_all_calls(tmp_path: Path) -> None:
    async def answer(socket: web.WebSocketResponse, message: Any) -> None:
        if message["method"] == "go":
            await socket.close()

    rpc = Rpc(lambda *_: None, lambda _: None)
    async with peer(tmp_path / "s", answer):
        await rpc.connect(tmp_path / "s")
        with pytest.raises(TimeoutError):
            await rpc.call("wait", {}, 0.01)
        calls = [asyncio.create_task(rpc.call(method, {})) for method in ("wait", "go")]
        for call in calls:
            with pytest.raises(ConnectionError):
                await call
        await rpc.closed.wait()
        await rpc.close()


async def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="s"):
        await Rpc(lambda *_: None, lambda _: None).connect(tmp_path / "s")


# --- the home


def test_a_session_gets_a_home_of_links_and_a_rule_of_its_own(tmp_path: Path) -> None:
    own, ours = tmp_path / "own", tmp_path / "session" / "home"
    (own / "rules").mkdir(parents=True)
    (own / "rules" / "mine.rules").write_text("# mine\n")
    (own / "config.toml").write_text('model = "m"\n')
    (own / "AGENTS.md").write_text("Be nice.\n")
    (own / "state_5.sqlite").write_text("")
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    for _ in range(2):
        env = home.layered(own, ours)
        assert env == {"CODEX_HOME": str(ours), "CODEX_SQLITE_HOME": str(ours)}
        assert sorted(rule.name for rule in (ours / "rules").iterdir()) == ["mine.rules", "zz-switchboard.rules"]
        (ours / "config.toml").write_text('model = "m"\n[projects."/x"]\ntrust_level = "trusted"\n')
    assert (ours / "AGENTS.md").resolve() == own / "AGENTS.md"
    assert (ours / "sessions").resolve() == own / "sessions"
    assert not (ours / "state_5.sqlite").exists()
    (ours / "auth.json").write_text("{}")  # a login made in the session is the person's
    assert (own / "auth.json").read_text() == "{}"
    (own / "auth.json").unlink()
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before


def test_a_login_in_the_keyring_keeps_its_home(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('cli_auth_credentials_store = "keyring"\n')
    assert home.layered(tmp_path, tmp_path / "ours") == {}
    assert not (tmp_path / "ours").exists()


def test_where_the_persons_home_is(tmp_path: Path) -> None:
    assert home.own_home({"CODEX_HOME": "/c", "HOME": "/h"}) == Path("/c")
    assert home.own_home({"HOME": "/h"}) == Path("/h/.codex")


# --- the papers


async def test_papers_are_found_again_and_bad_ones_are_no_papers(tmp_path: Path) -> None:
    drawer = Drawer(tmp_path)
    assert await drawer.load() == Papers()
    await drawer.keep(pid=7, thread="t")
    await drawer.keep(turn="u", changes={"i": [{"path": "p"}]})
    assert await Drawer(tmp_path).load() == Papers(pid=7, thread="t", turn="u", changes={"i": [{"path": "p"}]})
    (tmp_path / "codex.json").write_text('{"pid": "seven"}')
    assert await Drawer(tmp_path).load() == Papers()
    nowhere = Drawer(tmp_path / "gone")
    await nowhere.keep(pid=7)
    assert nowhere.papers.pid == 7
    assert await Drawer(None).load() == Papers()
