"""Git runs in the folder it was meant for, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runners.errors import WorktreeProblem
from runners.repo import git
from tests.agents.repos import make_worktree


def test_without_its_folder_git_does_not_run_somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_worktree(tmp_path / "other")
    monkeypatch.chdir(other.repo)
    gone = tmp_path / "gone"
    for args in (("rev-parse", "HEAD"), ("status", "--porcelain"), ("branch", "-D", "switchboard/work")):
        with pytest.raises(WorktreeProblem, match="not there any more"):
            git.attempt(gone, *args)


def test_a_worktree_that_lost_its_link_is_no_part_of_the_repository_around_it(tmp_path: Path) -> None:
    around = make_worktree(tmp_path / "around")
    inner = around.repo / "worktrees" / "mine"
    inner.parent.mkdir()
    shutil.move(str(around.path), inner)
    (inner / ".git").unlink()
    assert git.attempt(inner, "rev-parse", "HEAD").status != 0
