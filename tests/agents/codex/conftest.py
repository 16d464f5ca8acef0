"""Codex, the real program, driven natively; only the model behind it is scripted."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runners.agents.base import AgentInfo, AskDoor, Launch
from runners.agents.codex.adapter import CodexAgent
from tests.agents.codex.model import Calls, Model, Reply, serving
from tests.agents.install import CODEX, NotInstalled, installed
from tests.agents.repos import WHO, Worktree, make_worktree
from tests.contract.desk import RecordingDesk

WHO_ENV = {
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@example.invalid",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@example.invalid",
}
CONFIG = """
model = "scripted"
model_provider = "local"

[model_providers.local]
name = "Scripted"
base_url = "{url}"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
"""


def codex() -> tuple[str, ...]:
    """The program that codex-acp brings with it."""
    try:
        return (str(installed(CODEX).with_name("codex")),)
    except NotInstalled as problem:
        pytest.fail(str(problem), pytrace=False)


@dataclass
class Stage:
    """A worktree, the person's Codex home, the session's folder; opens agents and ends them all."""

    folder: Path
    model: Model
    worktree: Worktree
    agents: list[CodexAgent] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def launch(self, **more: Any) -> Launch:
        env = {"HOME": str(self.home), "CODEX_HOME": str(self.home), **WHO_ENV, **more.pop("env", {})}
        return Launch(
            name="codex",
            argv=more.pop("argv", ()) or codex(),
            cwd=more.pop("cwd", self.worktree.path),
            log=self.folder / "agent.log",
            env=env,
            adapter="codex",
            folder=more.pop("folder", self.folder / "session"),
            **more,
        )

    def agent(self, desk: RecordingDesk, **more: Any) -> CodexAgent:
        agent = CodexAgent(self.launch(**more), desk)
        self.agents.append(agent)
        return agent

    async def started(self, desk: RecordingDesk, resume: str = "", **more: Any) -> tuple[CodexAgent, AgentInfo]:
        agent = self.agent(desk, **more)
        return agent, await agent.start(resume)


Opening = Callable[..., Any]


@pytest.fixture
async def open_stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Opening]:
    """Not in /tmp: there Codex lets every command write, and a worktree would be no place of its own."""
    made: list[Path] = []

    @asynccontextmanager
    async def opened(*replies: Reply, config: str = "") -> AsyncIterator[Stage]:
        folder = Path(tempfile.mkdtemp(prefix=".codex-test-", dir=Path.home()))
        made.append(folder)
        async with serving(replies) as model:
            stage = Stage(folder, model, make_worktree(folder))
            stage.home.mkdir()
            (stage.home / "config.toml").write_text(CONFIG.format(url=model.url) + config, encoding="utf-8")
            try:
                yield stage
            finally:
                await asyncio.gather(*(agent.close() for agent in stage.agents))

    yield opened
    for folder in made:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def escalated(command: str, why: str = "May I?") -> Calls:
    """A command that the model wants to run outside of its sandbox."""
    return Calls("exec_command", {"cmd": command, "sandbox_permissions": "require_escalated", "justification": why})


def runs(command: str, **more: Any) -> Calls:
    return Calls("exec_command", {"cmd": command, **more})


__all__ = ["WHO", "AskDoor", "Sequence", "Stage", "codex", "escalated", "runs"]
