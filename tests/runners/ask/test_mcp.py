"""``ask_human`` as an agent calls it: MCP's own client on the other side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from structlog.testing import capture_logs

from runners.ask import tool
from runners.ask.patience import patience
from tests.runners.ask.desk import WITHIN, House, People, house

INDEX = {"question": "Which index?", "options": ["FTS", "Tantivy"]}


@asynccontextmanager
async def client(house: House, mode: str = "auto", query: str = "") -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers=house.headers, timeout=WITHIN) as http,
        Client(streamable_http_client(f"{house.door.ask_door.url}{query}", http_client=http), mode=mode) as found,
    ):
        yield found


def text(result: Any) -> str:
    assert isinstance(result, CallToolResult)
    [content] = result.content
    assert isinstance(content, TextContent)
    return content.text


async def ask(client: Client, *questions: Any, **more: Any) -> str:
    return text(await client.call_tool(tool.NAME, {"questions": list(questions), **more}))


@pytest.mark.parametrize("mode", ["auto", "legacy", "2026-07-28"])
async def test_a_question_is_asked_and_answered_in_every_version(tmp_path: Path, mode: str) -> None:
    async with house(tmp_path) as found, client(found, mode) as agent:
        [listed] = (await agent.list_tools()).tools
        assert listed.name == "ask_human"
        assert listed.annotations is not None
        assert listed.annotations.read_only_hint
        asking = asyncio.create_task(ask(agent, {**INDEX, "context": "FTS is shipped."}))
        question = await found.people.question()
        assert found.people.asked[question].context == "FTS is shipped."
        await found.people.answer(question, "Tantivy", "but pin it")
        assert await asking == "Which index? Tantivy: but pin it"


async def test_several_questions_of_one_call(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as agent:
        pages = {"question": "Which pages?", "options": ["Home", "Search", "About"], "multiple": True}
        asking = asyncio.create_task(ask(agent, INDEX, pages, "What is it called?", {
            "question": "Which colour?", "options": ["red", "blue"], "default": "red", "within": "30m",
        }))  # fmt: skip
        await found.people.question(4)
        first, second, third, assumed = found.people.asked
        await found.people.answer(third, text="Bluebird")
        await found.people.answer(second, more=("Home", "About"))
        await found.people.answer(first, "FTS")
        assert (await asking).splitlines() == [
            "1. Which index? FTS",
            "2. Which pages? Home, About",
            "3. What is it called? Bluebird",
            "4. Which colour? Go on with “red”. A person may object until 12:30 UTC on 02 Mar; you would be told.",
        ]
        assert assumed not in found.people.answers


async def test_an_assumed_question_does_not_wait_and_a_veto_is_seen_when_it_is_sent_again(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as agent:
        assumed = {**INDEX, "urgency": "assumed", "default": "FTS"}
        assert "Go on with “FTS”" in await ask(agent, assumed)
        await found.people.answer(await found.people.question(), "Tantivy")
        assert await ask(agent, assumed) == "Which index? Tantivy"
        assert len(found.people.asked) == 1


async def test_a_call_that_nobody_answers_in_time_is_parked_and_taken_up_again(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found, query="?wait=1") as agent:
        words = await ask(agent, INDEX, "What is it called?")
        assert words.splitlines()[:2] == ["1. Which index? (open)", "2. What is it called? (open)"]
        assert "end your turn now: the answer comes as your next message" in words
        first, second = found.people.asked
        await found.people.answer(first, "FTS")
        assert (await ask(agent, INDEX, "What is it called?")).startswith(
            "1. Which index? FTS\n2. What is it called? ("
        )
        await found.people.answer(second, text="Bluebird")
        assert await ask(agent, INDEX, "What is it called?") == "1. Which index? FTS\n2. What is it called? Bluebird"
        assert len(found.people.asked) == 2


async def test_a_session_that_cannot_be_prompted_is_told_to_call_again(tmp_path: Path) -> None:
    async with house(tmp_path, comes=False) as found, client(found, query="?wait=1") as agent:
        assert "call this tool again with the same questions" in await ask(agent, INDEX)


async def test_concurrent_calls_with_the_same_words_are_one_question(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as one, client(found, "legacy") as other:
        asking = [asyncio.create_task(ask(agent, INDEX)) for agent in (one, other, one)]
        await found.people.until(lambda: found.people.waiting == 3)
        await found.people.answer(await found.people.question(), "FTS")
        assert set(await asyncio.gather(*asking)) == {"Which index? FTS"}
        assert len(found.people.asked) == 1


async def test_the_same_words_later_are_a_new_question_but_not_when_they_are_sent_again(tmp_path: Path) -> None:
    people = People()
    async with house(tmp_path, people) as found, client(found) as agent:
        asking = asyncio.create_task(ask(agent, "May I go on?"))
        await people.answer(await people.question(), text="yes")
        await asking
        found.clock.passes(minutes=9)
        assert await ask(agent, "May I go on?") == "May I go on? yes"
        by_name = asyncio.create_task(ask(agent, "May I go on?", id="release"))
        await people.answer(await people.question(2), text="no")
        await by_name
    async with house(tmp_path, people) as found, client(found) as agent:
        found.clock.passes(minutes=30)
        again = asyncio.create_task(ask(agent, "May I go on?"))
        await people.answer(await people.question(3), text="not now")
        assert await again == "May I go on? not now"
        assert await ask(agent, "May I go on?", id="release") == "May I go on? no"
        assert len(people.asked) == 3


async def test_a_client_that_gives_up_or_goes_leaves_its_question_with_the_people(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        for mode in ("legacy", "2026-07-28"):
            async with client(found, mode) as agent:
                asking = asyncio.create_task(ask(agent, INDEX))
                await found.people.until(lambda: found.people.waiting == 1)
                asking.cancel()
                async with asyncio.timeout(WITHIN):
                    await found.people.idle.wait()
        assert found.people.withdrawn == {}
        await found.people.answer(await found.people.question(), "FTS")
        async with client(found) as agent:
            assert await ask(agent, INDEX) == "Which index? FTS"


async def test_a_restarted_runner_goes_on_with_the_client_it_never_met(tmp_path: Path) -> None:
    people = People()
    async with house(tmp_path, people) as found:
        url, headers = found.door.ask_door.url, found.headers
        http = httpx2.AsyncClient(headers=headers, timeout=WITHIN)
        transport = streamable_http_client(url, http_client=http)
        agent = await Client(transport, mode="legacy").__aenter__()
        first = asyncio.create_task(ask(agent, INDEX))
        await people.until(lambda: people.waiting == 1)
    with pytest.raises(Exception, match=r"."):  # its connection broke; what an agent does then is to call again
        await first
    async with house(tmp_path, people):
        again = asyncio.create_task(ask(agent, INDEX))
        await people.until(lambda: people.waiting == 1)
        await people.answer(await people.question(), "FTS")
        assert await again == "Which index? FTS"
        await agent.__aexit__(None, None, None)
        await http.aclose()
    assert len(people.asked) == 1


async def test_progress_tells_that_the_question_still_waits(tmp_path: Path) -> None:
    heard: asyncio.Queue[str | None] = asyncio.Queue()

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        await heard.put(message)

    async with house(tmp_path, beat=0.05) as found, client(found) as agent:
        asking = asyncio.create_task(
            agent.call_tool(tool.NAME, {"questions": [INDEX]}, progress_callback=progress, read_timeout_seconds=WITHIN)
        )
        assert await heard.get() == await heard.get() == "Waiting for people to answer"
        await found.people.answer(await found.people.question(), "FTS")
        assert text(await asking) == "Which index? FTS"


async def test_what_cannot_be_asked_is_a_result_that_the_model_reads(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as agent:
        result = await agent.call_tool(tool.NAME, {"questions": [{"question": ""}, {"question": "?", "options": 5}]})
        assert isinstance(result, CallToolResult)
        assert result.is_error
        assert "questions[0].question: is empty" in text(result)
        assert "questions[1].options: must be a list" in text(result)
        with pytest.raises(Exception, match="Unknown tool: rm"):
            await agent.call_tool("rm", {})
        assert not found.people.asked


async def test_an_id_with_other_words_never_gets_the_old_answer(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as agent:
        asking = asyncio.create_task(
            ask(agent, {"question": "Delete the temp folder?", "options": ["yes", "no"]}, id="1")
        )
        await found.people.answer(await found.people.question(), "yes")
        assert await asking == "Delete the temp folder? yes"
        said = await ask(agent, {"question": "Drop the production database?", "options": ["yes", "no"]}, id="1")
        assert "id “1” was asked before with other words: “Delete the temp folder?”; give a new id" in said
        assert "id “1” was asked before" in await ask(agent, "A?", "B?", id="1")
        same = {"question": "delete  the temp folder?", "options": ["yes", "no"], "context": "As said."}
        assert await ask(agent, same, id="1") == "delete  the temp folder? yes"
        assert len(found.people.asked) == 1


async def test_what_does_not_fit_in_a_title_makes_a_question_another_one(tmp_path: Path) -> None:
    async with house(tmp_path) as found, client(found) as agent:
        for number, what in enumerate(("the temp folder", "the production database"), 1):
            asking = asyncio.create_task(ask(agent, {"question": f"Delete this?\n{what}", "options": ["yes", "no"]}))
            await found.people.answer(await found.people.question(number), "yes" if number == 1 else "no")
            assert await asking == f"Delete this? {'yes' if number == 1 else 'no'}"


# --- without the client's help ---------------------------------------------------------------------------------------


async def post(house: House, message: object, **headers: str) -> tuple[int, Any, str]:
    async with (
        aiohttp.ClientSession() as http,
        http.post(house.door.ask_door.url, json=message, headers=house.headers | headers) as response,
    ):
        body = await response.read()
        return response.status, json.loads(body) if body else None, response.headers.get("Mcp-Session-Id", "")


def request(method: str, params: object = None, number: object = 1) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": number, "method": method} | ({} if params is None else {"params": params})


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25"), (5, "2025-11-25")],
)
async def test_versions_are_negotiated(tmp_path: Path, wanted: object, spoken: str) -> None:
    async with house(tmp_path) as found:
        params = {"protocolVersion": wanted, "clientInfo": {"name": "Codex MCP/Client", "version": "1"}}
        code, reply, session = await post(found, request("initialize", params))
        assert (code, reply["result"]["protocolVersion"]) == (200, spoken)
        assert session.startswith("codex-mcp-client.")


@pytest.mark.parametrize(
    ("message", "code", "error"),
    [
        ([request("ping")], 400, -32600),
        ({"id": 1, "method": "ping"}, 400, -32600),
        (request("ping", number=True), 400, -32600),
        (request("ping", number=None), 400, -32600),
        (request("ping", params=[]), 200, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": 5}, 400, -32600),
        (request("tools/destroy"), 200, -32601),
        (request("tools/call"), 200, -32602),
        (request("tools/call", {"name": ["ask_human"]}), 200, -32602),
        (request("ping", {"_meta": {"io.modelcontextprotocol/protocolVersion": "2030-01-01"}}), 400, -32022),
    ],
)
async def test_what_is_no_proper_request_gets_an_error(tmp_path: Path, message: object, code: int, error: int) -> None:
    async with house(tmp_path) as found:
        got, reply, _ = await post(found, message)
        assert (got, reply["error"]["code"]) == (code, error)


@pytest.mark.parametrize("half", ["\ud83d", "a\udcffb"])
async def test_half_a_character_hangs_no_call(tmp_path: Path, half: str) -> None:
    async with house(tmp_path) as found:
        asked = {"question": f"Go{half}?", "options": [half, "b"], "default": "b", half: 1}
        code, body, _ = await post(found, request("tools/call", {"name": tool.NAME, "arguments": asked}))
        assert (code, body["result"]["isError"]) == (200, True)
        assert "is unknown" in body["result"]["content"][0]["text"]
        for method, params in ((half, None), ("tools/call", {"name": half}), ("ping", None)):
            code, body, _ = await post(found, request(method, params, number=half))
            assert (code, body["id"]) == (200, half)
        code, body, _ = await post(found, request("ping", number=10**30))
        assert (code, body["id"]) == (200, 10**30)
    async with house(tmp_path) as found, client(found) as agent:
        assumed = {"question": f"Go{half}?", "options": [f"a{half}", "b"], "default": "b", "context": half}
        arguments = json.dumps([assumed])
        assert "Go" in text(await agent.call_tool(tool.NAME, {"questions": arguments}))
        (inquiry,) = found.people.asked.values()
        f"{inquiry}".encode()


async def test_a_failure_behind_an_open_stream_is_said_on_it(tmp_path: Path) -> None:
    class Broken(People):
        async def wait(self, *_: object) -> None:
            raise RuntimeError("as if")

    async with house(tmp_path, Broken()) as found, client(found) as agent:
        with capture_logs() as logs:
            assert "failed in the runner" in await ask(agent, INDEX)
        assert "door.failed" in [line["event"] for line in logs]


async def test_an_unknown_version_in_the_header_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        code, reply, _ = await post(found, request("ping"), **{"MCP-Protocol-Version": "1999-01-01"})
        assert (code, "is not spoken here" in reply["error"]) == (400, True)


async def test_notifications_and_responses_are_taken_in_silence(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        for message in (
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}},
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": {}}},
            {"jsonrpc": "2.0", "method": "notifications/whatever"},
            {"jsonrpc": "2.0", "id": 1, "result": {}},
        ):
            assert (await post(found, message))[:2] == (202, None)


async def test_deeply_nested_json_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as found, aiohttp.ClientSession() as http:
        deep = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + b"[" * 200_000
        async with http.post(found.door.ask_door.url, data=deep, headers=found.headers) as response:
            assert response.status == 400


@pytest.mark.parametrize(
    ("client", "how", "seconds"),
    [
        ("opencode", {}, 45),
        ("opencode", {"progress": True}, 3585),
        ("codex-mcp-client", {}, 285),
        ("gemini-cli-mcp-client", {"progress": True}, 585),
        ("somebody", {}, 45),
        ("", {"told": 86400.0}, 86385),
        ("codex-mcp-client", {"told": 4.0}, 3),
        ("", {"told": 0.0}, 1),
    ],
)
def test_patience(client: str, how: dict[str, Any], seconds: float) -> None:
    assert patience(client, **how) == seconds
