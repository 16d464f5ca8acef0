"""Processes of a session that are to outlive its runner: an agent's holder, an agent's server. Blocking.

Each is the leader of its own process group. A process id alone may be somebody else's by now: its start is noted too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from runners.files import write_atomic

PAPER = "kept.json"


def keep(folder: Path, pid: int) -> None:
    """Spare this process, and all below it, when a new runner clears away what the last one left."""
    if started := started_at(pid):
        _write(folder, {**_read(folder), str(pid): started})


def forget(folder: Path, pid: int) -> None:
    known = _read(folder)
    if known.pop(str(pid), None) is not None:
        _write(folder, known)


def kept(folder: Path) -> frozenset[int]:
    """Those that still live."""
    return frozenset(int(pid) for pid, started in _read(folder).items() if started_at(int(pid)) == started)


def end_kept(folder: Path) -> list[int]:
    """Kill them, each with its process group and all below it. Returns the leaders that still lived."""
    leaders = sorted(kept(folder))
    below = under(leaders)
    for pid in leaders:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    for pid in below:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    for pid in map(int, _read(folder)):
        forget(folder, pid)
    return leaders


def under(pids: list[int] | frozenset[int], proc: Path = Path("/proc")) -> set[int]:
    """All processes below these, whatever their groups: shells in the background have sessions of their own."""
    parents: dict[int, list[int]] = {}
    for pid, parent in _parents(proc):
        parents.setdefault(parent, []).append(pid)
    found: set[int] = set()
    look = list(pids)
    while look:
        children = [child for child in parents.get(look.pop(), ()) if child not in found]
        found.update(children)
        look += children
    return found


def _parents(proc: Path) -> list[tuple[int, int]]:
    found = []
    if proc.is_dir():
        for entry in proc.glob("[0-9]*"):
            with suppress(OSError, ValueError, IndexError):
                found.append((int(entry.name), int((entry / "stat").read_text().rpartition(")")[2].split()[1])))
        return found
    for line in _ps("-axo", "pid=,ppid=").splitlines():
        with suppress(ValueError):
            pid, parent = line.split()
            found.append((int(pid), int(parent)))
    return found


def started_at(pid: int) -> str:
    """When a process began, in its system's own count; empty where there is none of that id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        return "" if Path("/proc/self/stat").exists() else _ps("-o", "lstart=", "-p", str(pid)).strip()


def _ps(*arguments: str) -> str:
    try:
        return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False, timeout=10).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def _read(folder: Path) -> dict[str, str]:
    try:
        known = json.loads((folder / PAPER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(known, dict):
        return {}
    return {pid: started for pid, started in known.items() if pid.isdigit() and isinstance(started, str)}


def _write(folder: Path, known: dict[str, str]) -> None:
    with suppress(OSError):
        write_atomic(folder / PAPER, json.dumps(known).encode())
