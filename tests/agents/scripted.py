"""A model for any coding agent: four services' APIs on loopback, one script of replies for all of them.

Replies are given in order, one for each request that offers tools; requests without tools (titles, summaries) get a
fixed line.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
TITLE = "A scripted session"


@dataclass(frozen=True)
class Says:
    """The model ends its turn with these words. ``once`` holds them back until it is set."""

    text: str
    once: asyncio.Event | None = None


@dataclass(frozen=True)
class Calls:
    """The model calls one of the agent's tools."""

    tool: str
    arguments: Json
    once: asyncio.Event | None = None


Reply = Says | Calls


@dataclass
class Model:
    replies: deque[Reply]
    url: str = ""
    """Without a path."""
    requests: list[str] = field(default_factory=list)
    """Every request that offered tools, as it came."""
    tools: list[str] = field(default_factory=list)
    """Names of the tools in the newest request."""
    asked: asyncio.Condition = field(default_factory=asyncio.Condition)

    def then(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    @property
    def heard(self) -> str:
        """The newest request: all that the model knows."""
        return self.requests[-1] if self.requests else ""

    async def requested(self, number: int) -> None:
        async with self.asked:
            await self.asked.wait_for(lambda: len(self.requests) >= number)

    async def next(self, body: Json, tools: list[str]) -> Reply:
        if not tools:
            return Says(TITLE)
        self.tools = tools
        self.requests.append(json.dumps(body, ensure_ascii=False))
        reply = self.replies.popleft() if self.replies else Says("The script has no more replies.")
        async with self.asked:
            self.asked.notify_all()
        if reply.once is not None:
            await reply.once.wait()
        return reply

    # --- four dialects

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        reply = await self.next(body, [tool["function"]["name"] for tool in body.get("tools") or ()])
        head = {"id": _id("chatcmpl"), "created": 0, "model": body.get("model", "")}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        message: Json = {"role": "assistant", "content": reply.text if isinstance(reply, Says) else None}
        why = "stop"
        if isinstance(reply, Calls):
            function = {"name": reply.tool, "arguments": json.dumps(reply.arguments)}
            message["tool_calls"] = [{"index": 0, "id": _id("call"), "type": "function", "function": function}]
            why = "tool_calls"
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": why}
            return web.json_response({**head, "object": "chat.completion", "choices": [choice], "usage": usage})
        head["object"] = "chat.completion.chunk"
        first = {"index": 0, "delta": message, "finish_reason": None}
        last = {"index": 0, "delta": {}, "finish_reason": why}
        chunks = ({"choices": [first]}, {"choices": [last]}, {"choices": [], "usage": usage})
        return await _stream(request, [{**head, **chunk} for chunk in chunks], end="data: [DONE]\n\n")

    async def responses(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        reply = await self.next(body, [str(tool.get("name")) for tool in body.get("tools") or ()])
        head = {"id": _id("resp")}
        usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
        item: Json = {"type": "function_call", "call_id": _id("call")}
        if isinstance(reply, Says):
            item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": reply.text}]}
        else:
            space, _, name = reply.tool.rpartition("/")
            item |= {"name": name, "arguments": json.dumps(reply.arguments)} | ({"namespace": space} if space else {})
        events = [
            {"type": "response.created", "response": head},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {**head, "usage": usage}},
        ]
        return await _stream(request, events, named=True)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        reply = await self.next(body, [str(tool.get("name")) for tool in body.get("tools") or ()])
        block: Json = {"type": "text", "text": reply.text} if isinstance(reply, Says) else {
            "type": "tool_use", "id": _id("toolu"), "name": reply.tool, "input": reply.arguments,
        }  # fmt: skip
        whole = {
            "id": _id("msg"), "type": "message", "role": "assistant", "model": body.get("model", ""),
            "content": [block], "stop_reason": "end_turn" if isinstance(reply, Says) else "tool_use",
            "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 20},
        }  # fmt: skip
        if not body.get("stream"):
            return web.json_response(whole)
        return await _stream(request, list(_pieces(whole, block)), named=True)

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """Gemini's; ``what`` is model:method."""
        body = await request.json()
        method = request.match_info["what"].rpartition(":")[2]
        if method == "countTokens":
            return web.json_response({"totalTokens": 100})
        names = [f["name"] for tool in body.get("tools") or () for f in tool.get("functionDeclarations") or ()]
        schema = (body.get("generationConfig") or {}).get("responseJsonSchema")
        reply = await self.next(body, [] if schema else names)
        part: Json = {"text": reply.text} if isinstance(reply, Says) else {
            "functionCall": {"name": reply.tool, "args": reply.arguments}
        }  # fmt: skip
        found = {
            "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120},
        }
        return await _stream(request, [found]) if method.startswith("stream") else web.json_response(found)


@asynccontextmanager
async def scripted(*replies: Reply) -> AsyncIterator[Model]:
    model = Model(deque(replies))
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", model.chat)
    app.router.add_post("/v1/responses", model.responses)
    app.router.add_post("/v1/messages", model.messages)
    app.router.add_post("/v1beta/models/{what}", model.generate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    model.url = f"http://{host}:{port}"
    try:
        yield model
    finally:
        await runner.cleanup()


async def _stream(
    request: web.Request, events: Sequence[Json], *, named: bool = False, end: str = ""
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    with contextlib.suppress(ConnectionError):  # an agent that was stopped does not listen any more
        await response.prepare(request)
        for event in events:
            head = f"event: {event['type']}\n" if named else ""
            await response.write(f"{head}data: {json.dumps(event)}\n\n".encode())
        await response.write(end.encode())
        await response.write_eof()
    return response


def _pieces(whole: Json, block: Json) -> Iterator[Json]:
    start = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": 100, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    if block["type"] == "text":
        empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        empty = {**block, "input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": whole["stop_reason"], "stop_sequence": None},
        "usage": whole["usage"],
    }
    yield {"type": "message_stop"}


def _id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:20]}"
