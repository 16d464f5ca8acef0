"""The demo agent as a peer: its steps are a script, and it says whatever it is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from runners.agents.base import Agent, Launch, TurnEnded
from runners.agents.registry import DEMO_ARGV, open_agent
from tests.agents.repos import Worktree
from tests.contract.desk import RecordingDesk
from tests.contract.peers import OWNED, Ask, Choose, Run, Say, Step

FOLLOW = [{"say": "[told: {{prompt}}]"}]


class Demo:
    promises = OWNED

    def __init__(self, folder: Path, worktree: Worktree) -> None:
        self._folder, self._worktree = folder, worktree
        self._desks: list[RecordingDesk] = []
        self.agents: list[Agent] = []
        self._script = folder / "script.json"

    def play(self, *turns: tuple[Step, ...]) -> None:
        steps: list[dict[str, Any]] = []
        for number, turn in enumerate(turns):
            if number:
                steps.append({"say": "[told: {{prompt}}]"})
            for step in turn:
                steps += _steps(step, len(steps))
            steps.append({"end": "done"})
        steps.pop()  # the last turn ends with the story
        self._script.write_text(json.dumps({"step": steps, "follow": FOLLOW}), encoding="utf-8")

    def agent(self, desk: RecordingDesk) -> Agent:
        env = {
            "SWITCHBOARD_DEMO_STATE": str(self._folder / "state"),
            "SWITCHBOARD_DEMO_SCRIPT": str(self._script),
            "SWITCHBOARD_DEMO_PACE": "0",
        }
        launch = Launch("demo", DEMO_ARGV, self._worktree.path, self._folder / "agent.log", env=env)
        self._desks.append(desk)
        self.agents.append(open_agent(launch, desk))
        return self.agents[-1]

    async def turn(self, agent: Agent, text: str) -> TurnEnded:
        return await agent.prompt(text)

    def heard(self) -> str:
        return "".join(desk.words for desk in self._desks)


@asynccontextmanager
async def open_peer(folder: Path, worktree: Worktree) -> AsyncIterator[Demo]:
    peer = Demo(folder, worktree)
    try:
        yield peer
    finally:
        for agent in peer.agents:
            await agent.close()


def _steps(step: Step, number: int) -> list[dict[str, Any]]:
    name = f"n{number}"
    match step:
        case Say(text=text):
            return [{"say": text}]
        case Run(command=command):
            asked = {"ask": "permission", "name": name, "title": command, "command": command}
            return [asked, {"run": command, "when": {name: "allow"}}]
        case Choose():
            return [{"questions": [_question(step, name)]}, {"say": f"[chosen: {{{{{name}}}}}]"}]
        case Ask(questions=questions):
            names = [f"{name}_{n}" for n, _ in enumerate(questions)]
            asked = [_question(*pair) for pair in zip(questions, names, strict=True)]
            return [{"questions": asked}, {"say": f"[chosen: {' + '.join(f'{{{{{n}}}}}' for n in names)}]"}]


def _question(choose: Choose, name: str) -> dict[str, Any]:
    options = [{"id": label.lower(), "label": label} for label in choose.options]
    return {"name": name, "title": choose.title, "options": options, "multiple": choose.multiple}
