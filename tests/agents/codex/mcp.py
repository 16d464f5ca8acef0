"""An MCP server over HTTP with one tool, which may have a form filled in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

SCHEMA = {"type": "object", "properties": {"question": {"type": "string"}}}


@dataclass
class McpServer:
    tool: str
    form: dict[str, Any] | None = None
    url: str = ""
    tokens: set[str] = field(default_factory=set)
    queries: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._filled: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def post(self, request: web.Request) -> web.StreamResponse:
        self.tokens.add(request.headers.get("Authorization", ""))
        self.queries.add(request.query_string)
        message = await request.json()
        match message:
            case {"method": "initialize", "params": {"protocolVersion": version}}:
                about = {"name": "test", "version": "1"}
                return _said(message, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": about})
            case {"method": "tools/list"}:
                tool = {"name": self.tool, "description": "Does it", "inputSchema": SCHEMA}
                return _said(message, {"tools": [tool]})
            case {"method": "tools/call", "params": {"arguments": arguments}}:
                return await self._call(request, message, arguments)
            case {"id": _, "result": result} if "method" not in message:
                self._filled.put_nowait(result)
                return web.Response(status=202)
            case {"id": _}:
                return _said(message, {})
        return web.Response(status=202)

    async def _call(
        self, request: web.Request, message: dict[str, Any], arguments: dict[str, Any]
    ) -> web.StreamResponse:
        if self.form is None:
            return _said(message, _text(f"answer to {arguments.get('question')}"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        asked = {"message": "How shall it be painted?", "requestedSchema": self.form}
        await response.write(_event({"id": 77, "method": "elicitation/create", "params": asked}))
        filled = await self._filled.get()
        words = json.dumps(filled.get("content"))
        await response.write(_event({"id": message["id"], "result": _text(words)}))
        await response.write_eof()
        return response


def _said(message: dict[str, Any], result: dict[str, Any]) -> web.Response:
    return web.json_response({"jsonrpc": "2.0", "id": message["id"], "result": result})


def _text(words: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": words}]}


def _event(message: dict[str, Any]) -> bytes:
    return f"event: message\ndata: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode()


@asynccontextmanager
async def mcp_server(tool: str = "ask_human", form: dict[str, Any] | None = None) -> AsyncIterator[McpServer]:
    server = McpServer(tool, form)
    app = web.Application()
    app.router.add_post("/mcp", server.post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    server.url = f"http://{host}:{port}/mcp"
    try:
        yield server
    finally:
        await runner.cleanup()
