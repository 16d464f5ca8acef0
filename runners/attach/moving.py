"""Moves a hand-run session under a runner and back: the same agent session, one owner of it at a time."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.types import SessionId
from runners import files
from runners.agents.registry import program
from runners.attach import record
from runners.attach.board import Moves
from runners.attach.control import Reply, refusal
from runners.attach.record import Record
from runners.config import AgentConfig, HostConfig
from runners.errors import RunnerError
from runners.host.spawning import Spawner
from runners.link.spool import Spool
from runners.runner import ticket
from runners.runner.daemon import utc_now
from runners.runner.memory import Memory
from runners.runner.ticket import Ticket

log = structlog.get_logger()

ENDS_WITHIN = 15.0
TO_RUNNER, TO_TERMINAL = "it moves from its terminal to a runner", "it moves back to its terminal"
"""What people read meanwhile."""


class Mover(Moves):
    """``locks`` are the host's, one a session: nobody restarts a runner while its session is moved."""

    def __init__(self, config: HostConfig, spawner: Spawner, locks: dict[SessionId, asyncio.Lock]) -> None:
        self._config = config
        self._spawner = spawner
        self._locks = locks

    async def adopt(self, known: Record) -> Reply:
        folder = Path(known.folder)
        paper = await asyncio.to_thread(self._adoptable, known)
        agent = self._agent(known)
        if not await asyncio.to_thread(program, "claude", agent.command):
            raise RunnerError("Claude Code was not found for the runner.", "Install switchboard-slack[claude].")
        known = replace(known, program=await asyncio.to_thread(_program, known))
        async with self._paused(folder, SessionId(folder.name), TO_RUNNER, terminal=known):
            # Its newest id, should the person have cleared its context in the last moment.
            session = (record.read(folder / record.OWN) or known).session
            await _remember(folder, session)
            own = replace(known, session=session, pid=0, started="", turn=False)
            await asyncio.to_thread(record.write_own, folder, own)
            await asyncio.to_thread(record.write, folder.parent.parent, own)
            await asyncio.to_thread(
                ticket.write,
                folder,
                replace(
                    paper,
                    adapter="claude",
                    agent=agent.name,
                    argv=agent.command,
                    env={**paper.env, **agent.env, **_home(known)},
                    login=agent.login,
                    profile=agent.profile,
                    model=agent.model,
                    mode=agent.mode,
                ),
            )
        log.info("session.adopted", session=folder.name)
        return {"ok": True, "session": folder.name, "name": paper.spec.name, "agent_session": session}

    async def back(self, known: Record) -> Reply:
        folder = Path(known.folder)
        paper = await asyncio.to_thread(ticket.read, folder)
        if paper.adapter == "attach":
            return refusal("This session is in its terminal already.", "switchboard adopt moves it under a runner.")
        async with self._paused(folder, SessionId(folder.name), TO_TERMINAL):
            session = await _remembered(folder) or known.session
            own = replace(known, session=session, pid=0, started="")
            await asyncio.to_thread(record.write_own, folder, own)
            await asyncio.to_thread(record.write, folder.parent.parent, own)
            await asyncio.to_thread(ticket.write, folder, replace(paper, adapter="attach", agent=known.agent, argv=()))
        log.info("session.handed_back", session=folder.name)
        argv = [known.program or "claude", "--resume", session]
        return {"ok": True, "session": folder.name, "argv": argv, "worktree": paper.place.worktree, "home": known.home}

    def _adoptable(self, known: Record) -> Ticket:
        if not known.folder:
            raise RunnerError("The bot has not taken this session yet.", "Try again in a moment.")
        paper = ticket.read(Path(known.folder))
        if paper.adapter != "attach":
            raise RunnerError("This session runs under a runner already.", "switchboard adopt --back returns it.")
        if known.agent != "claude":
            raise RunnerError(
                f"A session of {known.agent} cannot be moved.", "It is answered and prompted from its thread as it is."
            )
        if not known.session:
            raise RunnerError("Nothing has been heard of its agent yet.", "Say something in its terminal first.")
        if not Path(paper.place.worktree).is_dir():
            raise RunnerError(f"The worktree {paper.place.worktree} is gone.", "Put it back where it was.")
        return paper

    def _agent(self, known: Record) -> AgentConfig:
        """What drives it from now on: this host's own Claude Code, else the program the person had started."""
        for agent in self._config.agents.values():
            if agent.adapter == "claude":
                return agent
        return AgentConfig("claude", (known.program or "claude",), adapter="claude")

    @asynccontextmanager
    async def _paused(
        self, folder: Path, session: SessionId, where: str, terminal: Record | None = None
    ) -> AsyncIterator[None]:
        """The session with neither a terminal nor a runner; a runner is started again at the end."""
        async with self._locks[session]:
            try:
                await asyncio.to_thread(files.write_atomic, folder / files.MOVING, where.encode())
                if terminal is not None and terminal.pid and await asyncio.to_thread(record.alive, terminal):
                    await _ended(terminal)
                if pid := await asyncio.to_thread(ticket.holder, folder / files.LOCK):
                    await _released(folder, pid)
                yield
            finally:
                (folder / files.MOVING).unlink(missing_ok=True)
                if await asyncio.to_thread(ticket.holder, folder / files.LOCK) is None:
                    await self._spawner.start(folder)


