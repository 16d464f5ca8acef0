"""A file change as Codex tells it, for people: the whole diff, which files and how many lines, or counts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from runners.agents.text import exact


@dataclass(frozen=True)
class Change:
    """One file. ``diff`` is a unified diff without its head, or the whole text of a file that is added or deleted."""

    path: str
    kind: str
    diff: str
    moved_to: str = ""

    @property
    def lines(self) -> tuple[int, int]:
        """Added and deleted."""
        if self.kind == "add":
            return len(self.diff.splitlines()), 0
        if self.kind == "delete":
            return 0, len(self.diff.splitlines())
        body = self.diff.splitlines()
        return sum(line.startswith("+") for line in body), sum(line.startswith("-") for line in body)


def changes(found: Any, cwd: str) -> tuple[Change, ...]:
    """Codex's list of changes; what is no change is left out."""
    return tuple(change for entry in found if (change := _change(entry, cwd))) if isinstance(found, list) else ()


def _change(entry: Any, cwd: str) -> Change | None:
    match entry:
        case {"path": str(path), "kind": {"type": str(kind), **more}, "diff": str(diff)}:
            moved = more.get("move_path")
            return Change(short(path, cwd), kind, diff, short(moved, cwd) if isinstance(moved, str) else "")
    return None


def short(path: str, cwd: str) -> str:
    try:
        return PurePath(path).relative_to(cwd).as_posix()
    except ValueError:
        return path


def whole(changed: Sequence[Change]) -> str:
    return exact("\n".join(_diff(change) for change in changed))


def stat(changed: Sequence[Change]) -> str:
    return "\n".join(f"{exact(_name(change), 600)} {_sum(change.lines)}" for change in changed)


def counts(changed: Sequence[Change]) -> str:
    added, deleted = (sum(change.lines[side] for change in changed) for side in (0, 1))
    return f"{files(len(changed))}, {_sum((added, deleted))}"


def files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _name(change: Change) -> str:
    return f"{change.path} → {change.moved_to}" if change.moved_to else change.path


def _diff(change: Change) -> str:
    old, new = f"a/{change.path}", f"b/{change.moved_to or change.path}"
    match change.kind:
        case "add":
            return "\n".join(["--- /dev/null", f"+++ {new}", *(f"+{line}" for line in change.diff.splitlines())])
        case "delete":
            return "\n".join([f"--- {old}", "+++ /dev/null", *(f"-{line}" for line in change.diff.splitlines())])
        case _:
            return "\n".join([f"--- {old}", f"+++ {new}", change.diff.rstrip("\n")])


def _sum(lines: tuple[int, int]) -> str:
    return f"+{lines[0]} −{lines[1]}"
