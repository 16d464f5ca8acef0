"""Claude Code's tools in words for people: what is asked, and how it is told where less of the code is shared. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.agents.text import exact, one_line, prose

_EDITS = {"Write": "edit", "Edit": "edit", "MultiEdit": "edit", "NotebookEdit": "edit", "Read": "read"}
_SHOWN = ("url", "query", "pattern", "path", "subagent_type", "skill")
"""Arguments whose value is no code."""


@dataclass(frozen=True)
class Told:
    """A tool call. ``stat`` shows no lines of code, ``nameless`` and ``counts`` no names of files either."""

    title: str
    line: str
    """What it does, for the progress line."""
    detail: str
    stat: str
    nameless: str
    counts: str
    kind: str = ""
    paths: tuple[str, ...] = ()
    why: str = ""
    names_files: bool = False


def told(tool: str, given: Mapping[str, Any]) -> Told:
    if tool == "Bash":
        return _command(given)
    if tool in _EDITS:
        return _file(tool, given)
    return _other(tool, given)


def _command(given: Mapping[str, Any]) -> Told:
    command = exact(_text(given, "command"))
    title = f"Run {one_line(command, 70)}?" if command else "Run a command?"
    why = prose(_text(given, "description"), 2000)
    return Told(title, why or one_line(command, 120), command, command, title, command, "execute", why=why)


def _file(tool: str, given: Mapping[str, Any]) -> Told:
    path = one_line(exact(_text(given, "file_path") or _text(given, "notebook_path")), 300)
    verb = "Read" if tool == "Read" else "Write" if tool == "Write" else "Edit"
    diff = "" if tool == "Read" else _diff(path, given)
    lines = diff.splitlines()[2:]
    added, deleted = sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
    change = f"+{added} −{deleted}" if diff else ""
    return Told(
        title=f"{verb} {path}?" if path else f"{verb} a file?",
        line=f"{verb} {path}",
        detail=exact(diff) or path,
        stat=f"{path} {change}".strip(),
        nameless=f"{verb} a file?",
        counts=f"1 file {change}".strip(),
        kind=_EDITS[tool],
        paths=(path,) if path else (),
        names_files=True,
    )


def _diff(path: str, given: Mapping[str, Any]) -> str:
    edits = given.get("edits")
    pairs = [each for each in edits if isinstance(each, dict)] if isinstance(edits, list) else [given]
    parts = []
    for each in pairs:
        new = _text(each, "new_string") or _text(each, "content") or _text(each, "new_source")
        old = _text(each, "old_string")
        parts.append("\n".join(difflib.unified_diff(old.splitlines(), new.splitlines(), path, path, lineterm="")))
    return "\n".join(filter(None, parts))


def _other(tool: str, given: Mapping[str, Any]) -> Told:
    name = one_line(tool.removeprefix("mcp__").replace("__", " › "), 120) or "a tool"
    whole = json.dumps(dict(given), indent=2, ensure_ascii=False, default=str) if given else ""
    sizes = "\n".join(f"{exact(str(key), 100)}: {_size(key, value)}" for key, value in given.items())
    why = prose(_text(given, "description"), 2000)
    shown = next((one_line(_text(given, key), 100) for key in _SHOWN if _text(given, key)), "")
    return Told(
        title=f"Use {name}: {shown}?" if shown else f"Use {name}?",
        line=f"{name}: {shown}" if shown else name,
        detail=exact(whole),
        stat=sizes,
        nameless=f"Use {name}?",
        counts=f"{len(given)} argument{'s' if len(given) != 1 else ''}",
        why=why,
        names_files=True,
    )


def _size(key: str, value: Any) -> str:
    match value:
        case None | bool() | int() | float():
            return str(value)
        case str() if key in _SHOWN:
            return one_line(exact(value), 300)
        case str():
            count = len(value.splitlines())
            return f"{count} line{'s' if count != 1 else ''}"
        case _:
            return "a value"


def _text(given: Mapping[str, Any], key: str) -> str:
    value = given.get(key)
    return value if isinstance(value, str) else ""
