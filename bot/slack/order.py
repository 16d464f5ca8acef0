"""One at a time per thread, in the order of Slack's timestamps; different threads side by side."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count


class Turns:
    """Bolt runs a task for each envelope, so a slow message could finish after the next one of its thread.

    Whoever waits for the same key is let through by ``ts``, the earliest first.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[str, int, asyncio.Future[None]]]] = {}
        self._number = count()

    @asynccontextmanager
    async def turn(self, key: str, ts: str) -> AsyncIterator[None]:
        """Hold ``key``; an empty key holds nothing."""
        if not key:
            yield
            return
        if key in self._waiting:
            gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting[key], (ts, next(self._number), gate))
            try:
                await gate
            except asyncio.CancelledError:
                if gate.done() and not gate.cancelled():
                    self._next(key)  # our turn had come: hand it on
                raise
        else:
            self._waiting[key] = []
        try:
            yield
        finally:
            self._next(key)

    def _next(self, key: str) -> None:
        queue = self._waiting[key]
        while queue:
            _, _, gate = heapq.heappop(queue)
            if not gate.done():
                gate.set_result(None)
                return
        del self._waiting[key]
