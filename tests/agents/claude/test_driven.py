"""A runner with Claude Code's holder and adapter, killed at its most awkward moments: each consequence comes once."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bot.wire.messages import SessionChanged
from bot.wire.types import RunState
from runners import files
from runners.agents.base import Agent, Desk, Launch
from runners.agents.claude.adapter import ClaudeAgent
from runners.link.spool import Spool
from runners.runner.daemon import Runner, utc_now
from runners.runner.memory import Memory
from runners.runner.session import State
from tests.agents.claude import fake
from tests.agents.claude.conftest import soon
from tests.runners.places import spec
from tests.runners.scene import S, Scene, scene


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    def opening(launch: Launch, desk: Desk) -> Agent:
        argv = (sys.executable, str(Path(fake.__file__)))
        env = {**launch.env, "HOME": str(tmp_path)}
        return ClaudeAgent(replace(launch, argv=argv, env=env, adapter="claude", ask=None), desk)

    async with scene(tmp_path) as found:
        found.open_agent = opening
        yield found


async def on_disk(stage: Scene) -> State:
    async with Spool(stage.session / files.SPOOL, utc_now) as spool:
        state = (await Memory.load(spool, S)).state
    return msgspec.structs.replace(state, agent_session="")  # the stand-in has one name for all its sessions


async def idle(runner: Runner) -> None:
    """It has its agent, and all that follows from the last turn's end is settled."""
    await soon(lambda: runner.driver.seat.agent is not None and not runner.driver.busy)


@pytest.mark.parametrize(
    ("task", "state"),
    [("hello", RunState.STOPPED), ("limit", RunState.LIMITED), ("boom", RunState.FAILED)],
)
async def test_a_turns_end_has_its_consequence_once_though_idle_runners_are_killed(
    stage: Scene, task: str, state: RunState
) -> None:
    await stage.place(spec(stage.board, "playback", task))
    async with stage.killed_runner() as runner:
        await stage.state(state)
        turns = told(stage).count(RunState.WORKING)
        await idle(runner)
    before = await on_disk(stage)
    for _ in range(2):
        async with stage.killed_runner() as runner:
            await idle(runner)
        assert await on_disk(stage) == before
    async with stage.runner() as runner:
        await idle(runner)
    assert told(stage).count(RunState.WORKING) == turns
    assert state is RunState.STOPPED or told(stage).count(state) == 1


def told(stage: Scene) -> list[RunState]:
    return [change.state for change in stage.board.all(SessionChanged)]
