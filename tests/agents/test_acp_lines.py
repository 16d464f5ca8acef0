"""What is written to an agent: every request of its gets an answer, whatever stands in it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runners.agents.acp.adapter import AcpAgent
from runners.agents.acp.lines import AcpLines
from runners.agents.base import Launch, Text
from tests.agents import acp_fake
from tests.contract.desk import RecordingDesk

ODD: list[Any] = [
    None,
    [],
    {"type": "array"},
    {"type": "object", "properties": {"a": {"type": "odd"}}},
    {"type": "object", "properties": {"a": {"type": "string", "minLength": "x", "pattern": 7}}},
    {"type": "object", "properties": {"a": {"type": "array", "items": {"anyOf": 5}}}},
]


@pytest.mark.parametrize("schema", ODD)
@pytest.mark.parametrize("mode", ["form", "odd", 7])
async def test_an_odd_form_is_answered(tmp_path: Path, schema: Any, mode: Any) -> None:
    heard = tmp_path / "heard"
    argv = (sys.executable, str(Path(acp_fake.__file__)), str(heard))
    launch = Launch("opencode", argv, tmp_path, tmp_path / "log", profile="opencode")
    agent = AcpAgent(launch, RecordingDesk([Text("x")]))
    await agent.start()
    asked = {"sessionId": "s1", "mode": mode, "message": "Well?", "requestedSchema": schema}
    try:
        async with asyncio.timeout(20):
            assert (await agent.prompt(f"form {json.dumps(asked)}")).reason == "done"
    finally:
        await agent.close()
    answer = next(json.loads(line) for line in heard.read_text().splitlines() if line.startswith("{"))
    assert answer["id"] == "f"
    assert "error" in answer or answer["result"]["action"]


@pytest.fixture
async def written() -> AsyncIterator[tuple[AcpLines, asyncio.StreamReader]]:
    reader: asyncio.Future[asyncio.StreamReader] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def hold(incoming: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader.set_result(incoming)
        await done.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    async with server:
        ours = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield AcpLines(*ours), await reader
        done.set()
        ours[1].close()
        await ours[1].wait_closed()


async def test_what_is_no_json_is_told_in_words_or_left_out(
    written: tuple[AcpLines, asyncio.StreamReader],
) -> None:
    lines, reader = written
    fault = {"code": -32602, "message": "Invalid params", "data": {"ctx": {"error": ValueError("not that")}}}
    await lines.send({"jsonrpc": "2.0", "id": 1, "error": fault})
    assert json.loads(await reader.readline())["error"]["data"]["ctx"]["error"] == "not that"
    await lines.send({"jsonrpc": "2.0", "id": 2, "error": {**fault, "data": {("a", "b"): 1}}})
    assert json.loads(await reader.readline()) == {
        "jsonrpc": "2.0",
        "id": 2,
        "error": {"code": -32603, "message": "Internal error"},
    }
