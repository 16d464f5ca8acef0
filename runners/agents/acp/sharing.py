"""A tool call told with less: without lines of code, or without names of files too. Pure."""

from __future__ import annotations

import difflib
import re
from typing import Any

from runners.agents.acp.calls import Call
from runners.agents.text import exact

_FENCED = re.compile(r"(```+|~~~+).*?(?:\1|\Z)", re.S)
_FILES = ("edit", "delete", "move", "read")
_NAMES = frozenset(
    ("path", "file", "file_path", "filepath", "filename", "notebook_path", "directory", "url", "uri", "id", "name")
)
"""Arguments that name what a tool works on; the text of any other may be code, however short."""
_WHY = frozenset(("description", "reason"))
"""The agent's reason; shown as context."""


def without_code(call: Call, texts: list[str]) -> list[str]:
    """What a tool says of itself, which is code where it works on files."""
    if call.kind in _FILES or call.diffs:
        return []
    return [_FENCED.sub("(code not shared)", text) for text in texts]


def stat(call: Call) -> str:
    """Which files and how many lines; of a tool's arguments their names and sizes."""
    if call.diffs:
        return "\n".join(f"{exact(path, 300)} {_sum(_change(old, new))}" for path, old, new in call.diffs)
    if isinstance(call.raw, dict):
        return "\n".join(f"{exact(str(key), 100)}: {_value(str(key), value)}" for key, value in _arguments(call.raw))
    return _size(call.raw) if call.raw else ""


def counts(call: Call) -> str:
    if call.diffs:
        changes = [_change(old, new) for _, old, new in call.diffs]
        return f"{_many(len(changes), 'file')}, {_sum((sum(c[0] for c in changes), sum(c[1] for c in changes)))}"
    if isinstance(call.raw, dict):
        given = _arguments(call.raw)
        return _many(len(given), "argument") if given else ""
    return _size(call.raw) if call.raw else ""


def nameless_title(call: Call) -> str:
    if call.kind in _FILES:
        return f"{call.kind.capitalize()} {_many(len(call.paths), 'file') if call.paths else 'a file'}?"
    return "Run a command?" if call.kind == "execute" else "Go ahead with this step?"


def _arguments(raw: dict[Any, Any]) -> list[tuple[Any, Any]]:
    return [(key, value) for key, value in raw.items() if key not in _WHY]


def _value(key: str, value: Any) -> str:
    match value:
        case None | bool() | int() | float():
            return str(value)
        case str() if key.lower() in _NAMES and "\n" not in value:
            return exact(value, 300)
        case _:
            return _size(value)


def _size(value: Any) -> str:
    match value:
        case str():
            return _many(len(value.splitlines()), "line")
        case list() | dict() | tuple():
            return _many(len(value), "entry", "entries")
        case _:
            return "a value"


def _change(old: str, new: str) -> tuple[int, int]:
    diff = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    return sum(line.startswith("+") for line in diff), sum(line.startswith("-") for line in diff)


def _sum(change: tuple[int, int]) -> str:
    return f"+{change[0]} −{change[1]}"


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"
