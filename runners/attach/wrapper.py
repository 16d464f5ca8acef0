"""Starts an agent with our hooks in this very process: terminal, signals and exit status stay as they are. Blocking."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runners.attach import settings
from runners.files import write_atomic

FOLDER = "attach"
"""In a host's data folder: settings given to agents; nothing of it is in a worktree."""


def agent_of(argv: Sequence[str]) -> str:
    """Which agent a command starts, by its program's name."""
    return "codex" if "codex" in Path(argv[0]).name else "claude"


def settings_for(data: Path, theirs: str | None = None) -> Path:
    """A settings file with our hooks, and with what the person gave by ``--settings`` themselves."""
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = settings.ours(data)
    if theirs is None:
        path = folder / "settings.json"
    else:
        mine = settings.merged(_given(theirs), mine, "--settings")
        path = folder / f"settings-{hashlib.sha256(settings.dumped(mine)).hexdigest()[:12]}.json"
    write_atomic(path, settings.dumped(mine))
    return path


def _given(theirs: str) -> dict[str, Any]:
    if theirs.lstrip().startswith("{"):
        return settings.parsed(theirs, "--settings")
    try:
        return settings.parsed(Path(theirs).expanduser().read_text("utf-8"), theirs)
    except OSError as err:
        raise settings.SettingsProblem(f"--settings {theirs} cannot be read: {err.strerror}.") from err


def with_settings(argv: Sequence[str], data: Path) -> list[str]:
    """The command, its own ``--settings`` replaced by a file that has both."""
    program, *rest = argv
    theirs, kept, words = None, [], iter(rest)
    for word in words:
        if word == "--":
            kept += [word, *words]
        elif word == "--settings":
            theirs = next(words, None)
        elif word.startswith("--settings="):
            theirs = word.partition("=")[2]
        else:
            kept.append(word)
    return [program, "--settings", str(settings_for(data, theirs)), *kept]
