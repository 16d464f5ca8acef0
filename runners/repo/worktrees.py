"""Worktrees: made from a base branch without touching anybody's checkout, removed only when nothing would be lost."""

from __future__ import annotations

import filecmp
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from git import Repo
from git.exc import InvalidGitRepositoryError, NoSuchPathError

from runners.config import RepoConfig
from runners.errors import WorktreeProblem
from runners.repo import git, unsaved


@dataclass(frozen=True)
class Opened:
    """A worktree with its branch."""

    path: Path
    branch: str
    base: str
    base_commit: str
    notes: tuple[str, ...] = ()
    """What its agent and its people should know: submodules not initialised, files to copy that were not there."""
    aside: tuple[str, ...] = ()
    """What only its people should know."""


def base_branch(repo: RepoConfig) -> str:
    """The configured base, else what the repository has checked out (a bare one: its HEAD)."""
    if repo.base:
        return repo.base
    ran = git.attempt(repo.path, "symbolic-ref", "--quiet", "--short", "HEAD")
    if ran.status:
        raise WorktreeProblem(
            f"{repo.path} has no branch checked out.", f'Name the base branch: base = "…" under [repos.{repo.name}].'
        )
    return ran.out.strip()


def check_repo(repo: RepoConfig, base: str = "") -> str:
    """Return the base branch, or raise WorktreeProblem naming what keeps sessions from being opened on it."""
    try:
        Repo(repo.path).close()
    except NoSuchPathError as err:
        raise WorktreeProblem(
            f"Repo {repo.name}: the folder {repo.path} does not exist.", f"Correct path under [repos.{repo.name}]."
        ) from err
    except InvalidGitRepositoryError as err:
        raise WorktreeProblem(
            f"Repo {repo.name}: {repo.path} is not a git repository.", "Run `git init` there, or correct the path."
        ) from err
    wanted = base or base_branch(repo)
    if git.has_branch(repo.path, wanted):
        return wanted
    if not git.run(repo.path, "for-each-ref", "--count=1", "refs/heads").strip():
        raise WorktreeProblem(
            f"Repo {repo.name} has no commit yet.",
            f"Make one first: git -C {repo.path} commit --allow-empty -m 'Start'.",
        )
    known = git.run(
        repo.path, "for-each-ref", "--count=8", "--sort=-committerdate", "--format=%(refname:short)", "refs/heads"
    )
    raise WorktreeProblem(
        f"Repo {repo.name} has no branch “{wanted}”.", f"Its newest branches: {', '.join(known.split())}."
    )


def open_worktree(repo: RepoConfig, folder: Path, branch: str, base: str = "") -> Opened:
    """Create ``folder`` with ``branch`` at the tip of ``base``. Leaves nothing behind when it fails."""
    base = check_repo(repo, base)
    if not git.valid_branch(branch):
        raise WorktreeProblem(
            f"“{branch}” is not a branch name that git allows.",
            "Leave out spaces, “..”, “~”, “^”, “:” and a leading “-”.",
        )
    if git.has_branch(repo.path, branch):
        raise WorktreeProblem(
            f"Repo {repo.name} already has a branch {branch}.",
            f"Start the session under another name, or drop it: git -C {repo.path} branch -D {branch}.",
        )
    if folder.exists() and any(folder.iterdir()):
        raise WorktreeProblem(f"The folder {folder} is not empty.", "Move it away, or start under another name.")
    tip = git.commit_of(repo.path, f"refs/heads/{base}")
    assert tip is not None, base
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        git.run(repo.path, "worktree", "add", "--quiet", "--no-track", "-b", branch, str(folder), tip)
        notes = (*_copied(repo, folder), *_submodules(folder))
    except BaseException:
        discard(repo.path, folder, branch)
        raise
    return Opened(folder, branch, base, tip, notes, tuple(_stays(repo, base)))


def _stays(repo: RepoConfig, base: str) -> list[str]:
    """People who look at their own checkout expect its changes in the session."""
    checkout = git.checked_out_at(repo.path, base)
    if checkout is None or not (changed := git.changed_count(checkout)):
        return []
    what = "1 uncommitted change" if changed == 1 else f"{changed} uncommitted changes"
    return [
        f"{what} in {checkout} stayed there: this session works from the last commit of {base}. "
        "Commit to take them along, and start another."
    ]


def _copied(repo: RepoConfig, folder: Path) -> list[str]:
    notes = []
    for name in repo.copy:
        source, target = repo.path / name, folder / name
        if not source.is_file():
            notes.append(f"{name} was to be copied here, but {source} is not there.")
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    return notes


def _submodules(folder: Path) -> list[str]:
    if not (folder / ".gitmodules").is_file():
        return []
    ran = git.attempt(folder, "submodule", "update", "--init", "--recursive", "--quiet")
    unsaved.mark_start(folder)
    if ran.status == 0:
        return []
    said = ran.err.strip().splitlines() or [f"exit status {ran.status}"]
    why = next((line for line in said if line.startswith("fatal: ")), said[-1])
    return [
        f"The submodules are missing here; do not rely on them. Git said: {why.removeprefix('fatal: ')}. "
        "A set-up command in switchboard.toml can fetch them."
    ]


def discard(repo: Path, folder: Path, branch: str) -> None:
    """Undo ``open_worktree`` before anything was done in it."""
    git.attempt(repo, "worktree", "remove", "--force", str(folder))
    with suppress(OSError):
        shutil.rmtree(folder)
    git.attempt(repo, "worktree", "prune")
    git.attempt(repo, "branch", "-D", branch)


def left_behind(folder: Path, repo: Path, copied: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What would be lost with the worktree: paths, and commits in words.

    A copied file that nobody changed is not one of them.
    """
    dirty = (path for path in git.dirty_paths(folder) if path not in copied or not _same(repo / path, folder / path))
    return (*dirty, *unsaved.commits(folder))


def _same(source: Path, copy: Path) -> bool:
    try:
        return filecmp.cmp(source, copy, shallow=False)
    except OSError:
        return False


def remove_if_clean(folder: Path, repo: Path, copied: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Remove the worktree, never its branch. Returns what kept it from being removed."""
    if not folder.exists():
        git.attempt(repo, "worktree", "prune")
        return ()
    dirty = left_behind(folder, repo, copied)
    if not dirty:
        # --force: git refuses for copied files and initialised submodules too; we have just looked ourselves.
        git.run(repo, "worktree", "remove", "--force", str(folder))
    return dirty
