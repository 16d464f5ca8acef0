"""The script format of the demo agent: what a step may be, read from TOML or JSON, checked before anything runs."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERBS: dict[str, frozenset[str]] = {
    "say": frozenset({"thought"}),
    "plan": frozenset({"done", "active"}),
    "read": frozenset(),
    "ask": frozenset({"name", "title", "context", "options", "command", "detail", "default", "diff", "kinds"}),
    "questions": frozenset({"message"}),
    "form": frozenset({"name", "message"}),
    "parallel": frozenset(),
    "edit": frozenset({"text", "append", "replace", "head"}),
    "commit": frozenset({"body", "paths"}),
    "run": frozenset({"name"}),
    "host_read": frozenset({"name", "line", "limit"}),
    "host_write": frozenset({"text", "name"}),
    "host_run": frozenset({"name", "args", "cwd", "limit", "leave", "kill"}),
    "usage": frozenset({"cost", "tokens"}),
    "wait": frozenset(),
    "burst": frozenset({"text", "kind"}),
    "flood": frozenset(),
    "garbage": frozenset({"times"}),
    "huge": frozenset(),
    "crash": frozenset(),
    "hang": frozenset(),
    "spawn": frozenset(),
    "end": frozenset(),
    "fail": frozenset(),
}
"""Each step has exactly one of these, and may have the words that go with it; ``when`` goes with every one."""
QUESTION = frozenset({"name", "title", "context", "options", "multiple"})
"""What each of several ``questions`` may have; without options it is answered in words."""
KINDS = ("choice", "text", "permission", "plan")
AT_START = ("crash", "hang", "garbage", "huge", "login", "version")
_SLOT = re.compile(r"\{\{\s*([a-z_][a-z0-9_.]*)\s*\}\}")

Raw = Mapping[str, Any]


class ScriptProblem(Exception):
    """The script cannot be played; the message names the step and the fix."""


@dataclass(frozen=True)
class Script:
    steps: tuple[Raw, ...]
    follow: tuple[Raw, ...] = ()
    """Played for each prompt after the story has ended; {{prompt}} is what it said."""
    at_start: str = ""
    """A fault before the first answer: one of AT_START."""
    pace: float = 0.0
    values: dict[str, str] = field(default_factory=dict)


def load(path: Path) -> Script:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as problem:
        raise ScriptProblem(f"The script {path} cannot be read: {problem.strerror}.") from problem
    try:
        raw = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as problem:
        raise ScriptProblem(f"The script {path} is not {path.suffix.lstrip('.').upper()}: {problem}") from problem
    return parse(raw)


def parse(raw: object) -> Script:
    if not isinstance(raw, dict):
        raise ScriptProblem("A script is a table with [[step]] entries.")
    unknown = set(raw) - {"step", "follow", "at_start", "pace", "values"}
    if unknown:
        raise ScriptProblem(f"A script has no “{sorted(unknown)[0]}”; it has step, follow, at_start, pace, values.")
    at_start = raw.get("at_start", "")
    if at_start and at_start not in AT_START:
        raise ScriptProblem(f"at_start is one of {', '.join(AT_START)}; not “{at_start}”.")
    return Script(
        steps=_steps(raw.get("step", []), "step"),
        follow=_steps(raw.get("follow", []), "follow"),
        at_start=at_start,
        pace=float(raw.get("pace", 0)),
        values={str(k): str(v) for k, v in raw.get("values", {}).items()},
    )


def verb(step: Raw) -> str:
    return next(name for name in VERBS if name in step)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Put answers into their {{slots}}; a slot without a value stays as it is."""
    return _SLOT.sub(lambda slot: values.get(slot[1], slot[0]), text)


def filled(value: Any, values: Mapping[str, str]) -> Any:
    match value:
        case str():
            return fill(value, values)
        case list() | tuple():
            return [filled(item, values) for item in value]
        case dict():
            return {key: filled(item, values) for key, item in value.items()}
        case _:
            return value


def applies(step: Raw, values: Mapping[str, str]) -> bool:
    """``when = { index = "fts" }``: every named answer has this value, or one of these."""
    wanted: Mapping[str, Any] = step.get("when", {})
    return all(
        values.get(f"{name}.id", values.get(name, "")) in (value if isinstance(value, list) else [value])
        for name, value in wanted.items()
    )


def _steps(raw: object, where: str) -> tuple[Raw, ...]:
    if not isinstance(raw, list):
        raise ScriptProblem(f"“{where}” is a list: write [[{where}]] before each one.")
    return tuple(_step(item, f"{where} {number}") for number, item in enumerate(raw, 1))


def _step(raw: object, where: str) -> Raw:
    if not isinstance(raw, dict):
        raise ScriptProblem(f"{where} is not a table.")
    verbs = [name for name in VERBS if name in raw]
    if len(verbs) != 1:
        raise ScriptProblem(f"{where} needs exactly one of {', '.join(VERBS)}; it has {', '.join(verbs) or 'none'}.")
    unknown = set(raw) - VERBS[verbs[0]] - {verbs[0], "when"}
    if unknown:
        raise ScriptProblem(f"{where}: “{verbs[0]}” does not know “{sorted(unknown)[0]}”.")
    if verbs[0] == "ask" and raw["ask"] not in KINDS:
        raise ScriptProblem(f"{where}: ask is one of {', '.join(KINDS)}; not “{raw['ask']}”.")
    if verbs[0] == "questions":
        _questions(raw["questions"], where)
    if verbs[0] == "parallel":
        _steps(raw["parallel"], f"{where}, parallel")
    return raw


def _questions(raw: object, where: str) -> None:
    if not isinstance(raw, list) or not raw or not all(isinstance(item, dict) for item in raw):
        raise ScriptProblem(f"{where}: questions is a list of tables, at least one.")
    for item in raw:
        if unknown := set(item) - QUESTION:
            raise ScriptProblem(f"{where}: a question does not know “{sorted(unknown)[0]}”.")
        if not item.get("name") or not item.get("title"):
            raise ScriptProblem(f"{where}: each question needs a name and a title.")
