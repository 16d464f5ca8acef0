"""A Codex that a person runs in a terminal: joined through the daemon its terminals share, as one more client of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from msgspec.structs import replace

from bot.wire.types import Ability
from runners.agents.attach import LOOK_EVERY
from runners.agents.base import AgentInfo, Cleared, Desk, Launch, TurnEnded
from runners.agents.codex import faults, offers
from runners.agents.codex.adapter import _ABOUT, CodexAgent
from runners.agents.codex.rpc import Json, Rpc, RpcError
from runners.agents.codex.server import Server
from runners.attach import record
from runners.attach.control import CODEX_SOCKET
from runners.attach.record import Record
from runners.errors import AgentConfused, AgentDied

log = structlog.get_logger()

FOUND_WITHIN = 60.0
"""Seconds for the daemon to start and for a session of this worktree to be in it; its first start copies a program."""
_STEP = 0.25


class Daemon(Server):
    """The person's own: never started, never ended by us."""

    def __init__(self, launch: Launch, socket: Path) -> None:
        super().__init__(launch, 0, socket, None)

    async def connect(self, rpc: Rpc) -> None:
        while True:
            try:
                await rpc.connect(self.socket)
                return
            except (OSError, aiohttp.ClientError):
                await asyncio.sleep(_STEP)

    async def settled(self, within: float = 0.0) -> None:
        return

    async def last_words(self) -> str:
        return ""

    async def stop(self) -> None:
        return


class JoinedCodex(CodexAgent):
    """Implements ``Agent``. Its thread is the one of the terminal; ``close`` only leaves it."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        super().__init__(launch, desk)
        assert launch.folder is not None
        self._folder = launch.folder
        self._record: Record | None = None
        self._joined = False
        self._joining = asyncio.Lock()
        self._left = False

    async def start(self, resume: str = "") -> AgentInfo:
        self._record = known = await asyncio.to_thread(record.read, self._folder / record.OWN)
        if known is None:
            raise AgentConfused(f"{self._folder / record.OWN} cannot be read.", "Detach the session, attach it again.")
        home = Path(known.home) if known.home else Path.home() / ".codex"
        self._server = Daemon(self._launch, home / CODEX_SOCKET)
        self._keep(self._look(), "codex.terminal")
        try:
            async with asyncio.timeout(FOUND_WITHIN):
                await self._server.connect(self._rpc)
                self._watcher = asyncio.create_task(self._watch(), name="codex.watch")
                hello = await self._call(
                    "initialize", {"clientInfo": _ABOUT, "capabilities": {"experimentalApi": True}}
                )
                await self._rpc.notify("initialized")
                self._methods = await offers.methods(self._rpc)
                thread = await self._of_worktree(resume or known.session)
        except TimeoutError:
            await self.close()
            raise AgentConfused(
                f"No Codex session of {self._launch.cwd} was found in its daemon ({home / CODEX_SOCKET}).",
                "Start codex in that worktree, then attach again.",
            ) from None
        except ConnectionError:
            await self.close()
            raise AgentDied("Codex's daemon has ended.", "Start codex again, then attach.") from None
        await asyncio.to_thread(record.write_own, self._folder, replace(known, session=thread))
        self._translator.thread = thread
        busy = await self._join()
        return AgentInfo(
            title="Codex in a terminal",
            version=faults.version(str(hello.get("userAgent", ""))),
            session=thread,
            can_resume=True,
            resumed=True,
            abilities=frozenset((Ability.PROMPT, Ability.STEER, Ability.CANCEL)),
            model=self._model,
            held=True,
            busy=busy,
        )

    async def _of_worktree(self, known: str) -> str:
        """The thread that the terminal in this worktree has open: the one we knew, else the newest."""
        while True:
            found = [thread for thread in await self._loaded() if self._is_its(thread)]
            if any(thread.get("id") == known for thread in found):
                return known
            if found:
                return str(max(found, key=lambda thread: thread.get("createdAt") or 0).get("id"))
            await asyncio.sleep(_STEP)

    async def _loaded(self) -> list[Json]:
        threads = []
        for name in (await self._rpc.call("thread/loaded/list", {}, 5.0)).get("data") or []:
            try:
                threads.append((await self._rpc.call("thread/read", {"threadId": name}, 5.0))["thread"])
            except (RpcError, KeyError, TypeError) as problem:
                log.info("codex.thread_unread", thread=name, problem=str(problem))
        return [thread for thread in threads if isinstance(thread, dict)]

    def _is_its(self, thread: Json) -> bool:
        if thread.get("ephemeral") or thread.get("parentThreadId") or thread.get("threadSource") not in (None, "user"):
            return False
        cwd = thread.get("cwd")
        return isinstance(cwd, str) and Path(cwd).is_relative_to(self._launch.cwd)

    async def _join(self) -> bool:
        """Listen to the thread; before its first message it cannot be. True: a turn is under way."""
        async with self._joining:
            if not self._joined:
                opened = await self._resume(self._translator.thread, held=True)
                if opened is None:
                    return False
                self._joined = True
                self._model = str(opened.get("model") or "")
                return await self._rejoined(opened["thread"])
            return bool(self._active)

    # --- turns

    async def prompt(self, text: str) -> TurnEnded:
        await self._join()
        if not self._joined:
            raise AgentConfused("Nothing was said in this Codex session yet.", "Begin it in its terminal, then reply.")
        return await super().prompt(text)

    async def reset(self) -> Cleared:
        raise AgentConfused("This session runs in somebody's terminal.", "Type /new in it.")

    # --- its end

    async def detach(self) -> None:
        await self.close()

    async def close(self) -> None:
        self._closing = True
        self._asking.withdraw(later=True)
        await self._asking.ended()
        await self._rpc.close()
        await self._watched()

    async def _look(self) -> None:
        """A terminal that is closed tells nobody; neither does a worktree that is moved away."""
        while not self._left:
            why = await asyncio.to_thread(record.why_gone, self._folder, self._record, self._launch.cwd)
            if not why and self._rpc.closed.is_set() and not self._closing:
                why = "Codex's daemon has ended"
            if why:
                self._leave(why)
            await asyncio.sleep(LOOK_EVERY)

    def _leave(self, why: str) -> None:
        if not self._left:
            self._left = True
            log.info("terminal.gone", why=why)
            self._desk.gone(why)

    def _keep(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what comes from Codex

    def _notice(self, method: str, params: Json) -> None:
        ours = params.get("threadId") == self._translator.thread
        if ours and method == "thread/closed":
            self._leave("its terminal has ended")
        if ours and method == "thread/status/changed" and not self._joined:
            self._keep(self._late(), "codex.join")
        super()._notice(method, params)

    async def _late(self) -> None:
        """The terminal has said something: now it can be joined."""
        if not self._joined and await self._join():
            self._desk.stirred()
