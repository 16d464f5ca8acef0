"""The session's thread and those of its sub-agents: what became of a turn, and which are under way."""

from __future__ import annotations

import structlog

from runners.agents.codex.rpc import Json, Rpc, RpcError
from runners.agents.codex.translate import Translator
from runners.agents.text import one_line

log = structlog.get_logger()

_SOON = 5.0


class Threads:
    def __init__(self, rpc: Rpc, translator: Translator) -> None:
        self._rpc, self._translator = rpc, translator
        self.helping: dict[str, str] = {}
        """The turns of sub-agents, by their threads."""

    def note(self, method: str, thread: str, params: Json) -> bool:
        """A notice of another thread than the session's. True: one has ended."""
        if method == "turn/started" and isinstance(turn := params.get("turn"), dict):
            self.helping[thread] = str(turn.get("id", ""))
        elif method == "turn/completed":
            self.helping.pop(thread, None)
            return self._translator.helpers.pop(thread, None) is not None
        return False

    async def rejoin_helpers(self, before: tuple[str, ...]) -> list[str]:
        """Listen to the sub-agents as well; returns what they wait for."""
        flags: list[str] = []
        try:
            loaded = (await self._rpc.call("thread/loaded/list", {}, _SOON))["data"]
            for thread in set(loaded) - {self._translator.thread, *before}:
                opened = await self._rpc.call("thread/resume", {"threadId": thread, "excludeTurns": True}, _SOON)
                found = opened["thread"]
                if found["status"]["type"] == "active":
                    self._translator.helpers[thread] = one_line(str(found.get("preview") or "sub-agent"), 100)
                    self.helping[thread] = await self.newest_turn(thread)
                    flags += found["status"]["activeFlags"]
        except (RpcError, TimeoutError, KeyError, TypeError) as problem:
            log.info("codex.helpers_unknown", problem=str(problem))
        return flags

    async def newest_turn(self, thread: str = "") -> str:
        """The one under way; empty: none is."""
        turns = await self._turns(thread or self._translator.thread)
        return next((str(turn["id"]) for turn in turns if turn.get("status") == "inProgress"), "")

    async def turn(self, turn: str) -> Json:
        """One that has ended; what nobody remembers was broken off."""
        turns = await self._turns(self._translator.thread)
        return next((old for old in turns if old.get("id") == turn), {"status": "interrupted"})

    async def _turns(self, thread: str) -> list[Json]:
        params = {"threadId": thread}
        try:
            found = (await self._rpc.call("thread/turns/list", params, _SOON))["data"]
        except (RpcError, TimeoutError, KeyError, TypeError) as problem:
            log.info("codex.turns_not_listed", problem=str(problem))
            try:
                whole = await self._rpc.call("thread/read", {**params, "includeTurns": True}, _SOON)
                found = whole["thread"]["turns"][::-1]
            except (RpcError, TimeoutError, KeyError, TypeError) as worse:
                log.warning("codex.turns_unknown", problem=str(worse))
                return []
        return [turn for turn in found if isinstance(turn, dict)]
