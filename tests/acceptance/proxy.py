"""A network between runners and bot that a test can cut: a plain TCP relay on a free port."""

from __future__ import annotations

import asyncio


class Proxy:
    """``cut`` breaks every connection and refuses new ones until ``mend``."""

    def __init__(self) -> None:
        self.target: tuple[str, int] = ("127.0.0.1", 0)
        self.up = True
        self._server: asyncio.Server
        self._open: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)

    async def close(self) -> None:
        self.cut()
        self._server.close()
        await self._server.wait_closed()
        # A connection that is only being made is in no list yet, and must not outlive the test.
        relays = tuple(self._relays)
        for relay in relays:
            relay.cancel()
        await asyncio.gather(*relays, return_exceptions=True)

    def cut(self) -> None:
        self.up = False
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self.up = True

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = asyncio.current_task()
        assert relay is not None
        self._relays.add(relay)
        writers = {writer}
        try:
            if not self.up:
                return
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            writers.add(far_writer)
            self._open |= writers
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        except OSError:
            return
        finally:
            self._open -= writers
            self._relays.discard(relay)
            for one in writers:
                one.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()
