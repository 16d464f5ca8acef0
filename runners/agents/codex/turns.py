"""The turns of one thread over one connection: begun, joined, spoken into, broken off, seen to their end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from runners.agents.base import TurnEnded
from runners.agents.codex import endings, offers, opening
from runners.agents.codex.connection import Connection
from runners.agents.codex.papers import Drawer
from runners.agents.codex.rpc import Json, RpcError
from runners.agents.codex.threads import Threads
from runners.agents.codex.translate import Translator

log = structlog.get_logger()

_SOON = 5.0


class Turns:
    """Begun by whoever holds ``ours``; others are begun by the agent itself, or in somebody's terminal."""

    def __init__(self, connection: Connection, translator: Translator, threads: Threads, drawer: Drawer) -> None:
        self._connection, self._translator = connection, translator
        self._threads, self._drawer = threads, drawer
        self.ours = asyncio.Lock()
        self.active = ""
        """The turn under way."""
        self.stopping = False
        """It was told to end."""
        self.owed: list[str] = []
        """Words of people that found no turn to go into: they go with the next message."""
        self._begun = ""
        """The turn that this runner began last."""
        self._ended: dict[str, Json] = {}
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    # --- begun, and seen to their end

    async def begin(self, text: str, manner: Json) -> str:
        """Returns its id. ``manner``: parameters beside the message."""
        self.stopping = False
        self._translator.turn()
        text = "\n\n".join(filter(None, (*self.owed, text)))
        self.owed.clear()
        params = {"threadId": self._translator.thread, "input": opening.message(text), **manner}
        answer = await self._connection.call("turn/start", params, "begin a turn")
        self._begun = turn = str(answer["turn"]["id"])
        await self._drawer.keep(turn=turn)
        return turn

    async def join(self, thread: Json) -> None:
        """Note what is under way in a thread just opened that has been at work."""
        if (thread.get("status") or {}).get("type") == "active":
            self.active = self._drawer.papers.turn or await self._threads.newest_turn()

    async def rejoined(self) -> TurnEnded:
        turn = self.active or self._drawer.papers.turn
        return await self.end_of(turn) if turn else TurnEnded("done", self._translator.last_words)

    async def end_of(self, turn: str) -> TurnEnded:
        """Wait for it. Raises AgentError where the connection ends first."""
        found = self._ended.pop(turn, None)
        if found is None and turn not in (self.active, self._begun):
            found = await self._threads.turn(turn)  # it ended while no runner looked
        if found is None:
            found = await self._completed(turn)
        if self._connection.closing:
            raise await self._connection.fate()  # however it ended, its end was ours
        await self._drawer.keep(turn="")
        words = self._translator.last_words or endings.said_last(found)
        ended = endings.ended(found, words, self._translator.limits.values(), datetime.now(UTC))
        if ended.reason == "cancelled" and not self.stopping:
            return TurnEnded("done", ended.last_words)  # it broke off by itself
        return ended

    async def _completed(self, turn: str) -> Json:
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = future
        closed = asyncio.create_task(self._connection.rpc.closed.wait(), name="codex.closed")
        try:
            both: set[asyncio.Future[Any]] = {future, closed}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise await self._connection.fate()
            return future.result()
        finally:
            closed.cancel()
            self._waiting.pop(turn, None)

    def completed(self, turn: str, found: Json) -> None:
        if self.active == turn:
            self.active = ""
        future = self._waiting.get(turn)
        if future is not None and not future.done():
            future.set_result(found)
        else:
            self._ended = {turn: found}  # nobody waits for it yet

    # --- spoken into, and broken off

    async def say(self, text: str, thread: str = "", turn: str = "") -> bool:
        """Put words into a turn under way; where that is a sub-agent's and takes none, into its master's."""
        if not offers.knows(self._connection.methods, "turn/steer"):
            return False
        for into, expected in dict.fromkeys(((thread, turn), (self._translator.thread, self.active))):
            params = {"threadId": into, "expectedTurnId": expected, "input": opening.message(text)}
            if expected and await self._done("turn/steer", params):
                return True
        return False

    async def interrupt(self, within: float = _SOON) -> None:
        """The one under way, and those of sub-agents: what they asked is withdrawn, and they would wait for ever."""
        if not self.active:
            return
        running: Mapping[str, str] = {**self._threads.helping, self._translator.thread: self.active}
        await asyncio.gather(
            *(
                # For a turn that has ended, Codex never answers.
                self._done("turn/interrupt", {"threadId": thread, "turnId": turn}, within)
                for thread, turn in running.items()
                if turn
            )
        )

    async def _done(self, method: str, params: Json, within: float = _SOON) -> bool:
        try:
            await self._connection.rpc.call(method, params, within)
        except (RpcError, TimeoutError, ConnectionError) as problem:
            log.info("codex.not_done", method=method, problem=str(problem))
            return False
        return True
