"""Bells ring on the event loop after a commit, so that nobody polls the database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable


class Bells:
    """Named bells. A ring is never missed: note ``rung`` before looking at the database, then wait for a newer one."""

    def __init__(self) -> None:
        self._rung: dict[str, int] = {}
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def rung(self, name: str) -> int:
        """How often this bell has rung so far."""
        return self._rung.get(name, 0)

    def ring(self, names: Iterable[str]) -> None:
        for name in names:
            self._rung[name] = self.rung(name) + 1
            for waiter in self._waiting.pop(name, ()):
                if not waiter.done():
                    waiter.set_result(None)

    async def wait(self, name: str, after: int, timeout: float | None = None) -> bool:
        """True once the bell has rung more than ``after`` times; False when ``timeout`` seconds have passed."""
        if self.rung(name) > after:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiting.setdefault(name, set())
        waiters.add(waiter)
        try:
            await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return False
        finally:
            waiters.discard(waiter)
            if not waiters and self._waiting.get(name) is waiters:
                del self._waiting[name]
        return True

    def forget(self, name: str) -> None:
        """Free a bell whose subject is gone. Only for names that are never used again."""
        if name not in self._waiting:
            self._rung.pop(name, None)
