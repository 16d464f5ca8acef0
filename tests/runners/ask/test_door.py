"""The door itself: who gets in, where it stands after a restart, and what no bad request does to it."""

from __future__ import annotations

import asyncio
import io
import json
import stat
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from runners.ask.door import MOST_BYTES, Door
from runners.ask.paper import DOOR, read_paper
from tests.runners.ask.desk import WITHIN, House, house


async def status(
    house: House, path: str, method: str = "POST", data: bytes = b"{}", headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.request(
            method, f"{house.door.url}{path}", data=io.BytesIO(data), headers={**house.headers, **(headers or {})}
        ) as response,
    ):
        return response.status, await response.text()


async def test_its_paper_is_for_its_user_alone_and_hides_its_token(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        assert stat.S_IMODE((tmp_path / DOOR).stat().st_mode) == 0o600
        paper = read_paper(tmp_path)
        assert paper is not None
        assert (f"{paper.url}/mcp", paper.token) == (found.door.ask_door.url, found.door.ask_door.token)
        assert paper.token not in f"{paper}{found.door.ask_door}"


async def test_a_restarted_runner_has_the_same_door(tmp_path: Path) -> None:
    async with house(tmp_path) as first:
        before = first.door.ask_door
    async with house(tmp_path) as second:
        assert second.door.ask_door == before


async def test_a_port_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    async with house(tmp_path / "a") as first:
        paper = (first.folder / DOOR).read_bytes()
        (tmp_path / "b" / DOOR).write_bytes(paper)
        async with house(tmp_path / "b") as second:
            assert second.door.url != first.door.url
            assert second.door.ask_door.token == first.door.ask_door.token


@pytest.mark.parametrize("paper", [b"", b"{", b'{"url": 5}', b'{"url": "http://x:99999999", "token": "t"}', b"\xff"])
async def test_a_spoiled_paper_is_written_anew(tmp_path: Path, paper: bytes) -> None:
    (tmp_path / DOOR).write_bytes(paper)
    async with house(tmp_path) as found:
        assert read_paper(tmp_path) is not None
        assert (await status(found, "/withdraw", data=b'{"ids": [], "reason": ""}'))[0] == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Authorization": "Bearer é"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
async def test_strangers_stay_outside(tmp_path: Path, headers: Mapping[str, str], code: int) -> None:
    async with house(tmp_path) as found:
        got, words = await status(found, "/ask", headers=headers)
        assert got == code
        assert json.loads(words)["error"]
        assert not found.people.asked


async def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        assert (await status(found, "/nothing"))[0] == 404
        assert (await status(found, "/ask", "GET"))[0] == 405
        assert (await status(found, "/mcp", "GET"))[0] == 405  # it offers no stream of its own
        assert (await status(found, "/mcp", "DELETE"))[0] == 204


async def test_a_huge_body_is_refused_and_the_next_one_served(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        for path in ("/ask", "/mcp", "/withdraw"):
            code, words = await status(found, path, data=b"x" * (MOST_BYTES + 1))
            assert (code, "Say it shorter" in words) == (413, True)
        assert (await status(found, "/mcp", data=b'{"jsonrpc":"2.0","id":1,"method":"ping"}'))[0] == 200


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"5", b'{"ids": 5}', b'{"arguments": 5, "wait": "x"}', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["/ask", "/withdraw", "/mcp"])
async def test_nonsense_is_refused_in_words(tmp_path: Path, path: str, data: bytes) -> None:
    async with house(tmp_path) as found:
        code, words = await status(found, path, data=data)
        assert code == 400
        assert json.loads(words)["error"]


async def test_a_token_that_is_no_text_is_a_wrong_token(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        reader, writer = await asyncio.open_connection(*found.door.url.removeprefix("http://").split(":"))
        writer.write(
            b"POST /ask HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\r\nContent-Length: 0\r\n\r\n"
        )
        async with asyncio.timeout(WITHIN):
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        writer.close()


@pytest.mark.parametrize("path", ["/ask", "/withdraw"])
async def test_deep_json_is_refused_in_words(tmp_path: Path, path: str) -> None:
    async with house(tmp_path) as found:
        code, words = await status(found, path, data=b'{"reason": "", "arguments":' + b"[" * 100_000)
        assert (code, "nested too deeply" in words) == (400, True)


@pytest.mark.parametrize("path", ["/ask", "/withdraw", "/mcp"])
async def test_a_body_that_is_not_as_its_head_says_is_refused(tmp_path: Path, path: str) -> None:
    async with house(tmp_path) as found:
        code, words = await status(found, path, headers={"Content-Encoding": "gzip"})
        assert (code, "cannot be read" in words) == (400, True)


async def test_others_mount_their_own_paths(tmp_path: Path) -> None:
    async def hook(request: web.Request, names: Mapping[str, str]) -> web.StreamResponse:
        if names["event"] == "Broken":
            raise RuntimeError("as if")
        return web.json_response({"event": names["event"], "said": await request.text()})

    async with Door(tmp_path) as door:
        found = House(tmp_path, door, None, None)  # type: ignore[arg-type]
        door.mount("/hook/{event}", hook)
        code, words = await status(found, "/hook/Stop", data=b"hello")
        assert (code, json.loads(words)) == (200, {"event": "Stop", "said": "hello"})
        assert (await status(found, "/hook/a/b"))[0] == 404
        with capture_logs() as logs:
            code, words = await status(found, "/hook/Broken")
        assert [line["event"] for line in logs] == ["door.failed"]
        assert (code, "its log says more" in words) == (500, True)
