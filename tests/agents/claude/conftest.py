"""The real Claude Code against a scripted model, in a worktree and a home of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from runners.agents.base import Launch
from runners.agents.claude.adapter import ClaudeAgent
from runners.agents.claude.program import INSTALL, bundled
from runners.files import FOLDER
from runners.kept import end_kept
from tests.agents.claude.model import Model, Reply, serve_model
from tests.agents.repos import Worktree, make_worktree
from tests.contract.desk import RecordingDesk


class Stage:
    """A worktree, a home and a model; opens agents on them and ends them all."""

    def __init__(self, folder: Path, worktree: Worktree, stack: AsyncExitStack) -> None:
        self.folder, self.worktree = folder, worktree
        self.session = folder / "session"
        self.home = folder / "home"
        self._stack = stack
        self._agents: list[ClaudeAgent] = []
        for each in (self.session, self.home):
            each.mkdir(mode=0o700)

    async def model(self, *replies: Reply, **agents: list[Reply]) -> Model:
        return await self._stack.enter_async_context(serve_model(replies, **agents))

    def env(self, model: Model) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "CLAUDE_CONFIG_DIR": str(self.home / ".claude"),
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "sk-ant-scripted",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "XDG_RUNTIME_DIR": str(self.home),
            "GIT_AUTHOR_NAME": "Ana", "GIT_AUTHOR_EMAIL": "ana@example.invalid",
            "GIT_COMMITTER_NAME": "Ana", "GIT_COMMITTER_EMAIL": "ana@example.invalid",
            FOLDER: str(self.session),
        }  # fmt: skip

    def launch(self, model: Model, /, **more: Any) -> Launch:
        env = self.env(model) | more.pop("env", {})
        log = self.session / "agent.log"
        more = {"argv": (), "cwd": self.worktree.path, "folder": self.session, "start_timeout": 30.0} | more
        return Launch("claude", log=log, env=env, adapter="claude", **more)

    def agent(self, model: Model, desk: RecordingDesk, /, **more: Any) -> ClaudeAgent:
        agent = ClaudeAgent(self.launch(model, **more), desk)
        self._agents.append(agent)
        return agent

    async def close(self) -> None:
        for agent in self._agents:
            await agent.close()
        await asyncio.to_thread(end_kept, self.session)

    def transcripts(self) -> str:
        """All that Claude Code has on disk of its sessions."""
        return "\n".join(path.read_text("utf-8") for path in self.home.rglob("*.jsonl"))


async def soon(true: Callable[[], object], within: float = 15.0) -> None:
    """Wait for what other processes do: they have no event of ours to set."""
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        stage = Stage(tmp_path, make_worktree(tmp_path), stack)
        try:
            yield stage
        finally:
            await stage.close()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("agents") and not bundled():
        pytest.skip(f"Claude Code is not installed. {INSTALL}")
