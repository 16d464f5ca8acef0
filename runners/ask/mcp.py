"""MCP over HTTP at the door: one JSON message a request; a call that waits for people is a stream that stays alive."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import structlog
from aiohttp import web

from bot.wire.types import QuestionId
from runners.ask import protocol, tool
from runners.ask.asking import RESENT, Asker
from runners.ask.calls import BadCall, Call, parse
from runners.ask.door import Door, refused
from runners.ask.patience import patience
from runners.ask.protocol import Ask, Noted, Reply
from runners.ask.tool import Outcome

log = structlog.get_logger()

SESSION, VERSION = "Mcp-Session-Id", "MCP-Protocol-Version"
BEAT = 15.0
"""Seconds between two signs of life: HTTP clients end a body that is silent for some minutes."""


class Failed:
    """A call whose answer could not be had, by our fault."""


class Mcp:
    """Keeps nothing of its callers but the calls under way: whoever was known to an earlier runner goes on as before.

    The id it hands out at a handshake carries the client's name, which decides how long a call may wait. A call that
    its client gives up, for whatever reason, is parked: its question stays with the people.
    """

    def __init__(
        self, asker: Asker, clock: Callable[[], datetime], *, comes: bool, told: float | None, beat: float = BEAT
    ) -> None:
        self._asker = asker
        self._clock = clock
        self._comes = comes
        self._told = told
        self._beat = beat
        self._calls: dict[tuple[str, protocol.RequestId], asyncio.Task[Outcome | Failed]] = {}

    def mount(self, door: Door) -> None:
        door.mount("/mcp", self._post)
        door.mount("/mcp", self._delete, "DELETE")

    async def _delete(self, _request: web.Request, _names: Mapping[str, str]) -> web.StreamResponse:
        return web.Response(status=204)  # there was nothing to end

    async def _post(self, request: web.Request, _names: Mapping[str, str]) -> web.StreamResponse:
        version = request.headers.get(VERSION, "")
        if version and version not in (*protocol.HANDSHAKE, *protocol.STATELESS):
            return refused(400, f"{VERSION} {version[:40]} is not spoken here; {protocol.HANDSHAKE[-1]} is.")
        message = protocol.received(await request.read(), version=protocol.software())
        match message:
            case Reply():
                return _replied(message, stateless=version in protocol.STATELESS)
            case Noted():
                self._give_up(request, message)
                return web.Response(status=202)
            case Ask():
                return await self._ask(request, message)

    def _give_up(self, request: web.Request, noted: Noted) -> None:
        number = protocol.cancelled(noted)
        if number is not None and (task := self._calls.get((_session(request), number))) is not None:
            task.cancel()

    async def _ask(self, request: web.Request, ask: Ask) -> web.StreamResponse:
        try:
            call = parse(ask.arguments, self._clock())
            ids = await self._asker.post(call, RESENT)
        except BadCall as err:
            log.info("ask.refused", problems=err.problems)
            return _json(protocol.called(ask, f"Nothing was asked. Put this right and call again:\n{err}", failed=True))
        stream = await _opened(request)
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._outcome(request, ask, call, ids), name="ask.call")
            place = (_session(request), ask.id)
            self._calls[place] = work
            try:
                outcome = await self._told_alive(stream, ask, work)
            finally:
                if self._calls.get(place) is work:
                    del self._calls[place]
        if isinstance(outcome, Failed):
            await _say(stream, protocol.called(ask, "That failed in the runner; its log says more.", failed=True))
        elif outcome is not None:
            text = tool.result(call, outcome, comes=self._comes)
            await _say(stream, protocol.called(ask, text))
            await self._asker.given(call, outcome)
        await stream.write_eof()
        return stream

    async def _outcome(
        self, request: web.Request, ask: Ask, call: Call, ids: tuple[QuestionId, ...]
    ) -> Outcome | Failed:
        client = ask.client or _session(request).rpartition(".")[0]
        told = _number(request.query.get("wait")) or self._told
        limit = patience(client, told=told, progress=ask.progress is not None)
        log.info("ask.posted", questions=ids, client=client, patience=limit)
        try:
            return await self._asker.wait(call, ids, limit)
        except Exception:
            # One call's boundary: its head is sent, so that its caller hears of it on the open stream or never.
            log.exception("door.failed", method="POST", path="/mcp")
            return Failed()

    async def _told_alive(
        self, stream: web.StreamResponse, ask: Ask, work: asyncio.Task[Outcome | Failed]
    ) -> Outcome | Failed | None:
        """Its outcome, or None once the client has given it up."""
        count = 0
        while not (await asyncio.wait({work}, timeout=self._beat))[0]:
            count += 1
            if ask.progress is None:
                await stream.write(b": waiting for people\n\n")
            else:
                await _say(stream, protocol.alive(ask.progress, count, "Waiting for people to answer"))
        return None if work.cancelled() else work.result()


def _session(request: web.Request) -> str:
    return request.headers.get(SESSION, "")


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"\d{1,8}", text) else None


def _replied(reply: Reply, *, stateless: bool) -> web.Response:
    headers = {}
    if reply.client is not None:
        name = re.sub(r"[^a-z0-9-]+", "-", reply.client.lower())[:60]
        headers[SESSION] = f"{name}.{secrets.token_hex(8)}"
    return _json(reply.message, status=protocol.status(reply, stateless=stateless), headers=headers)


def _json(message: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(body=_encoded(message), status=status, headers=headers, content_type="application/json")


def _encoded(message: Any) -> bytes:
    """Whatever a client named its call by goes back to it: half a character, or a number of thirty digits."""
    return json.dumps(message, separators=(",", ":")).encode()


async def _opened(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await stream.prepare(request)
    return stream


async def _say(stream: web.StreamResponse, message: protocol.Json) -> None:
    await stream.write(b"event: message\ndata: " + _encoded(message) + b"\n\n")
