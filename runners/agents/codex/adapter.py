"""Codex as an ``Agent``: its app-server in a process of its own, spoken to over a unix socket."""

from __future__ import annotations

import asyncio
import os

import structlog

from runners.agents.base import AgentInfo, Cleared, Desk, Launch, TurnEnded
from runners.agents.codex import faults, home, offers, opening
from runners.agents.codex.conversation import Conversation
from runners.agents.codex.server import Server
from runners.errors import AgentError, disk_problem

log = structlog.get_logger()

_SOON = 5.0
"""Seconds that an app-server may take to answer which has run for long."""


class CodexAgent:
    """Implements the ``Agent`` port. One app-server, one connection, one thread until a reset."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        self._launch = launch
        self.conversation = Conversation(launch, desk)

    # --- its beginning

    async def start(self, resume: str = "") -> AgentInfo:
        if self._launch.mode and self._launch.mode not in opening.MODES:
            raise faults.unknown_mode(self._launch, list(opening.MODES))
        problem: AgentError
        try:
            async with asyncio.timeout(self._launch.start_timeout):
                held = await self._launched(resume)
                return await self._open(resume, held=held)
        except TimeoutError:
            problem = faults.not_answering(self._launch)
        except ConnectionError:
            problem = await self.conversation.connection.fate()
        except AgentError as error:
            problem = error
        await self.close()
        raise problem

    async def _launched(self, resume: str) -> bool:
        """Connect to the server that an earlier runner left, else start one. True: it was there."""
        connection, drawer = self.conversation.connection, self.conversation.drawer
        papers = await drawer.load()
        left = await Server.living(self._launch, papers)
        if left is not None:
            connection.program = left
            if resume and papers.thread == resume:
                try:
                    async with asyncio.timeout(_SOON):
                        await connection.connect()
                except (TimeoutError, AgentError) as problem:
                    log.warning("codex.not_rejoined", problem=str(problem))
                else:
                    return True
            await left.stop()
        try:
            env = await asyncio.to_thread(self._home)
        except OSError as problem:
            raise disk_problem(problem, "try again") from problem
        connection.program = server = await Server.spawn(self._launch, env)
        await drawer.keep(pid=server.pid, socket=str(server.socket), changes={}, before=())
        await connection.connect()
        return False

    def _home(self) -> dict[str, str]:
        if self._launch.folder is None:
            return {}
        return home.layered(home.own_home({**os.environ, **self._launch.env}), self._launch.folder / "codex-home")

    async def _open(self, resume: str, *, held: bool) -> AgentInfo:
        conversation, connection = self.conversation, self.conversation.connection
        version = await connection.greet()
        methods = connection.methods
        if missing := [name for name in faults.NEEDED if methods and name not in methods]:
            raise faults.too_old(self._launch, version, missing)
        account = await connection.call("account/read", {})
        if account.get("requiresOpenaiAuth") and not account.get("account"):
            raise faults.login_needed(self._launch)
        conversation.model = await offers.model(connection.rpc, self._launch)
        thread = await conversation.resume(resume, held=held) if resume else None
        resumed = thread is not None
        if thread is None:
            held = False
            await conversation.open()
        busy = thread is not None and held and await conversation.rejoined(thread)
        drawer = conversation.drawer
        rules = drawer.papers.rules if held else bool(self._launch.rules)
        still = {} if busy else {"turn": ""}
        await drawer.keep(thread=conversation.thread, version=version, rules=rules, **still)
        log.info("codex.started", version=version, thread=conversation.thread, resumed=resumed, held=held, busy=busy)
        return AgentInfo(
            title="Codex",
            version=version,
            session=conversation.thread,
            can_resume=True,
            resumed=resumed,
            abilities=offers.abilities(methods),
            model=conversation.model,
            has_rules=rules,
            held=held,
            busy=busy,
        )

    # --- what it is told

    async def prompt(self, text: str) -> TurnEnded:
        return await self.conversation.prompt(text)

    async def rejoin(self) -> TurnEnded:
        return await self.conversation.rejoin()

    async def steer(self, text: str) -> bool:
        return await self.conversation.turns.say(text)

    async def reset(self) -> Cleared:
        return await self.conversation.reset()

    async def cancel(self) -> None:
        await self.conversation.cancel()

    # --- its end

    async def detach(self) -> None:
        await self.conversation.leave()

    async def close(self) -> None:
        await self.conversation.leave(ending=True)
