"""The real Codex in a terminal, with a home and a daemon of its own, of which nothing is left at the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.agents.codex.conftest import CONFIG
from tests.agents.codex.model import Calls, Says

READY = "Ask Codex to do anything"
APPROVAL = "Would you like to run the following command?"


@contextmanager
def place() -> Iterator[Path]:
    """A short path, for the daemon's socket lies deep below it."""
    folder = Path(tempfile.mkdtemp(prefix="sb-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        _end_all(folder)
        shutil.rmtree(folder)


def _end_all(folder: Path) -> None:
    """A terminal leaves the daemon that it started, with its children: all of them name their home."""
    began = time.monotonic()
    while left := _named(folder):
        waited = time.monotonic() - began
        assert waited < 15, f"these do not end: {left}"
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if waited < 5 else signal.SIGKILL)
        time.sleep(0.1)


def _named(folder: Path) -> list[int]:
    ran = subprocess.run(["ps", "-eo", "pid=,stat=,args="], capture_output=True, text=True, check=True)
    found = (line.split(None, 2) for line in ran.stdout.splitlines() if str(folder) in line)
    return [int(pid) for pid, state, _ in found if not state.startswith("Z")]


def codex_env(folder: Path, worktree: Path, model: str) -> dict[str, str]:
    """As after its first start: the folder is trusted."""
    home = folder / "home"
    home.mkdir()
    trusted = f'\n[projects."{worktree}"]\ntrust_level = "trusted"\n'
    (home / "config.toml").write_text(CONFIG.format(url=model) + trusted)
    return {
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "PATH": os.environ["PATH"],
        "TERM": "xterm-256color",
    }


def in_turn(*replies: Says | Calls) -> tuple[Sequence[Callable[[dict[str, Any]], Says | Calls]], list[dict[str, Any]]]:
    """A model's answers to the conversation alone, and what it was asked: the terminal has it find a title as well."""
    left, asked = iter(replies), list[dict[str, Any]]()

    def reply(request: dict[str, Any]) -> Says | Calls:
        if "exec_command" not in json.dumps(request.get("tools")):
            return Says("A title")
        asked.append(request)
        return next(left)

    return [reply], asked
