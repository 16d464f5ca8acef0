"""The WebSocket on which a person's page hears of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import WSMsgType, web

from bot.local_slack.errors import PersonError
from bot.local_slack.guard import Guard
from bot.local_slack.models import Json
from bot.local_slack.person.request import Ask, refusal
from bot.local_slack.workspace import Workspace

HEARTBEAT_SECONDS = 20


def socket(ws: Workspace, guard: Guard) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not guard.knows(request):
            return refusal(PersonError("not_allowed", "this needs the workspace's cookie or its person key", 403))
        try:
            person = Ask(ws, dict(request.query)).person()
        except PersonError as error:
            return refusal(error)
        page = ws.hub.join(person.id)
        connection = web.WebSocketResponse(timeout=1.0, heartbeat=HEARTBEAT_SECONDS)
        try:
            await connection.prepare(request)
            await connection.send_json({"type": "hello"})
            await _until_gone(connection, page)
        finally:
            ws.hub.leave(page)
        return connection

    return handle


async def _until_gone(connection: web.WebSocketResponse, page: asyncio.Queue[Json | None]) -> None:
    async with asyncio.TaskGroup() as group:
        writer = group.create_task(_write(connection, page), name="page writer")
        async for message in connection:
            if message.type is WSMsgType.ERROR:
                break
        writer.cancel()


async def _write(connection: web.WebSocketResponse, page: asyncio.Queue[Json | None]) -> None:
    while (push := await page.get()) is not None:
        try:
            await connection.send_json(push)
        except ConnectionError:
            return
    await connection.close()
