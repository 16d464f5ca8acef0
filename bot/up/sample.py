"""The sample repository that ``up`` creates where a person names none of their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).parent / "sample"
NAME = "playback"
IGNORED = "__pycache__/\n"
"""Its .gitignore: what running its tests leaves behind."""


def ensure(parent: Path) -> Path:
    """The sample repository below ``parent``, made with one commit on ``main`` if it is not there yet."""
    repo = parent / NAME
    if (repo / ".git").exists():
        return repo
    # Made beside and renamed: an interrupted copy is never taken for a repository.
    draft = parent / f".{NAME}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(SOURCE, draft, ignore=shutil.ignore_patterns("__pycache__"))
    (draft / ".gitignore").write_text(IGNORED)
    _git(draft, "init", "--quiet", "--initial-branch=main")
    _git(draft, "add", "--all")
    _git(
        draft,
        *("-c", "user.name=Switchboard", "-c", "user.email=switchboard@localhost", "-c", "commit.gpgsign=false"),
        *("commit", "--quiet", "--no-verify", "--message", "A small media library to try things on"),
    )
    # Detached: nobody works in this checkout, so a merge may land on main itself.
    _git(draft, "checkout", "--quiet", "--detach")
    draft.rename(repo)
    return repo


def _git(cwd: Path, *argv: str) -> None:
    subprocess.run(["git", *argv], cwd=cwd, check=True, capture_output=True, stdin=subprocess.DEVNULL)
