"""A worktree moved or deleted under its session: told with the commands that bring it back, and they do."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import ReviewOffered
from bot.wire.types import RunState
from tests.runners.scene import DONE, WORK, Scene, scene


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "deleted"])
async def test_what_its_message_says_brings_the_session_back(stage: Scene, moved: bool) -> None:
    stage.script(*WORK, DONE)
    async with stage.runner():
        await stage.board.heard(ReviewOffered)
        if moved:
            stage.worktree.rename(stage.folder / "elsewhere")
        else:
            shutil.rmtree(stage.worktree)
        await stage.prompt("Go on")
        failed = await stage.state(RunState.FAILED)
        assert f"The worktree {stage.worktree} is gone." in failed.detail
        cure = re.search("`(git .*)`, then reply here", failed.detail)
        assert cure
        process = await asyncio.create_subprocess_shell(cure.group(1))
        assert await process.wait() == 0
        assert (stage.worktree / "search.py").exists()
        await stage.prompt("And on")
        await stage.state(RunState.WORKING, 2)
