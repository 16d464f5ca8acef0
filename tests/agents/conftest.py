"""The demo agent behind the port, playing what a test wants in a worktree of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runners.agents.base import Agent, Launch
from runners.agents.registry import DEMO, DEMO_ARGV, open_agent
from tests.agents.repos import Worktree, make_worktree
from tests.contract.desk import RecordingDesk

SAMPLE = Path(__file__).parent.parent.parent / "bot" / "up" / "sample"


class Stage:
    """Opens demo agents on worktrees; closes them all at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._agents: list[Agent] = []

    def worktree(self, files: dict[str, str] | None = None, *, sample: bool = False) -> Worktree:
        return make_worktree(self._folder, files, SAMPLE if sample else None)

    def demo(self, worktree: Worktree, desk: RecordingDesk) -> Agent:
        env = {"SWITCHBOARD_DEMO_STATE": str(self._folder / "state"), "SWITCHBOARD_DEMO_PACE": "0"}
        agent = open_agent(Launch(DEMO, DEMO_ARGV, worktree.path, self._folder / "agent.log", env=env), desk)
        self._agents.append(agent)
        return agent

    async def close(self) -> None:
        for agent in self._agents:
            await agent.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()
