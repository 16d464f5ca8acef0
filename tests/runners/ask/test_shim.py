"""``switchboard mcp``: the tool over standard input and output, with MCP's own client as its agent."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp_types import CallToolResult

from runners.ask import tool
from runners.files import FOLDER
from tests.runners.ask.desk import WITHIN, People, house
from tests.runners.ask.test_mcp import INDEX, ask, text


def env(folder: Path | None, **more: str) -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SWITCHBOARD_")}
    return inherited | ({FOLDER: str(folder)} if folder else {}) | more


@asynccontextmanager
async def agent(environment: dict[str, str], *args: str) -> AsyncIterator[Client]:
    how = StdioServerParameters(command=sys.executable, args=["-m", "bot.cli", "mcp", *args], env=environment)
    async with Client(stdio_client(how), mode="legacy") as found:
        yield found


def failed(result: object) -> bool:
    return isinstance(result, CallToolResult) and result.is_error


async def test_it_is_the_same_tool(tmp_path: Path) -> None:
    async with house(tmp_path) as found, agent(env(tmp_path)) as client:
        [listed] = (await client.list_tools()).tools
        assert (listed.name, listed.description) == (tool.NAME, tool.DESCRIPTION)
        asking = asyncio.create_task(ask(client, INDEX))
        other = asyncio.create_task(ask(client, "What is it called?"))
        await found.people.question(2)
        for question, inquiry in found.people.asked.items():
            await found.people.answer(question, *(("FTS", "") if inquiry.options else ("", "Bluebird")))
        assert (await asking, await other) == ("Which index? FTS", "What is it called? Bluebird")


async def test_it_lives_through_restarts_of_the_runner_and_starts_before_it(tmp_path: Path) -> None:
    people = People()
    async with agent(env(tmp_path)) as client:
        assert (await client.list_tools()).tools
        asking = asyncio.create_task(ask(client, INDEX))
        for _ in range(2):
            async with house(tmp_path, people):
                await people.until(lambda: people.waiting == 1)
        async with house(tmp_path, people):
            await people.until(lambda: people.waiting == 1)
            await people.answer(await people.question(), "FTS")
            assert await asking == "Which index? FTS"
    assert len(people.asked) == 1


async def test_it_parks_before_its_agent_would_cut_it_off(tmp_path: Path) -> None:
    async with house(tmp_path) as found, agent(env(tmp_path), "--wait", "1") as client:
        assert tool.PARKED in await ask(client, INDEX)
        await found.people.answer(await found.people.question(), "FTS")
        assert await ask(client, INDEX) == "Which index? FTS"


async def test_progress_comes_through(tmp_path: Path) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        await heard.put(message)

    async with house(tmp_path, beat=0.05) as found, agent(env(tmp_path)) as client:
        asking = asyncio.create_task(client.call_tool(tool.NAME, {"questions": [INDEX]}, progress_callback=progress))
        assert await heard.get() == "Waiting for people to answer"
        await found.people.answer(await found.people.question(), "FTS")
        assert text(await asking) == "Which index? FTS"


async def test_what_cannot_be_asked_and_nobody_to_ask_are_results(tmp_path: Path) -> None:
    async with house(tmp_path), agent(env(tmp_path)) as client:
        result = await client.call_tool(tool.NAME, {"questions": []})
        assert (failed(result), "at least one" in text(result)) == (True, True)
    async with agent(env(None, SWITCHBOARD_HOST_DATA=str(tmp_path))) as client:
        result = await client.call_tool(tool.NAME, {"questions": ["Why?"]})
        assert (failed(result), "No host runs on this machine" in text(result)) == (True, True)
    (tmp_path / "ended").write_bytes(b"")
    async with agent(env(tmp_path)) as client:
        assert "The session has ended" in text(await client.call_tool(tool.NAME, {"questions": ["Why?"]}))


async def test_nonsense_gets_errors_and_the_next_line_its_answer(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "mcp", stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=env(tmp_path)
    )
    lines = [b"{", b"", b"[]", b"5", b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"nothing"}', b"[" * 50_000,
             b'{"jsonrpc":"2.0","id":2,"method":"ping"}']  # fmt: skip
    async with asyncio.timeout(WITHIN):
        out, _ = await process.communicate(b"\n".join(lines) + b"\n")
    replies: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
    assert [reply.get("error", {}).get("code") for reply in replies] == [
        -32700,
        -32600,
        -32600,
        -32700,
        -32601,
        -32700,
        None,
    ]
    assert replies[-1] == {"jsonrpc": "2.0", "id": 2, "result": {}}
    assert process.returncode == 0
