"""A real program as a peer: its model is scripted, its tools are called as it calls them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.wire.types import Ability
from runners.agents.base import Agent, TurnEnded
from tests.agents.scripted import Calls, Model, Reply, Says, scripted
from tests.contract.desk import RecordingDesk
from tests.contract.peers import OWNED, Ask, Choose, Run, Say, Step


@dataclass
class ScriptedPeer:
    """``open_`` makes an agent; ``shell`` and ``question`` make its model call those tools."""

    model: Model
    open_: Callable[[RecordingDesk], Agent]
    shell: Callable[[str], Calls]
    question: Callable[[tuple[Choose, ...]], Calls]
    agents: list[Agent] = field(default_factory=list)
    promises: frozenset[Ability] = OWNED | {Ability.STEER}

    def play(self, *turns: tuple[Step, ...]) -> None:
        self.model.then(*(self._reply(step) for turn in turns for step in turn))

    def agent(self, desk: RecordingDesk) -> Agent:
        self.agents.append(self.open_(desk))
        return self.agents[-1]

    async def turn(self, agent: Agent, text: str) -> TurnEnded:
        return await agent.prompt(text)

    def heard(self) -> str:
        return self.model.heard

    def _reply(self, step: Step) -> Reply:
        match step:
            case Say(text=text):
                return Says(text)
            case Run(command=command):
                return self.shell(command)
            case Choose():
                return self.question((step,))
            case Ask(questions=questions):
                return self.question(questions)


@asynccontextmanager
async def peer_on(make: Callable[[Model], ScriptedPeer]) -> AsyncIterator[ScriptedPeer]:
    async with scripted() as model:
        peer = make(model)
        try:
            yield peer
        finally:
            for agent in peer.agents:
                await agent.close()
