"""The WebSocket endpoint for hosts and runners: handshake, one connection per peer, graceful close."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from bot.link.connection import Connection, Refused
from bot.link.port import Links, Peer
from bot.services.links import HostPeer
from bot.wire import codec, version
from bot.wire.messages import Error, Hello, Welcome

log = structlog.get_logger()

HELLO_WITHIN = 10.0
"""Seconds a new connection has to say hello."""


def peer_name(peer: Peer) -> tuple[str, str]:
    """The role and name that a peer must give in its hello."""
    return ("host", peer.host) if isinstance(peer, HostPeer) else ("runner", peer.session)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class LinkServer:
    """``handler`` serves GET /runner. A newer connection of a peer replaces the older one."""

    def __init__(self, links: Links, heartbeat: float = 10.0) -> None:
        self._links = links
        self._heartbeat = heartbeat
        self._connections: dict[tuple[str, str], Connection] = {}
        self._closing = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def connected(self) -> tuple[tuple[str, str], ...]:
        """(role, name) of everyone on the line."""
        return tuple(self._connections)

    async def handler(self, request: web.Request) -> web.StreamResponse:
        if self._closing:
            raise web.HTTPServiceUnavailable(text="The bot is shutting down; try again soon.\n")
        token = _bearer(request)
        if not token:
            raise web.HTTPUnauthorized(
                text="No token. Send 'Authorization: Bearer <token>'; `switchboard enroll` at the bot gives one.\n"
            )
        peer = await self._links.authenticate(token)
        if peer is None:
            raise web.HTTPUnauthorized(
                text="This token is unknown or was revoked. Get another with `switchboard enroll` at the bot.\n"
            )
        # Twice the limit reaches us whole, so that the sender can be told in words what was too large.
        ws = web.WebSocketResponse(heartbeat=self._heartbeat, max_msg_size=2 * codec.MAX_FRAME)
        await ws.prepare(request)
        await self._serve(ws, peer)
        return ws

    async def drop(self, peer: Peer, why: str) -> None:
        """Close a peer's connection, for instance because its token was revoked."""
        if connection := self._connections.get(peer_name(peer)):
            await connection.end(Error("revoked", why, fatal=True))

    async def close(self) -> None:
        """Tell every peer to come back later. Events not yet acknowledged are sent again then."""
        self._closing = True
        await asyncio.gather(*(connection.end(None) for connection in tuple(self._connections.values())))

    async def _serve(self, ws: web.WebSocketResponse, peer: Peer) -> None:
        name = peer_name(peer)
        bound = log.bind(role=name[0], peer=name[1])
        try:
            hello, agreed = await self._greeted(ws, name)
        except Refused as refused:
            bound.warning("link.refused", code=refused.error.code, message=refused.error.message)
            if not ws.closed:
                await ws.send_bytes(codec.encode(refused.error))
                await ws.close(code=WSCloseCode.POLICY_VIOLATION, message=refused.error.code.encode())
            return
        connection = Connection(ws, self._links, peer, hello.epoch)
        older, self._connections[name] = self._connections.get(name), connection
        if older is not None:
            await older.end(Error("replaced", f"a newer connection of {name[0]} {name[1]} took over", fatal=True))
        try:
            acked = await self._links.greet(peer, hello)
            await connection.send(
                Welcome(version=agreed, acked_seq=acked, heartbeat=self._heartbeat, max_frame=codec.MAX_FRAME)
            )
            bound.info("link.connected", epoch=hello.epoch, acked_seq=acked, software=hello.software)
            await connection.run()
        except ConnectionError:
            pass
        finally:
            if self._connections.get(name) is connection:
                del self._connections[name]
                await asyncio.shield(self._links.disconnected(peer))
            bound.info("link.disconnected")

    async def _greeted(self, ws: web.WebSocketResponse, name: tuple[str, str]) -> tuple[Hello, int]:
        try:
            message = await ws.receive(timeout=HELLO_WITHIN)
        except TimeoutError:
            raise Refused("no_hello", f"no hello within {HELLO_WITHIN:g} s") from None
        if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
            raise Refused("no_hello", "the connection ended before its hello")
        try:
            hello = codec.decode(message.data)
        except codec.WireError as err:
            raise Refused(err.code, str(err)) from err
        if not isinstance(hello, Hello):
            raise Refused("no_hello", f"the first frame must be a hello, not {type(hello).__name__.lower()!r}")
        if hello.role != name[0] or hello.name not in ("", name[1]):
            raise Refused("wrong_peer", f"this token is for {name[0]} {name[1]}, not for {hello.role} {hello.name}")
        agreed = version.negotiate(hello.versions)
        if agreed is None:
            raise Refused(
                "version",
                f"this bot speaks protocol {version.SUPPORTED}, the peer {hello.versions}; update the older of the two",
            )
        return hello, agreed