async def _ended(terminal: Record) -> None:
    """Ask a terminal's agent to end, and see it go. Its own children are its own to end."""
    who, there = f"Process {terminal.pid} (its terminal)", "End it there (/exit), and try again."
    if not terminal.started:
        raise RunnerError(f"{who} may be somebody else's by now.", there)
    with suppress(ProcessLookupError):
        os.kill(terminal.pid, signal.SIGTERM)
    until = time.monotonic() + ENDS_WITHIN
    while await asyncio.to_thread(record.alive, terminal):
        if time.monotonic() > until:
            raise RunnerError(f"{who} does not end.", there)
        await asyncio.sleep(0.05)  # another process's end rings no bell


async def _released(folder: Path, pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + ENDS_WITHIN
    while await asyncio.to_thread(ticket.holder, folder / files.LOCK) is not None:
        if time.monotonic() > until:
            raise RunnerError(f"This session's runner ({pid}) does not end.", f"{folder / files.LOG} says more.")
        await asyncio.sleep(0.05)


async def _remember(folder: Path, agent_session: str) -> None:
    async with Spool(folder / files.SPOOL, utc_now) as spool:
        memory = await Memory.load(spool, SessionId(folder.name))
        await memory.save(replace(memory.state, agent_session=agent_session, introduced=True))


async def _remembered(folder: Path) -> str:
    async with Spool(folder / files.SPOOL, utc_now) as spool:
        return (await Memory.load(spool, SessionId(folder.name))).state.agent_session


def _program(known: Record) -> str:
    """What runs in the terminal, to go on with the same one. Blocking."""
    try:
        found = str(Path(f"/proc/{known.pid}/exe").readlink())
    except OSError:
        ran = subprocess.run(["ps", "-o", "comm=", "-p", str(known.pid)], capture_output=True, text=True, check=False)
        found = ran.stdout.strip()
    # One that is started by Node has Node's name: then whatever is called claude here.
    return found if "claude" in found and Path(found).is_absolute() else known.program


def _home(known: Record) -> dict[str, str]:
    return {"CLAUDE_CONFIG_DIR": known.home} if known.home else {}


def resume_line(reply: Reply, settings: Path) -> str:
    """What a person types to go on in a terminal."""
    words = [*reply["argv"], "--settings", str(settings)]
    home = f"CLAUDE_CONFIG_DIR={shlex.quote(reply['home'])} " if reply.get("home") else ""
    return f"cd {shlex.quote(reply['worktree'])} && {home}{shlex.join(words)}"
