"""A Codex that a person runs in a terminal: joined through the daemon its terminals share, as one more client of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msgspec.structs import replace

from bot.wire.types import Ability
from runners.agents.attach.daemon import Daemon, thread_of
from runners.agents.attach.watching import Watch
from runners.agents.base import AgentInfo, Cleared, Desk, Launch, TurnEnded
from runners.agents.codex.conversation import Conversation
from runners.agents.codex.rpc import RpcError
from runners.attach import record
from runners.attach.control import CODEX_SOCKET
from runners.attach.record import Record
from runners.errors import AgentConfused, AgentDied, AgentError

FOUND_WITHIN = 60.0
"""Seconds for the daemon to start and for a session of this worktree to be in it."""


class JoinedCodex:
    """Implements ``Agent``. Its thread is the one of the terminal; ``close`` only leaves it."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        assert launch.folder is not None
        self._launch, self._folder, self._desk = launch, launch.folder, desk
        self._conversation = Conversation(launch, desk, self._heard)
        self._record: Record | None = None
        self._watch = Watch(launch.folder, launch.cwd, lambda: self._record, desk.gone, self._daemon_ended)
        self._joined = False
        self._joining = asyncio.Lock()

    async def start(self, resume: str = "") -> AgentInfo:
        self._record = known = await asyncio.to_thread(record.needed, self._folder)
        socket = (Path(known.home) if known.home else Path.home() / ".codex") / CODEX_SOCKET
        connection = self._conversation.connection
        connection.program = Daemon(socket)
        self._watch.begin()
        try:
            async with asyncio.timeout(FOUND_WITHIN):
                await connection.connect()
                version = await connection.greet()
                thread = await thread_of(connection.rpc, self._launch.cwd, resume or known.session)
        except TimeoutError:
            await self.close()
            raise AgentConfused(
                f"No Codex session of {self._launch.cwd} was found in its daemon ({socket}).",
                "Start codex in that worktree, then attach again.",
            ) from None
        except ConnectionError:
            await self.close()
            raise AgentDied("Codex's daemon has ended.", "Start codex again, then attach.") from None
        except RpcError as problem:
            await self.close()
            raise AgentConfused(
                f"Codex's daemon said: {problem.message}.", "Update Codex, then attach again."
            ) from None
        except AgentError:
            await self.close()
            raise
        await asyncio.to_thread(record.write_own, self._folder, replace(known, session=thread))
        busy = await self._join(thread)
        return AgentInfo(
            title="Codex in a terminal",
            version=version,
            session=thread,
            can_resume=True,
            resumed=True,
            abilities=frozenset((Ability.PROMPT, Ability.STEER, Ability.CANCEL)),
            model=self._conversation.model,
            held=True,
            busy=busy,
        )

    async def _join(self, thread: str) -> bool:
        """Listen to the thread; before its first message it cannot be. True: a turn is under way."""
        async with self._joining:
            if self._joined:
                return bool(self._conversation.turns.active)
            opened = await self._conversation.resume(thread, held=True)
            if opened is None:
                return False
            self._joined = True
            return await self._conversation.rejoined(opened)

    # --- turns

    async def prompt(self, text: str) -> TurnEnded:
        await self._join(self._conversation.thread)
        if not self._joined:
            raise AgentConfused("Nothing was said in this Codex session yet.", "Begin it in its terminal, then reply.")
        return await self._conversation.prompt(text)

    async def rejoin(self) -> TurnEnded:
        return await self._conversation.rejoin()

    async def steer(self, text: str) -> bool:
        return await self._conversation.turns.say(text)

    async def reset(self) -> Cleared:
        raise AgentConfused("This session runs in somebody's terminal.", "Type /new in it.")

    async def cancel(self) -> None:
        await self._conversation.cancel()

    # --- its end

    async def detach(self) -> None:
        await self.close()

    async def close(self) -> None:
        await self._watch.end()
        await self._conversation.leave()

    async def _daemon_ended(self) -> str:
        connection = self._conversation.connection
        return "Codex's daemon has ended" if connection.closed and not connection.closing else ""

    # --- what comes from Codex

    def _heard(self, method: str) -> None:
        if method == "thread/closed":
            self._watch.leave("its terminal has ended")
        if method == "thread/status/changed" and not self._joined:
            self._conversation.beside(self._late(), "codex.join")

    async def _late(self) -> None:
        """The terminal has said something: now it can be joined."""
        if not self._joined and await self._join(self._conversation.thread):
            self._desk.stirred()
