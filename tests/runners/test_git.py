"""Git as Switchboard runs it: nobody's hooks and monitors, and identities that git accepts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.wire.types import FileStat, Person, PersonId
from runners.config import RepoConfig
from runners.repo import git, merging
from runners.repo.merging import MergeOrder
from runners.repo.worktrees import open_worktree, remove_if_clean
from runners.runner import launch
from tests.runners.board import ANA
from tests.runners.places import make_repo, save


def script(path: Path, says: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {path.name} >> {says}\n")
    path.chmod(0o755)


HOOKS = ("post-checkout", "post-merge", "pre-merge-commit", "commit-msg", "reference-transaction", "post-index-change")


@pytest.mark.parametrize("configured", [True, False])
def test_a_session_and_its_merge_run_no_hook(tmp_path: Path, configured: bool) -> None:
    """``core.hooksPath`` may be a folder of the branch itself: what is merged would run before anybody has it."""
    repo, ran = make_repo(tmp_path / "repo"), tmp_path / "ran"
    for name in HOOKS:
        script(repo / (".husky" if configured else ".git/hooks") / name, ran)
    if configured:
        save(repo, "Hooks")
        git.run(repo, "config", "core.hooksPath", ".husky")
    tree = open_worktree(RepoConfig("r", repo), tmp_path / "tree", "switchboard/x").path
    (tree / "x.py").write_text("x")
    commit = save(tree, "Work")
    order = MergeOrder(repo, "x", "switchboard/x", commit, "main", ANA, tmp_path / "merges", fast_forward=True)
    assert merging.merge(order).branch == "main"
    assert (repo / "x.py").exists()
    assert remove_if_clean(tree, repo) == ()
    assert not ran.exists()


def test_looking_at_a_worktree_runs_no_monitor_of_its_repository(tmp_path: Path) -> None:
    repo, ran = make_repo(tmp_path / "repo"), tmp_path / "ran"
    script(tmp_path / "monitor", ran)
    git.run(repo, "config", "core.fsmonitor", str(tmp_path / "monitor"))
    assert git.dirty_paths(repo) == ()
    assert not ran.exists()


def test_an_owner_without_a_usable_name_can_commit(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "repo")
    git.run(repo, "config", "user.email", "")
    found = launch.identity(repo, Person(PersonId("U9"), "<>"))
    assert found["GIT_AUTHOR_NAME"] == found["GIT_COMMITTER_NAME"] == "U9"
    assert found["GIT_AUTHOR_EMAIL"] == "U9@users.noreply.slack.com"


def test_nothing_is_read_through_a_new_symlink(tmp_path: Path) -> None:
    """One to a pipe would never come to an end, and one to elsewhere is nobody's business here."""
    repo = make_repo(tmp_path / "repo")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "elsewhere").write_text("a\nb\nc\n")
    (repo / "a_pipe").symlink_to(tmp_path / "pipe")
    (repo / "b_elsewhere").symlink_to(tmp_path / "elsewhere")
    (repo / "c_nowhere").symlink_to("nowhere")
    (repo / "d_file").write_text("a\nb\n")
    found = git.untracked(repo, most=10)
    assert [(stat.path, stat.added) for stat in found] == [
        ("a_pipe", 1),
        ("b_elsewhere", 1),
        ("c_nowhere", 1),
        ("d_file", 2),
    ]


def test_a_pipe_where_a_file_was_is_not_waited_for(tmp_path: Path) -> None:
    """As when something is put there between git's listing and our reading."""
    os.mkfifo(tmp_path / "pipe")
    assert git._new_file(tmp_path, "pipe") == FileStat("pipe", 0, 0, binary=True)
