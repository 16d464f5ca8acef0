"""What runs beside Codex's turns: shells that outlive the call that began them, and sub-agents."""

from __future__ import annotations

import asyncio

import structlog

from runners.agents.codex.questions import script
from runners.agents.codex.rpc import Json, Rpc, RpcError
from runners.agents.codex.translate import Translator
from runners.agents.text import exact, one_line

log = structlog.get_logger()

_SOON = 5.0


class Background:
    """``before`` are threads that a reset left behind: their shells run on, and are still this session's."""

    def __init__(self, rpc: Rpc, translator: Translator) -> None:
        self._rpc, self._translator = rpc, translator
        self.before: tuple[str, ...] = ()
        self.stale = False
        """Something may have begun or ended."""
        self._running: set[str] = set()
        self._begun: set[str] = set()
        self._told: tuple[str, ...] = ()

    def turn(self) -> None:
        self._begun.clear()

    def item(self, kind: str, item: str, *, began: bool) -> None:
        if kind in ("collabAgentToolCall", "subAgentActivity"):
            self.stale = True
        if kind != "commandExecution":
            return
        if began:
            self._running.add(item)
            self._begun.add(item)
        else:
            self._running.discard(item)
        self.stale = self.stale or bool(self._running) or bool(self._told)

    async def changed(self) -> tuple[str, ...] | None:
        """Everything that runs, if that is news."""
        while self.stale:
            self.stale = False
            found = (*await self.look(), *self._translator.helpers.values())
            if found != self._told:
                self._told = found
                return found
        return None

    async def look(self) -> tuple[str, ...]:
        """The shells, by their commands."""
        threads = (self._translator.thread, *self.before)
        shells = [shell for thread in threads for shell in await self._shells(thread)]
        return tuple(one_line(exact(script(shell.get("command"))), 200) for shell in shells)

    async def _shells(self, thread: str) -> list[Json]:
        answer = await self._try("list", thread)
        found = answer.get("data") if isinstance(answer, dict) else None
        return [shell for shell in found if isinstance(shell, dict)] if isinstance(found, list) else []

    async def end_of_turn(self) -> None:
        """End the shells that the turn began which was just cancelled: Codex itself lets them run on."""
        thread = self._translator.thread
        for shell in await self._shells(thread):
            if shell.get("itemId") in self._begun:
                await self._try("terminate", thread, processId=shell.get("processId"))

    async def end_all(self) -> None:
        await asyncio.gather(*(self._try("clean", thread) for thread in (self._translator.thread, *self.before)))

    async def _try(self, verb: str, thread: str, **more: object) -> object:
        try:
            return await self._rpc.call(f"thread/backgroundTerminals/{verb}", {"threadId": thread, **more}, _SOON)
        except (RpcError, TimeoutError, ConnectionError) as problem:
            log.info("codex.background", verb=verb, problem=str(problem))
            return None
