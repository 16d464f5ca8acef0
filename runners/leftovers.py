"""What a killed runner left running: two agents on one session would overwrite each other. Linux; blocking."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from runners.files import FOLDER
from runners.kept import kept


def end_leftovers(folder: Path, proc: Path = Path("/proc")) -> list[int]:
    """Kill every process marked as started by the session in ``folder``. Returns their ids.

    Called with the session's lock in hand: nothing that is still wanted carries the mark, but for what is kept.
    """
    mark = f"{FOLDER}={folder}".encode()
    wanted = kept(folder)
    ended = []
    for entry in proc.glob("[0-9]*"):
        if int(entry.name) == os.getpid():
            continue
        try:
            marked = mark in (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue  # gone meanwhile, or another user's
        # Looked at now: what is kept goes on starting processes while this list is read.
        if marked and not (wanted and _is_under(proc, int(entry.name), wanted)):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(int(entry.name), signal.SIGKILL)
                ended.append(int(entry.name))
    return ended


def _is_under(proc: Path, pid: int, wanted: frozenset[int]) -> bool:
    """Kept itself, of a kept group, or started by one of those. What has vanished meanwhile needs no end."""
    while pid > 1:
        if pid in wanted:
            return True
        try:
            fields = (proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return True
        if int(fields[2]) in wanted:
            return True
        pid = int(fields[1])
    return False
