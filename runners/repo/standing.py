"""Whether what an agent left can be looked at and reviewed at all; if not, what is wrong and the way back. Blocking."""

from __future__ import annotations

from pathlib import Path

from bot.wire.types import Place
from runners.errors import WorktreeProblem
from runners.repo import git


def check_worktree(place: Place, repo: Path) -> None:
    """Raises WorktreeProblem when there is no worktree to work in."""
    worktree = Path(place.worktree)
    if not worktree.is_dir():
        raise WorktreeProblem(
            f"The worktree {worktree} is gone.",
            f"Its branch stays. Bring it back with `git -C {repo} worktree prune && "
            f"git -C {repo} worktree add {worktree} {place.branch}`, then reply here.",
        )
    ran = git.attempt(worktree, "rev-parse", "--is-inside-work-tree")
    if ran.status:
        raise WorktreeProblem(
            f"Git cannot use the worktree {worktree}: {ran.err.strip() or ran.out.strip()}.",
            f"Put it right there (its branch is {place.branch}), then reply here.",
        )


def check_reviewable(place: Place, repo: Path) -> None:
    """Raises WorktreeProblem when the worktree's HEAD can be neither compared with the base nor merged into it."""
    worktree = Path(place.worktree)
    back = f"Reply here to have the agent bring its work back to {place.branch}."
    if git.commit_of(worktree, "HEAD") is None:
        raise WorktreeProblem("What is checked out in the worktree has no commit, so there is nothing to review.", back)
    base = git.commit_of(repo, f"refs/heads/{place.base}") or place.base_commit
    if git.attempt(worktree, "merge-base", base, "HEAD").status:
        raise WorktreeProblem(
            f"What is checked out in the worktree shares no history with {place.base}, so it cannot be reviewed.", back
        )
