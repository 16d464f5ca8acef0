"""A model for coding agents to talk to: OpenAI's two APIs on loopback, its replies written in the test.

Real agents run against it unchanged; only the model's words are scripted.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Says:
    """The model ends its turn with these words."""

    text: str


@dataclass(frozen=True)
class Calls:
    """The model calls one of the agent's tools."""

    tool: str
    arguments: dict[str, Any]
    text: str = ""


Reply = Says | Calls


@dataclass
class ModelServer:
    """The n-th reply answers the request that already holds n replies of ours: a retry gets the same one again.

    Requests without tools (agents have titles and summaries written) get a fixed line.
    """

    replies: Sequence[Reply]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Every request that offered tools, as it came."""

    async def complete(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        if not asked.get("tools"):
            return await self._send(request, asked, Says("A scripted session"))
        self.requests.append(asked)
        number = sum(message["role"] == "assistant" for message in asked["messages"])
        reply = self.replies[number] if number < len(self.replies) else Says("The script has no more replies.")
        return await self._send(request, asked, reply)

    async def _send(self, request: web.Request, asked: dict[str, Any], reply: Reply) -> web.StreamResponse:
        message, why = _message(reply)
        if not asked.get("stream"):
            return web.json_response({**_envelope(asked, "chat.completion"), "choices": [_choice(message, why)]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        delta = dict(message)
        if calls := delta.get("tool_calls"):
            delta["tool_calls"] = [{"index": n, **call} for n, call in enumerate(calls)]
        head = _envelope(asked, "chat.completion.chunk")
        for chunk in ({"delta": delta, "finish_reason": None}, {"delta": {}, "finish_reason": why}):
            await response.write(_event({**head, "choices": [{"index": 0, **chunk}]}))
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        await response.write(_event({**head, "choices": [], "usage": usage}))
        await response.write(b"data: [DONE]\n\n")
        await response.write_eof()
        return response

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """The Responses API, as Codex speaks it: always streamed, one item a reply."""
        asked = await request.json()
        self.requests.append(asked)
        number = sum(_is_ours(item) for item in asked["input"])
        reply = self.replies[number] if number < len(self.replies) else Says("The script has no more replies.")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": f"resp_{uuid.uuid4().hex[:12]}"}
        usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
        for event in (
            {"type": "response.created", "response": head},
            {"type": "response.output_item.done", "output_index": 0, "item": _item(reply)},
            {"type": "response.completed", "response": {**head, "usage": usage}},
        ):
            await response.write(f"event: {event['type']}\n".encode() + _event(event))
        await response.write_eof()
        return response

    def tool_results(self) -> list[str]:
        """What the agent told the model about its tool calls, in order."""
        return [_text(item.get("content", item.get("output"))) for item in self._last() if _is_result(item)]

    def prompts(self) -> list[str]:
        """What people told the agent, in order."""
        return [_text(item["content"]) for item in self._last() if item.get("role") == "user"]

    def _last(self) -> list[dict[str, Any]]:
        last = self.requests[-1] if self.requests else {}
        return last.get("messages") or last.get("input") or []


@asynccontextmanager
async def model_server(replies: Sequence[Reply]) -> AsyncIterator[ModelServer]:
    """Serve these replies on a free port until the block ends. ``url`` ends in /v1."""
    model = ModelServer(replies)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", model.complete)
    app.router.add_post("/v1/responses", model.respond)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    model.url = f"http://{host}:{port}/v1"
    try:
        yield model
    finally:
        await runner.cleanup()


def _message(reply: Reply) -> tuple[dict[str, Any], str]:
    match reply:
        case Says(text=text):
            return {"role": "assistant", "content": text}, "stop"
        case Calls(tool=tool, arguments=arguments, text=text):
            function = {"name": tool, "arguments": json.dumps(arguments)}
            call = {"id": f"call_{uuid.uuid4().hex[:12]}", "type": "function", "function": function}
            return {"role": "assistant", "content": text or None, "tool_calls": [call]}, "tool_calls"


def _item(reply: Reply) -> dict[str, Any]:
    match reply:
        case Says(text=text):
            return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        case Calls(tool=tool, arguments=arguments):
            call = f"call_{uuid.uuid4().hex[:12]}"
            return {"type": "function_call", "name": tool, "arguments": json.dumps(arguments), "call_id": call}


def _is_ours(item: dict[str, Any]) -> bool:
    return item.get("type") == "function_call" or item.get("role") == "assistant"


def _is_result(item: dict[str, Any]) -> bool:
    return item.get("role") == "tool" or item.get("type") == "function_call_output"


def _envelope(asked: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{uuid.uuid4().hex[:12]}", "object": kind, "created": 0, "model": asked.get("model", "")}


def _choice(message: dict[str, Any], why: str) -> dict[str, Any]:
    return {"index": 0, "message": message, "finish_reason": why}


def _event(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))
