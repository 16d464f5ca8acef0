"""A bot as hosts and runners see it: the real link server over a board kept in memory, and words to wait for things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from aiohttp import web

from bot.link.port import Peer
from bot.link.server import LinkServer
from bot.services.links import HostPeer, RunnerPeer
from bot.wire import codec
from bot.wire.messages import CommandBody, Event, EventBody, Hello
from bot.wire.types import Person, PersonId, SessionId

__all__ = ["ANA", "WITHIN", "Board", "HostPeer", "RunnerPeer", "Running", "running"]

ANA = Person(PersonId("U1ANA"), "Ana", "ana@example.com")
WITHIN = 45.0
B = TypeVar("B")


@dataclass
class Board:
    """What a bot keeps: tokens, events by peer and epoch, commands until they are acknowledged."""

    tokens: dict[str, Peer] = field(default_factory=dict)
    events: list[tuple[SessionId | None, EventBody]] = field(default_factory=list)
    raw: list[Event] = field(default_factory=list)
    hellos: list[Hello] = field(default_factory=list)
    online: set[Peer] = field(default_factory=set)
    problems: dict[int, str] = field(default_factory=dict)
    record_delay: asyncio.Event | None = None
    _acked: dict[tuple[Peer, str], int] = field(default_factory=dict)
    _commands: dict[Peer, dict[int, CommandBody]] = field(default_factory=dict)
    _next: int = 1
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    # --- what the link server calls ----------------------------------------------------------------------------------

    async def authenticate(self, token: str) -> Peer | None:
        return self.tokens.get(token)

    async def greet(self, peer: Peer, hello: Hello) -> int:
        self.hellos.append(hello)
        self.online.add(peer)
        await self._notify()
        return self._acked.get((peer, hello.epoch), 0)

    async def record(self, peer: Peer, epoch: str, events: Sequence[Event]) -> int:
        if self.record_delay is not None:
            await self.record_delay.wait()
        acked = self._acked.get((peer, epoch), 0)
        for event in events:
            if event.seq <= acked:
                continue
            acked = event.seq
            self.raw.append(event)
            try:
                body = codec.event_body(event.type, event.body)
            except codec.WireError:
                continue
            session = peer.session if isinstance(peer, RunnerPeer) else event.session
            self.events.append((session, body))
        self._acked[peer, epoch] = acked
        await self._notify()
        return acked

    async def commands(self, peer: Peer, after: int) -> list[tuple[int, str, bytes]]:
        waiting = self._commands.get(peer, {})
        return [(key, body.type, codec.body_bytes(body)) for key, body in sorted(waiting.items()) if key > after]

    async def wait_commands(self, peer: Peer, after: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: any(key > after for key in self._commands.get(peer, {})))

    async def command_acked(self, peer: Peer, id: int, problem: str) -> None:  # noqa: A002
        self._commands.get(peer, {}).pop(id, None)
        self.problems[id] = problem
        await self._notify()

    async def disconnected(self, peer: Peer) -> None:
        self.online.discard(peer)
        await self._notify()

    # --- what tests say ----------------------------------------------------------------------------------------------

    async def tell(self, peer: Peer, body: CommandBody) -> int:
        command_id, self._next = self._next, self._next + 1
        self._commands.setdefault(peer, {})[command_id] = body
        await self._notify()
        return command_id

    async def acknowledged(self, command_id: int) -> str:
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(lambda: command_id in self.problems)
        return self.problems[command_id]

    async def heard(self, kind: type[B], count: int = 1, session: SessionId | None = None) -> B:
        """The ``count``-th event of this kind (of this session), as soon as it is there."""
        try:
            async with asyncio.timeout(WITHIN), self._changed:
                await self._changed.wait_for(lambda: len(self.all(kind, session)) >= count)
        except TimeoutError:
            raise AssertionError(
                f"no {kind.__name__} number {count}; heard {[body for _, body in self.events]}"
            ) from None
        return self.all(kind, session)[count - 1]

    async def connected(self, peer: Peer, yes: bool = True) -> None:
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(lambda: (peer in self.online) is yes)

    def sent(self) -> str:
        """Every byte that came of the events' bodies."""
        return b"\n".join(bytes(event.body) for event in self.raw).decode()

    def all(self, kind: type[B], session: SessionId | None = None) -> list[B]:
        return [body for whose, body in self.events if isinstance(body, kind) and session in (None, whose)]

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@dataclass(frozen=True)
class Running:
    board: Board
    server: LinkServer
    url: str
    port: int


@asynccontextmanager
async def running(board: Board, *, heartbeat: float = 5.0, port: int = 0) -> AsyncIterator[Running]:
    """The board behind a real socket."""
    server = LinkServer(board, heartbeat=heartbeat)
    app = web.Application()
    app.router.add_get("/runner", server.handler)
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    bound = runner.addresses[0][1]
    try:
        yield Running(board, server, f"http://127.0.0.1:{bound}", bound)
    finally:
        await server.close()
        await runner.cleanup()
