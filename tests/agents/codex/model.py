"""OpenAI's Responses API on loopback, its replies written in the test: text, tool calls, failures, delays."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Says:
    text: str


@dataclass(frozen=True)
class Calls:
    """The model calls a tool; ``namespace`` is where Codex puts those of an MCP server."""

    tool: str
    arguments: dict[str, Any]
    namespace: str = ""


@dataclass(frozen=True)
class Scripts:
    """A newer model runs its tools from JavaScript."""

    code: str


Part = Says | Calls | Scripts


@dataclass(frozen=True)
class Both:
    """Several items in one reply."""

    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Fails:
    """The service answers with an error."""

    status: int
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangs:
    """The service takes the request and says nothing until the test is over."""


Reply = Part | Both | Fails | Hangs


Choose = Callable[[dict[str, Any]], Reply]
"""A reply that depends on the request: sub-agents ask beside their master."""


@dataclass
class Model:
    """The n-th request gets the n-th reply; what comes after the script gets words that say so.

    One ``Choose`` alone answers them all.
    """

    replies: Sequence[Reply | Choose]
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = asyncio.Event()
        self._asked = asyncio.Condition()

    async def respond(self, request: web.Request) -> web.StreamResponse:
        number = len(self.requests)
        self.requests.append(await request.json())
        async with self._asked:
            self._asked.notify_all()
        reply = self.replies[number] if number < len(self.replies) else Says("The script has no more replies.")
        if callable(self.replies[0] if self.replies else None):
            reply = self.replies[0]
        if callable(reply):
            reply = reply(self.requests[number])
        if isinstance(reply, Fails):
            return web.json_response(reply.body, status=reply.status, headers=reply.headers)
        if isinstance(reply, Hangs):
            await self._over.wait()
            return web.Response(status=500)
        return await self._stream(request, reply)

    async def _stream(self, request: web.Request, reply: Part | Both) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        head = {"id": f"resp_{uuid.uuid4().hex[:12]}"}
        usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
        parts = reply.parts if isinstance(reply, Both) else (reply,)
        events = [{"type": "response.created", "response": head}]
        for number, part in enumerate(parts):
            events.append({"type": "response.output_item.done", "output_index": number, "item": _item(part)})
        events.append({"type": "response.completed", "response": {**head, "usage": usage}})
        for event in events:
            await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        await response.write_eof()
        return response

    async def asked(self, number: int) -> dict[str, Any]:
        """The n-th request, as soon as it comes."""
        async with self._asked:
            await self._asked.wait_for(lambda: len(self.requests) >= number)
        return self.requests[number - 1]

    def tool_results(self) -> list[str]:
        """What the agent told the model about its tool calls, in order."""
        outputs = [item for item in self._last() if str(item.get("type")).endswith("_call_output")]
        return [_text(item.get("output")) for item in outputs]

    def told(self, role: str = "user") -> list[str]:
        return [_text(item["content"]) for item in self._last() if item.get("role") == role]

    def over(self) -> None:
        self._over.set()

    def _last(self) -> list[dict[str, Any]]:
        return self.requests[-1]["input"] if self.requests else []


@asynccontextmanager
async def serving(replies: Sequence[Reply | Choose]) -> AsyncIterator[Model]:
    """Serve these replies on a free port until the block ends. ``url`` ends in /v1."""
    model = Model(replies)
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/responses", model.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    model.url = f"http://{host}:{port}/v1"
    try:
        yield model
    finally:
        model.over()
        await runner.cleanup()


def _item(part: Part) -> dict[str, Any]:
    if isinstance(part, Says):
        return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": part.text}]}
    if isinstance(part, Scripts):
        made = {"type": "custom_tool_call", "name": "exec", "namespace": "functions", "input": part.code}
        return {**made, "call_id": f"call_{uuid.uuid4().hex[:12]}"}
    call = {"type": "function_call", "name": part.tool, "arguments": json.dumps(part.arguments)}
    space = {"namespace": part.namespace} if part.namespace else {}
    return {**call, **space, "call_id": f"call_{uuid.uuid4().hex[:12]}"}


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))
