"""A network between runners and bot that a test can cut: a plain TCP relay on a free port."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress


class Proxy:
    """``cut`` breaks every connection and refuses new ones until ``mend``.

    It works on bare sockets: each is closed the moment its relay ends, so that none outlives its test.
    """

    def __init__(self) -> None:
        self.target: tuple[str, int] = ("127.0.0.1", 0)
        self.up = True
        self._listener: socket.socket
        self._accepting: asyncio.Task[None]
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    async def open(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._accepting = asyncio.create_task(self._accept(), name="proxy")

    async def close(self) -> None:
        self._accepting.cancel()
        self.cut()
        await asyncio.wait({self._accepting, *self._relays})
        self._listener.close()

    def cut(self) -> None:
        self.up = False
        for relay in self._relays:
            relay.cancel()

    def mend(self) -> None:
        self.up = True

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            near, _ = await loop.sock_accept(self._listener)
            if not self.up:
                near.close()
                continue
            far = socket.socket()
            relay = asyncio.create_task(self._relay(near, far), name="proxy.relay")
            self._relays.add(relay)
            relay.add_done_callback(lambda ended, ends=(near, far): self._ended(ended, *ends))

    def _ended(self, relay: asyncio.Task[None], *ends: socket.socket) -> None:
        self._relays.discard(relay)
        for end in ends:
            end.close()

    async def _relay(self, near: socket.socket, far: socket.socket) -> None:
        for end in (near, far):
            end.setblocking(False)
        with suppress(OSError):
            await asyncio.get_running_loop().sock_connect(far, self.target)
            ways = [asyncio.create_task(_pump(*way)) for way in ((near, far), (far, near))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.wait(ways)


async def _pump(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while data := await loop.sock_recv(source, 65536):
            await loop.sock_sendall(sink, data)
