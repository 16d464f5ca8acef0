"""Where a session's agent sits: started when it is needed, told of, closed; one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import AgentDescribed
from bot.wire.types import Ability
from runners import kept
from runners.agents.base import Agent, AgentInfo, AskDoor, Desk, Launch
from runners.files import AGENT_LOG
from runners.leftovers import end_leftovers
from runners.repo import standing
from runners.runner.introducing import rules
from runners.runner.launch import agent_env
from runners.runner.memory import Memory
from runners.runner.preamble import PREAMBLE_VERSION
from runners.runner.ticket import Ticket

log = structlog.get_logger()

OpenAgent = Callable[[Launch, Desk], Agent]


class Seat:
    """``door`` is set before the agent is wanted."""

    def __init__(self, folder: Path, ticket: Ticket, memory: Memory, open_agent: OpenAgent, desk: Desk) -> None:
        self._folder = folder
        self._ticket = ticket
        self._memory = memory
        self._open_agent = open_agent
        self._desk = desk
        self._info: AgentInfo | None = None
        self.agent: Agent | None = None
        self.door: AskDoor | None = None

    # --- what it can do ----------------------------------------------------------------------------------------------

    @property
    def prompts(self) -> bool:
        """It takes messages while it is idle; not so a session in somebody's terminal."""
        return self._ticket.adapter != "attach" or self._can(Ability.PROMPT)

    @property
    def in_terminal(self) -> bool:
        """A person runs it: nobody but people tells it to go on, to commit or to ask."""
        return self._ticket.adapter == "attach"

    @property
    def can_steer(self) -> bool:
        return self._can(Ability.STEER)

    @property
    def can_reset(self) -> bool:
        return self._can(Ability.RESET)

    @property
    def can_resume(self) -> bool:
        return self._can(Ability.RESUME) or (self._info is not None and self._info.can_resume)

    def _can(self, ability: Ability) -> bool:
        return self._info is not None and ability in self._info.abilities

    # --- coming and going --------------------------------------------------------------------------------------------

    async def is_taken(self) -> bool:
        """An agent may be at work already, which an earlier runner began or a person runs."""
        return self._ticket.adapter == "attach" or await asyncio.to_thread(_outlived, self._folder)

    async def ready(self) -> tuple[Agent, AgentInfo]:
        """The agent, started or resumed if need be."""
        await asyncio.to_thread(standing.check_worktree, self._ticket.place, Path(self._ticket.repo))
        if self.agent is not None and self._info is not None:
            return self.agent, self._info
        agent = self._open_agent(self._launch(), self._desk)
        try:
            info = await agent.start(resume=self._memory.state.agent_session)
        except BaseException:
            await asyncio.shield(agent.close())
            raise
        self.agent, self._info = agent, info
        log.info(
            "agent.started",
            agent=info.title,
            version=info.version,
            resumed=info.resumed,
            held=info.held,
            preamble=PREAMBLE_VERSION,
        )
        state = self._memory.state
        self._memory.save(
            # One that could not take up its old session is told everything again.
            replace(
                state, agent_session=info.session, cleared=state.introduced and (state.cleared or not info.resumed)
            ),
            AgentDescribed(info.title, info.version, info.model, tuple(sorted(info.abilities))),
        )
        return agent, info

    def _launch(self) -> Launch:
        ticket = self._ticket
        return Launch(
            name=ticket.agent,
            argv=ticket.argv,
            cwd=Path(ticket.place.worktree),
            log=self._folder / AGENT_LOG,
            env=agent_env(ticket, self._folder),
            login_hint=ticket.login,
            start_timeout=ticket.start_timeout,
            adapter=ticket.adapter,
            profile=ticket.profile,
            folder=self._folder,
            rules=rules(ticket, can_ask=self.door is not None),
            ask=self.door,
            model=ticket.model,
            mode=ticket.mode,
            taken=self._memory.state.taken,
        )

    async def close(self) -> None:
        agent, self.agent, self._info = self.agent, None, None
        if agent is not None:
            await agent.close()
        if not self.in_terminal and (ended := await asyncio.to_thread(end_leftovers, self._folder)):
            log.info("agent.leftovers_ended", pids=ended)

    async def detach(self) -> None:
        agent, self.agent, self._info = self.agent, None, None
        if agent is not None:
            await agent.detach()


def _outlived(folder: Path) -> bool:
    """Blocking."""
    return bool(kept.kept(folder))
