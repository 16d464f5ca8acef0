"""Socket Mode: one-time tickets, at most ten sockets, each envelope to exactly one of them, acks on any."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass
from typing import Any

import structlog
from aiohttp import WSMessage, WSMsgType, web

from bot.local_slack.clock import Clock, within
from bot.local_slack.delivery import Envelope
from bot.local_slack.errors import NotDelivered
from bot.local_slack.faults import Faults
from bot.local_slack.ids import new_token
from bot.local_slack.models import Json

log = structlog.get_logger()

MOST_SOCKETS = 10
PING_SECONDS = 10
TICKET_SECONDS = 30
WARNING_SECONDS = 10


@dataclass(eq=False)
class Link:
    """One of the app's sockets. A ghost is still counted and still given envelopes, but nobody is there."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    ghost: bool = False


class SocketMode:
    """The transport over the app's own WebSocket connections."""

    def __init__(self, clock: Clock, faults: Faults, app_id: str) -> None:
        self._clock = clock
        self._faults = faults
        self._app_id = app_id
        self._tickets: dict[str, float] = {}
        self._links: list[Link] = []
        self._acks: dict[str, list[asyncio.Future[Json]]] = {}
        self._connected = asyncio.Event()
        self._turn = 0

    @property
    def connections(self) -> int:
        return len(self._links)

    def ticket(self) -> str:
        now = self._clock.time()
        self._tickets = {ticket: expires for ticket, expires in self._tickets.items() if expires > now}
        ticket = new_token()
        self._tickets[ticket] = now + TICKET_SECONDS
        return ticket

    async def reachable(self) -> None:
        await self._connected.wait()

    async def deliver(self, envelope: Envelope) -> Json:
        link = self._pick()
        if link is None:
            raise NotDelivered("connection_failed")
        ack: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._acks.setdefault(envelope.envelope_id, []).append(ack)
        try:
            # The deadline covers the sending too: a stopped app may leave its socket full.
            return await within(self._clock, self._faults.ack_seconds, _exchange(link, envelope, ack))
        except TimeoutError:
            raise NotDelivered("timeout") from None
        except ConnectionError:
            raise NotDelivered("connection_failed") from None
        finally:
            self._forget(envelope.envelope_id, ack)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if expires <= self._clock.time() or self._faults.take_refused_connection():
            return web.Response(status=401, text="invalid or used ticket: call apps.connections.open for a new one")
        socket = web.WebSocketResponse(timeout=1.0, heartbeat=PING_SECONDS, max_msg_size=4 * 1024 * 1024)
        await socket.prepare(request)
        if self.connections >= MOST_SOCKETS:
            await socket.send_json(self._disconnect("too_many_websockets"))
            await socket.close()
            return socket
        link = Link(socket, request.transport)
        self._links.append(link)
        try:
            await socket.send_json(self._hello(request))
            self._connected.set()
            async for message in socket:
                self._received(message)
        finally:
            self._lost(link)
        return socket

    async def disconnect(self, reason: str) -> None:
        """Ends every connection of this moment, with Slack's message for ``reason`` or without a word.

        ``abort`` cuts it; ``ghost`` cuts it too, but the connection stays registered, as happens to Slack.
        """
        links = [link for link in self._links if not link.ghost]
        for link in links:
            if reason in {"abort", "ghost"}:
                link.ghost = reason == "ghost"
                self._lost(link)
                if link.transport is not None:
                    link.transport.abort()
                continue
            with contextlib.suppress(ConnectionError):
                await link.socket.send_json(self._disconnect(reason))
        if reason == "warning":
            await self._clock.sleep(WARNING_SECONDS)
        for link in links:
            if reason not in {"abort", "ghost"}:
                self._lost(link)
                await link.socket.close()

    async def close(self) -> None:
        self.lay_ghosts()
        for link in list(self._links):
            self._lost(link)
            await link.socket.close()

    def _pick(self) -> Link | None:
        usable = [link for link in self._links if link.ghost or not link.socket.closed]
        if not usable:
            return None
        self._turn += 1
        return usable[self._turn % len(usable)]

    def _received(self, message: WSMessage) -> None:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            ack: Any = json.loads(message.data)
        except ValueError:
            log.warning("socket.garbage", length=len(message.data))
            return
        if not isinstance(ack, dict) or not isinstance(ack.get("envelope_id"), str):
            return
        if ack["envelope_id"] in self._acks and self._faults.take_lost_ack():
            return
        payload = ack.get("payload")
        for waiting in self._acks.get(ack["envelope_id"], ()):
            if not waiting.done():
                waiting.set_result(payload if isinstance(payload, dict) else {})

    def lay_ghosts(self) -> None:
        for link in [link for link in self._links if link.ghost]:
            link.ghost = False
            self._lost(link)

    def _lost(self, link: Link) -> None:
        if link.ghost:
            return
        if link in self._links:
            self._links.remove(link)
        if not self._links:
            self._connected.clear()
        # Whatever this socket carried cannot be acknowledged by it any more; another socket of the app still may,
        # but with none left there is no need to sit out the deadline.
        if not self._links:
            for waiting in [ack for acks in self._acks.values() for ack in acks]:
                if not waiting.done():
                    waiting.set_exception(NotDelivered("connection_failed"))

    def _forget(self, envelope_id: str, ack: asyncio.Future[Json]) -> None:
        if ack.done() and not ack.cancelled():
            ack.exception()  # Looked at, so that one nobody waited for any more is not reported as lost.
        waiting = self._acks.get(envelope_id, [])
        if ack in waiting:
            waiting.remove(ack)
        if not waiting:
            self._acks.pop(envelope_id, None)

    def _hello(self, request: web.Request) -> Json:
        return {
            "type": "hello",
            "num_connections": self.connections,
            "connection_info": {"app_id": self._app_id},
            "debug_info": {
                "host": request.host,
                "started": "embedded",
                "build_number": 1,
                "approximate_connection_time": 18060,
            },
        }

    def _disconnect(self, reason: str) -> Json:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "embedded"}}


async def _exchange(link: Link, envelope: Envelope, ack: asyncio.Future[Json]) -> Json:
    if not link.ghost:
        await link.socket.send_str(json.dumps(_frame(envelope), ensure_ascii=False))
    return await ack


def _frame(envelope: Envelope) -> Json:
    frame: Json = {
        "envelope_id": envelope.envelope_id,
        "type": envelope.kind,
        "accepts_response_payload": envelope.kind != "events_api",
        "payload": envelope.payload,
    }
    if envelope.kind == "events_api":
        frame |= {"retry_attempt": envelope.attempt, "retry_reason": envelope.reason}
    return frame
