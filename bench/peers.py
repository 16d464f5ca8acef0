"""A host and a runner as the wire sees them, without git or an agent: what the bot costs, and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp

from bot.wire import codec
from bot.wire.messages import Ack, Command, CommandAck, CommandBody, EventBody, Hello, Welcome
from bot.wire.types import SessionId
from bot.wire.version import SUPPORTED


class WirePeer:
    """One connection that sends events and takes commands, acknowledging each at once."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: SessionId | None) -> None:
        self._socket, self._session, self._seq = socket, session, 0
        self.commands: asyncio.Queue[CommandBody] = asyncio.Queue()
        self.acked = 0

    async def tell(self, body: EventBody, session: SessionId | None = None) -> None:
        self._seq += 1
        frame = codec.event(self._seq, datetime.now(UTC), body, session or self._session)
        await self._socket.send_str(codec.encode(frame).decode())

    async def listen(self) -> None:
        async for message in self._socket:
            match codec.decode(message.data):
                case Command() as command:
                    await self._socket.send_str(codec.encode(CommandAck(command.id)).decode())
                    self.commands.put_nowait(codec.command_body(command.type, command.body))
                case Ack(seq):
                    self.acked = seq
                case _:
                    pass


@asynccontextmanager
async def connected(
    http: aiohttp.ClientSession, bot: str, token: str, role: str, name: str = "", session: SessionId | None = None
) -> AsyncIterator[WirePeer]:
    headers = {"Authorization": f"Bearer {token}"}
    async with http.ws_connect(bot.replace("http", "ws", 1) + "/runner", headers=headers) as socket:
        hello = Hello(SUPPORTED, role, name, secrets.token_hex(8), 0, (session,) if session else ())
        await socket.send_str(codec.encode(hello).decode())
        assert isinstance(codec.decode((await socket.receive()).data), Welcome)
        peer = WirePeer(socket, session)
        listening = asyncio.create_task(peer.listen(), name=f"bench {role}")
        try:
            yield peer
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
