"""The hooks as Claude Code's settings have them: a file of ours for one session, or added to a person's own. Pure."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.attach import hook
from runners.attach.hooks import EVENTS
from runners.errors import RunnerError

ASK_TIMEOUT, TIMEOUT = 86_400, 30
MATCHED = ("PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure")
SCRIPT = Path(hook.__file__).resolve()


class SettingsProblem(RunnerError):
    """A settings file is not what Claude Code would read."""


def command(data: Path) -> str:
    """What a hook runs. Where it is not there any more it says nothing and succeeds: the terminal goes on."""
    python, script = shlex.quote(sys.executable), shlex.quote(str(SCRIPT))
    there = f"[ ! -x {python} ] || [ ! -f {script} ]"
    return f"{there} || exec {python} -I -S {script} {shlex.quote(str(data))} 2>/dev/null"


def ours(data: Path) -> dict[str, Any]:
    """The hooks of every event, as settings have them."""
    line = command(data)
    return {"hooks": {event: [_group(event, line)] for event in EVENTS}}


def _group(event: str, line: str) -> dict[str, Any]:
    timeout = ASK_TIMEOUT if event == "PermissionRequest" else TIMEOUT
    found: dict[str, Any] = {"matcher": "*"} if event in MATCHED else {}
    return found | {"hooks": [{"type": "command", "command": line, "timeout": timeout}]}


def parsed(text: str, name: str) -> dict[str, Any]:
    """Raises SettingsProblem."""
    try:
        found = json.loads(text.strip() or "{}")
    except (ValueError, RecursionError) as err:
        raise SettingsProblem(f"{name} is not JSON: {err}.", "Correct it first; nothing was written.") from err
    if not isinstance(found, dict):
        raise SettingsProblem(f"{name} is not a JSON object.", "Correct it first; nothing was written.")
    try:
        dumped(found)
    except (ValueError, RecursionError) as err:
        what = "nested too deeply" if isinstance(err, RecursionError) else f"not text: {err}"
        raise SettingsProblem(f"{name} holds what is {what}.", "Correct it first; nothing was written.") from err
    return found


def decoded(data: bytes, name: str) -> dict[str, Any]:
    """Raises SettingsProblem."""
    try:
        return parsed(data.decode("utf-8-sig"), name)
    except UnicodeDecodeError as err:
        raise SettingsProblem(f"{name} is not UTF-8: {err}.", "Correct it first; nothing was written.") from err


def merged(theirs: Mapping[str, Any], mine: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A person's settings with our hooks behind their own. Raises SettingsProblem."""
    hooks = theirs.get("hooks", {})
    if not isinstance(hooks, dict) or not all(isinstance(groups, list) for groups in hooks.values()):
        raise SettingsProblem(f"“hooks” in {name} is not what Claude Code reads.", "Correct it; nothing was written.")
    both = {event: list(groups) for event, groups in hooks.items()}
    for event, groups in mine["hooks"].items():
        both[event] = [*both.get(event, []), *groups]
    return {**theirs, "hooks": both}


def without_ours(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """A person's settings without our hooks, and without what has become empty by that."""
    hooks = theirs.get("hooks")
    if not isinstance(hooks, dict):
        return dict(theirs)
    left: dict[str, Any] = {}
    for event, groups in hooks.items():
        kept = [rest for group in groups for rest in _rest(group)] if isinstance(groups, list) else groups
        if kept or not groups:
            left[event] = kept
    found = {key: value for key, value in theirs.items() if key != "hooks"}
    return found | ({"hooks": left} if left or not hooks else {})


def _rest(group: object) -> list[object]:
    """A group without our commands; none where nothing is left of it."""
    if not isinstance(group, dict) or not isinstance(hooks := group.get("hooks"), list):
        return [group]
    rest = [each for each in hooks if not is_ours(each)]
    if len(rest) == len(hooks):
        return [group]
    return [{**group, "hooks": rest}] if rest else []


def is_ours(each: object) -> bool:
    line = each.get("command") if isinstance(each, dict) else None
    return isinstance(line, str) and f"runners/attach/{SCRIPT.name}" in line.replace("\\", "/")


def dumped(settings: Mapping[str, Any], like: bytes = b"") -> bytes:
    """With the line ends of ``like``, and with a last one unless it has none."""
    text = json.dumps(settings, indent=2, ensure_ascii=False) + ("" if like and not like.endswith(b"\n") else "\n")
    return (text.replace("\n", "\r\n") if b"\r\n" in like else text).encode()
