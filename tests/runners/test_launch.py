"""What the environment of a session's programs holds."""

from __future__ import annotations

import os
from pathlib import Path

from runners.runner.launch import agent_env, with_ours
from tests.runners.scene import scene


def test_our_command_is_found_after_everything_else(tmp_path: Path) -> None:
    (tmp_path / "switchboard").touch()
    ours = str(tmp_path)
    assert with_ours("/usr/bin:/bin", tmp_path) == f"/usr/bin:/bin{os.pathsep}{ours}"
    assert with_ours(f"{ours}:/bin", tmp_path) == f"{ours}:/bin", "somebody's own order stays"
    assert with_ours("", tmp_path) == ours


def test_a_folder_without_our_command_is_not_added(tmp_path: Path) -> None:
    assert with_ours("/usr/bin", tmp_path) == "/usr/bin"


async def test_an_agent_gets_the_path(tmp_path: Path) -> None:
    async with scene(tmp_path) as stage:
        paper = await stage.place()
        assert agent_env(paper, tmp_path)["PATH"] == with_ours(os.environ["PATH"])
