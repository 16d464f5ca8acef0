"""A model for coding agents to talk to: OpenAI's chat-completions API on loopback, its replies written in the test.

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

    def tool_results(self) -> list[str]:
        """What the agent told the model about its tool calls, in order."""
        last = self.requests[-1]["messages"] if self.requests else []
        return [_text(message["content"]) for message in last if message["role"] == "tool"]

    def prompts(self) -> list[str]:
        """What people told the agent, in order."""
        last = self.requests[-1]["messages"] if self.requests else []
        return [_text(message["content"]) for message in last if message["role"] == "user"]


@asynccontextmanager
async def model_server(replies: Sequence[Reply]) -> AsyncIterator[ModelServer]:
    """Serve these replies on a free port until the block ends. ``url`` ends in /v1."""
    model = ModelServer(replies)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/chat/completions", model.complete)
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
