"""What an agent that died had started in the background ends with it, in whatever process group it runs."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.types import RunState
from runners.kept import started_at
from tests.agents.claude.conftest import soon
from tests.runners.scene import Scene, scene

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


async def test_a_dead_agents_background_shell_ends_before_the_agent_is_started_again(stage: Scene) -> None:
    note = stage.folder / "pid"
    shell = f"[ -e {note} ] || {{ setsid sleep 60 >/dev/null 2>&1 & echo $! > {note}; }}"
    stage.script({"run": ["sh", "-c", shell]}, {"crash": 3})
    async with stage.runner():
        await stage.state(RunState.STARTING, 2)
        await soon(lambda: not started_at(int(note.read_text())))
