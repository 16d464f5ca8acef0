"""Commits that a worktree alone holds: on no branch of the repository, or in a submodule and on no remote. Blocking.

A linked worktree keeps the repositories of its submodules in its own git folder: they go when it goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from runners.repo import git

START = "refs/remotes/switchboard/start"
"""In each submodule: where it stood when the worktree was made, which may be on no branch of its remote."""


def mark_start(worktree: Path) -> None:
    """What the submodules hold now is nobody's work."""
    git.attempt(worktree, "submodule", "foreach", "--recursive", "--quiet", f"git update-ref {START} HEAD")


def commits(worktree: Path) -> tuple[str, ...]:
    """What would be lost, in words; empty when nothing would."""
    found = [_detached(worktree)]
    home = Path(git.run(worktree, "rev-parse", "--absolute-git-dir").strip())
    found += [_unpushed(name, repo) for name, repo in (*_modules(home / "modules"), *_embedded(worktree))]
    return tuple(filter(None, found))


def _detached(worktree: Path) -> str:
    head = git.commit_of(worktree, "HEAD")
    if head is None:
        return ""  # a branch without a commit
    kept = ("--not", "--branches", "--tags", "--remotes", "--")
    count = int(git.run(worktree, "rev-list", "--count", "HEAD", "--glob=refs/worktree/*", *kept))
    return f"{_counted(count)} on no branch, up to {head[:9]}" if count else ""


def _unpushed(name: str, repo: Path) -> str:
    # The folder that the submodule was checked out in may be gone: its configuration then leads nowhere.
    here = ("--git-dir=.", "--work-tree=.")
    refs = git.attempt(repo, *here, "for-each-ref", "--format=%(refname)", "refs/heads", "refs/stash")
    head = git.attempt(repo, *here, "rev-parse", "--verify", "--quiet", "HEAD")
    tips = [*refs.out.split(), *(["HEAD"] if head.status == 0 else [])]
    if refs.status == 0 and not tips:
        return ""
    ran = git.attempt(repo, *here, "rev-list", "--count", *tips, "--not", "--remotes", "--")
    if refs.status or ran.status:
        return f"the submodule {name}, which git cannot read"
    count = int(ran.out)
    return f"{_counted(count)} in the submodule {name} on no remote" if count else ""


def _counted(count: int) -> str:
    return "1 commit" if count == 1 else f"{count} commits"


def _modules(folder: Path, name: str = "") -> Iterator[tuple[str, Path]]:
    """The repositories of submodules, those of their own submodules too, checked out or not."""
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        inner = f"{name}/{entry.name}" if name else entry.name
        if (entry / "HEAD").is_file() and (entry / "objects").is_dir():
            yield inner, entry
            yield from _modules(entry / "modules", inner)
        elif entry.is_dir():
            yield from _modules(entry, inner)  # names may have slashes


def _embedded(worktree: Path, name: str = "") -> Iterator[tuple[str, Path]]:
    """Repositories in the worktree itself that were committed as if they were submodules."""
    for entry in git.attempt(worktree, "ls-files", "--stage", "-z").out.split("\0"):
        if not entry.startswith("160000 "):
            continue
        path = entry.partition("\t")[2]
        if (worktree / path / ".git").is_dir():
            yield name + path, worktree / path / ".git"
        if (worktree / path / ".git").exists():
            yield from _embedded(worktree / path, f"{name}{path}/")
