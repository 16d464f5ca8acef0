"""The line to an app-server, and what becomes of it: how it is greeted and asked, and why it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from runners.agents.base import Launch
from runners.agents.codex import faults, offers
from runners.agents.codex.rpc import Json, Request, Rpc, RpcError
from runners.errors import AgentDied, AgentError

_ABOUT = {"name": "switchboard", "title": "Switchboard", "version": "1"}


class Program(Protocol):
    """What stands at the other end: a server of our own, or the daemon of a person's terminals."""

    @property
    def status(self) -> int | None:
        """How it exited; None: it runs, or is not ours to know."""
        ...

    async def connect(self, rpc: Rpc) -> None:
        """Wait until it answers. Raises AgentError where it never will."""
        ...

    async def settled(self, within: float) -> None:
        """Its connection is gone: give it a moment to be gone as well."""
        ...

    async def last_words(self) -> str: ...

    async def stop(self) -> None:
        """Idempotent; never raises."""
        ...


class Connection:
    """One line to one program. ``lost`` is called once it is gone: withdraw what is open, say how much that was."""

    def __init__(
        self,
        launch: Launch,
        on_notice: Callable[[str, Json], None],
        on_request: Callable[[Request], None],
        lost: Callable[[], int],
    ) -> None:
        self._launch, self._on_lost = launch, lost
        self.rpc = Rpc(on_notice, on_request)
        self.methods: frozenset[str] = frozenset()
        """What the program knows; empty: it does not say."""
        self.closing = False
        """Whatever ends from now on, we ended it."""
        self.program: Program | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._lost = 0

    @property
    def closed(self) -> bool:
        return self.rpc.closed.is_set()

    async def connect(self) -> None:
        assert self.program is not None
        await self.program.connect(self.rpc)

    async def greet(self) -> str:
        """Begin to watch, and to speak; returns the program's version."""
        self._watcher = asyncio.create_task(self._watch(), name=f"codex.watch {self._launch.name}")
        hello = await self.call("initialize", {"clientInfo": _ABOUT, "capabilities": {"experimentalApi": True}})
        await self.rpc.notify("initialized")
        self.methods = await offers.methods(self.rpc)
        return faults.version(str(hello.get("userAgent", "")))

    async def call(self, method: str, params: Json, doing: str = "start") -> Any:
        """Raises AgentError that says what could not be done."""
        if self.program is None:
            raise AgentError(f"Agent {self._launch.name} has not been started.")
        try:
            return await self.rpc.call(method, params)
        except ConnectionError:
            raise await self.fate() from None
        except RpcError as problem:
            raise faults.refused(self._launch, problem, doing) from problem

    async def fate(self) -> AgentError:
        """Why it is gone."""
        if self._watcher is not None:
            await self._gone.wait()
        status = self.program.status if self.program else None
        if self.closing:
            return AgentDied(f"Agent {self._launch.name} was stopped.", exit_status=status)
        words = await self.program.last_words() if self.program else ""
        return faults.died(self._launch, self.rpc.fault, status, words, self._lost)

    async def close(self, *, ending: bool) -> None:
        """``ending``: the program as well."""
        await self.rpc.close()
        if ending and self.program is not None:
            await self.program.stop()
        if self._watcher is not None:
            await asyncio.wait({self._watcher})

    async def _watch(self) -> None:
        """Once it is gone, for whatever reason: end the program, and wake whoever waits."""
        await self.rpc.closed.wait()
        self._lost = self._on_lost()
        if not self.closing and self.program is not None:
            await self.program.settled(0.5 if self.rpc.fault else 2.0)
            await self.program.stop()
        self._gone.set()
