"""What a killed runner left running: two agents on one session would overwrite each other. Linux; blocking."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from runners.kept import kept, under
from runners.launch import FOLDER


def end_leftovers(folder: Path, proc: Path = Path("/proc")) -> list[int]:
    """Kill every process marked as started by the session in ``folder``. Returns their ids.

    Called with the session's lock in hand: nothing that is still wanted carries the mark, but for what is kept.
    """
    mark = f"{FOLDER}={folder}".encode()
    wanted = kept(folder)
    spared = {os.getpid(), *wanted, *(under(wanted, proc) if wanted else ())}
    ended = []
    for entry in proc.glob("[0-9]*"):
        if int(entry.name) in spared or _group(entry) in wanted:
            continue
        try:
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # gone meanwhile, or another user's
        if marked:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry.name), signal.SIGKILL)
                ended.append(int(entry.name))
    return ended


def _group(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, ValueError, IndexError):
        return 0
