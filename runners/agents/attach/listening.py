"""The socket in a session's folder where its hooks report, one line each, and where a question waits for its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from runners.attach import hooks, record
from runners.attach.hook import LARGEST, NAME, PRINTED, SHORT
from runners.attach.hooks import Heard

Printed = Callable[[Heard], Awaitable[None]]
Handle = Callable[[Heard, asyncio.StreamReader], Awaitable[str]]
"""Returns what the hook prints. The reader ends once the hook has gone."""


class Ear:
    """``look`` is called where somebody says that something was left in the folder; ``printed`` once a hook has
    given its agent what it was to print."""

    def __init__(self, folder: Path, handle: Handle, printed: Printed, look: Callable[[], None]) -> None:
        self._folder, self._handle, self._printed, self._look = folder, handle, printed, look
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        path = await asyncio.to_thread(record.socket_for, self._folder, NAME)
        listening = await asyncio.to_thread(record.listening, path)
        self._server = await asyncio.start_unix_server(self._talk, sock=listening, limit=LARGEST + 65536)

    async def close(self) -> None:
        """Idempotent. Hooks that wait are let go of: their agent goes on by itself."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for task in list(self._talks):
            task.cancel()
        if self._talks:
            await asyncio.wait(self._talks)
        with suppress(OSError):
            await asyncio.to_thread(record.socket_gone, self._folder, NAME)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            line = await reader.readline()
            message = json.loads(line)
            if isinstance(message, dict) and message.get("event") == "Look":
                self._look()
            one = hooks.heard(message)
            reply = await self._handle(one, reader) if one is not None else ""
            writer.write(reply.encode() + b"\n")
            await writer.drain()
            if one is not None and reply:
                async with asyncio.timeout(SHORT):
                    if await reader.read(1) == PRINTED:
                        await self._printed(one)
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # a hook that broke off or sent nonsense, or we are closing: its agent goes on by itself
        finally:
            self._talks.discard(task)
            writer.close()
