"""Real repositories and worktrees for agents to work in."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from bot.up.sample import IGNORED

WHO = ("-c", "user.name=Ana", "-c", "user.email=ana@example.invalid")
FILES = {"README.md": "# thing\n\nIt does things.\n", "src/thing.py": '"""A thing."""\n', ".gitignore": "*.pyc\n"}


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass(frozen=True)
class Worktree:
    repo: Path
    path: Path

    def subjects(self) -> list[str]:
        """Subjects of the commits made here, oldest first."""
        return git(self.path, "log", "--reverse", "--format=%s", "main..HEAD").splitlines()

    def bodies(self) -> str:
        return git(self.path, "log", "--format=%B", "main..HEAD")

    def authors(self) -> set[str]:
        return set(git(self.path, "log", "--format=%an", "main..HEAD").splitlines())

    def dirty(self) -> str:
        return git(self.path, "status", "--porcelain")

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")


def make_worktree(folder: Path, files: dict[str, str] | None = None, sample: Path | None = None) -> Worktree:
    """A repository with one commit on main, and a worktree on a branch of its own."""
    repo = folder / "repo"
    repo.mkdir(parents=True)
    contents = files if files is not None else FILES
    if sample is not None:
        contents = {str(f.relative_to(sample)): f.read_text() for f in sample.rglob("*") if f.is_file() and _ours(f)}
        contents[".gitignore"] = IGNORED
    for name, text in contents.items():
        path = repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git(repo, "init", "-q", "-b", "main")
    git(repo, "add", "--all")
    git(repo, "commit", "-q", "-m", "The beginning")
    git(repo, "worktree", "add", "-q", "-b", "switchboard/work", str(folder / "work"))
    return Worktree(repo, folder / "work")


def _ours(path: Path) -> bool:
    return "__pycache__" not in path.parts
