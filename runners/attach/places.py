"""Which worktree and which known repository a path is in, and what its branch stands on. Blocking: run in threads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runners.config import HostConfig, RepoConfig
from runners.errors import RunnerError, WorktreeProblem
from runners.repo import git, worktrees


def worktree_of(path: Path) -> Path | None:
    """The top of the git worktree that ``path`` is in; main checkouts are worktrees too."""
    path = path.resolve()
    return next((place for place in (path, *path.parents) if _top(place / ".git")), None)


def _top(git_folder: Path) -> bool:
    """A file in a linked worktree, else the repository itself: an empty folder of that name is neither."""
    return git_folder.is_file() or (git_folder / "HEAD").exists()


def known_repo(config: HostConfig, worktree: Path) -> RepoConfig | None:
    """The repository of this host's configuration that the worktree belongs to."""
    common = _common(worktree)
    if common is None:
        return None
    return next((repo for repo in config.repos.values() if _common(repo.path) == common), None)


def wanted(config: HostConfig, path: str) -> tuple[Path, RepoConfig]:
    """The worktree that ``path`` is in, and its repository. Raises WorktreeProblem that says what to do."""
    if not path or not Path(path).is_dir():
        raise WorktreeProblem(f"{path or 'This folder'} is not there.", "Change into a git worktree.")
    worktree = worktree_of(Path(path))
    if worktree is None:
        raise WorktreeProblem(f"{path} is not in a git worktree.", "Change into one of a repository this host knows.")
    repo = known_repo(config, worktree)
    if repo is None:
        known = ", ".join(sorted(config.repos)) or "none"
        raise WorktreeProblem(
            f"{worktree} is no worktree of a repository this host knows.",
            f"It knows: {known}. Add [repos.NAME] with its path to switchboard.toml, or --repo, and restart the host.",
        )
    return worktree, repo


def _common(where: Path) -> Path | None:
    try:
        ran = git.attempt(where, "rev-parse", "--git-common-dir")
    except RunnerError:
        return None
    return (where / ran.out.strip()).resolve() if ran.status == 0 else None


@dataclass(frozen=True)
class Standing:
    """What a worktree has checked out, and since when it differs from its base."""

    branch: str
    """The commit's id where no branch is checked out."""
    base: str
    base_commit: str


def branch_of(worktree: Path) -> str:
    ran = git.attempt(worktree, "symbolic-ref", "--quiet", "--short", "HEAD")
    return ran.out.strip() if ran.status == 0 else git.commit_of(worktree, "HEAD") or ""


def standing(repo: RepoConfig, worktree: Path, base: str = "") -> Standing:
    """Raises WorktreeProblem where there is nothing to compare with."""
    base = worktrees.check_repo(repo, base)
    head = git.commit_of(worktree, "HEAD")
    if head is None:
        raise WorktreeProblem(f"{worktree} has no commit yet.", "Make one first.")
    branch = branch_of(worktree)
    ran = git.attempt(worktree, "merge-base", f"refs/heads/{base}", "HEAD")
    return Standing(branch, base, head if branch == base or ran.status else ran.out.strip())


def same_place(one: str, other: Iterable[str]) -> bool:
    return any(Path(one).resolve() == Path(each).resolve() for each in other)
