"""What the contract suite runs on: every agent that can be driven, as a real process in a real worktree."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from runners.agents.base import Agent, Launch
from runners.agents.registry import DEMO_ARGV, open_agent
from tests.agents.repos import Worktree, make_worktree
from tests.contract.desk import RecordingDesk

AGENTS: dict[str, tuple[str, ...]] = {"acp-demo": DEMO_ARGV}
"""Every adapter with an agent that can play a script; a new adapter adds its own line."""


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    return make_worktree(tmp_path)


class Kit:
    """Launches agents that play a script; closes them all at the end."""

    def __init__(self, folder: Path, worktree: Worktree, argv: tuple[str, ...]) -> None:
        self.folder, self.worktree, self._argv = folder, worktree, argv
        self._agents: list[Agent] = []

    def launch(self, script: dict[str, Any] | None = None, *, argv: tuple[str, ...] = (), **more: Any) -> Launch:
        env = {"SWITCHBOARD_DEMO_STATE": str(self.folder / "state"), "SWITCHBOARD_DEMO_PACE": "0"}
        if script is not None:
            path = self.folder / "script.json"
            path.write_text(json.dumps(script), encoding="utf-8")
            env["SWITCHBOARD_DEMO_SCRIPT"] = str(path)
        env |= more.pop("env", {})
        log = self.folder / "agent.log"
        return Launch("demo", argv or self._argv, more.pop("cwd", self.worktree.path), log, env=env, **more)

    def agent(self, desk: RecordingDesk, script: dict[str, Any] | None = None, **more: Any) -> Agent:
        agent = open_agent(self.launch(script, **more), desk)
        self._agents.append(agent)
        return agent

    async def close(self) -> None:
        for agent in self._agents:
            await agent.close()


@pytest.fixture(params=AGENTS)
async def kit(request: pytest.FixtureRequest, tmp_path: Path, worktree: Worktree) -> AsyncIterator[Kit]:
    kit = Kit(tmp_path, worktree, AGENTS[request.param])
    yield kit
    await kit.close()
