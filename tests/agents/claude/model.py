"""Claude's model on loopback: the Anthropic Messages API, streamed, its replies written in the test.

The real Claude Code runs against it unchanged; only the model's words are scripted.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Says:
    """The model ends its turn with these words. ``once`` holds them back until it is set."""

    text: str
    once: asyncio.Event | None = None
    tokens: int = 20


@dataclass(frozen=True)
class Call:
    tool: str
    input: dict[str, Any]


@dataclass(frozen=True)
class Calls:
    """The model calls tools, all in one message."""

    calls: tuple[Call, ...]
    text: str = ""
    once: asyncio.Event | None = None
    tokens: int = 20


@dataclass(frozen=True)
class Fails:
    """The service refuses, as it does when it is overloaded or a limit is reached."""

    status: int
    kind: str
    message: str
    headers: dict[str, str] = field(default_factory=dict)


Reply = Says | Calls | Fails


def calls(tool: str, text: str = "", **arguments: Any) -> Calls:
    return Calls((Call(tool, arguments),), text)


@dataclass
class Model:
    """Replies are given in order, one for each request that offers tools; a sub-agent has a list of its own.

    ``agents`` is keyed by a word of the sub-agent's prompt. Requests without tools (titles) get a fixed line.
    """

    replies: deque[Reply]
    agents: dict[str, deque[Reply]] = field(default_factory=dict)
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Every request of the main conversation, as it came."""
    headers: list[dict[str, str]] = field(default_factory=list)

    def then(self, *replies: Reply) -> None:
        self.replies.extend(replies)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        reply = self._next(asked, dict(request.headers))
        if isinstance(reply, Fails):
            error = {"type": "error", "error": {"type": reply.kind, "message": reply.message}}
            return web.json_response(error, status=reply.status, headers=reply.headers)
        if reply.once is not None:
            await reply.once.wait()
        whole = _message(asked, reply)
        if not asked.get("stream"):
            return web.json_response(whole)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in _events(whole):
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await response.write_eof()
        return response

    def _next(self, asked: dict[str, Any], headers: dict[str, str]) -> Reply:
        if not asked.get("tools"):
            return Says("A scripted session")
        first = _text(asked["messages"][0].get("content"))
        for word, script in self.agents.items():
            if word in first:
                return script.popleft() if script else Says("The sub-agent's script has no more replies.")
        self.requests.append(asked)
        self.headers.append(headers)
        return self.replies.popleft() if self.replies else Says("The script has no more replies.")

    def results(self) -> list[str]:
        """What the model was told about its tool calls, in order, as of the newest request."""
        return [_text(block.get("content")) for block in self._blocks() if block.get("type") == "tool_result"]

    def prompts(self) -> str:
        """All that people said, as of the newest request."""
        return "\n".join(block.get("text", "") for block in self._blocks() if block.get("type") == "text")

    def system(self) -> str:
        return _text(self.requests[-1].get("system"))

    def _blocks(self) -> Iterator[dict[str, Any]]:
        for message in self.requests[-1]["messages"] if self.requests else ():
            content = message.get("content")
            if message["role"] != "user":
                continue
            if isinstance(content, str):
                yield {"type": "text", "text": content}
            else:
                yield from content


@asynccontextmanager
async def serve_model(replies: Sequence[Reply] = (), **agents: Sequence[Reply]) -> AsyncIterator[Model]:
    """Serve these replies on a free port until the block ends."""
    model = Model(deque(replies), {word: deque(script) for word, script in agents.items()})
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/messages", model.messages)
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


def _message(asked: dict[str, Any], reply: Says | Calls) -> dict[str, Any]:
    content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    if isinstance(reply, Calls):
        content += [
            {"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:20]}", "name": call.tool, "input": call.input}
            for call in reply.calls
        ]
    return {
        "id": f"msg_{uuid.uuid4().hex[:20]}",
        "type": "message",
        "role": "assistant",
        "model": asked.get("model", ""),
        "content": content,
        "stop_reason": "tool_use" if isinstance(reply, Calls) else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 100, "output_tokens": reply.tokens},
    }


def _events(whole: dict[str, Any]) -> Iterator[dict[str, Any]]:
    start = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": 100, "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ending, "usage": whole["usage"]}
    yield {"type": "message_stop"}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))
