"""What a host knows of a hand-run session, one file for each worktree; hooks read it too. Blocking: run in threads."""

from __future__ import annotations

import hashlib
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from runners.errors import AgentConfused
from runners.files import ENDED, MOVING, TICKET, write_atomic
from runners.kept import started_at

ROUTES = "attached"
"""In a host's data folder."""
OWN = "attach.json"
"""In a session's folder: the record as its runner knows it."""
DETACH = "detach"
"""There: its person took it off the board. Its runner sees it and ends the session."""
LONGEST = 100
"""Bytes in a unix socket's path that every platform takes."""


class Waiting(Struct, frozen=True):
    """A hook that waits for an answer. ``ask`` is its own name of its question; ``call`` the tool call, where known."""

    ask: str
    hook: int
    call: str = ""


class Record(Struct, frozen=True):
    """A hand-run session. ``session`` is the agent's own id of it, which changes when a person clears its context."""

    attach: str
    agent: str
    """``claude``, ``codex``, or ``script``: anything that only asks."""
    worktree: str
    repo: str
    branch: str
    title: str = ""
    session: str = ""
    pid: int = 0
    """The agent's process, to see it go; 0: not known."""
    started: str = ""
    """When that process began: its id may be somebody else's by now."""
    folder: str = ""
    """The session's folder on the host; empty until the bot has taken it."""
    home: str = ""
    """The agent's own settings folder, where it is not the default one."""
    program: str = ""
    """What runs the agent, so that it can be taken up again."""
    turn: bool = False
    """A turn is under way."""
    waiting: tuple[Waiting, ...] = ()
    """Hooks that wait for an answer: where a runner has gone, they ask the next one again."""
    words: tuple[str, ...] = ()
    """What people have said and no hook has printed yet."""
    left: bool = False
    """A person took it off the board: its hooks must not bring it back."""


def route(data: Path, worktree: Path) -> Path:
    """The file of this worktree. ``hook.py`` names it in the same way."""
    return data / ROUTES / f"{hashlib.sha256(os.fsencode(worktree)).hexdigest()[:24]}.json"


def read(path: Path) -> Record | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except (OSError, msgspec.DecodeError):
        return None


def needed(folder: Path) -> Record:
    """The one in a session's folder. Raises AgentConfused."""
    found = read(folder / OWN)
    if found is None:
        raise AgentConfused(f"{folder / OWN} cannot be read.", "Detach the session, attach it again.")
    return found


def write(data: Path, record: Record) -> None:
    path = route(data, Path(record.worktree))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomic(path, msgspec.json.encode(record))


def write_own(folder: Path, record: Record) -> None:
    write_atomic(folder / OWN, msgspec.json.encode(record))


def refresh(data: Path, record: Record) -> None:
    """What its hooks read, unless its worktree has another session by now, or it was taken off the board."""
    known = read(route(data, Path(record.worktree)))
    if known is not None and known.attach == record.attach and not known.left:
        write(data, record)


def forget(data: Path, record: Record) -> None:
    """Leaves a newer record of the same worktree alone."""
    path = route(data, Path(record.worktree))
    known = read(path)
    if known is not None and known.attach == record.attach:
        path.unlink(missing_ok=True)


def records(data: Path) -> Iterator[Record]:
    for path in sorted((data / ROUTES).glob("*.json")):
        if (found := read(path)) is not None:
            yield found


def is_open(record: Record) -> bool:
    """On the board: placed by the host, and not over."""
    if not record.folder:
        return False
    folder = Path(record.folder)
    return (folder / TICKET).exists() and not (folder / ENDED).exists()


def why_gone(folder: Path, record: Record | None, worktree: Path) -> str:
    """What ends the session in ``folder``, in words; empty: nothing does."""
    if (folder / DETACH).exists():
        return "it was taken off the board"
    if (folder / MOVING).exists():
        return ""
    if record is not None and not alive(record):
        return "its terminal has ended"
    if not worktree.is_dir():
        return f"its worktree {worktree} was moved or deleted; attach again from where it is now"
    return ""


def status(record: Record) -> str:
    """What Claude Code notes of its terminal: ``idle``, ``busy`` or ``waiting``; empty where it says nothing."""
    home = Path(record.home) if record.home else Path.home() / ".claude"
    try:
        found = msgspec.json.decode((home / "sessions" / f"{record.pid}.json").read_bytes())
    except (OSError, msgspec.DecodeError):
        return ""
    said = found.get("status") if isinstance(found, dict) else None
    return said if isinstance(said, str) else ""


def alive(record: Record) -> bool:
    """Whether the agent's process is there; one whose id is not known is taken to be."""
    if record.pid <= 0:
        return True
    return there(record.pid) and (not record.started or started_at(record.pid) == record.started)


def there(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _defunct(pid)


def _defunct(pid: int) -> bool:
    """Ended, and only not yet looked after by its parent; told on Linux alone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return stat.rpartition(") ")[2][:1] in ("Z", "X")


def socket_for(folder: Path, name: str) -> Path:
    """Where to listen: in ``folder``, or, where that path is too long, in a private one that a note there names."""
    path = folder / name
    note = folder / f"{name}.path"
    note.unlink(missing_ok=True)
    if len(os.fsencode(path)) > LONGEST:
        path = Path(tempfile.mkdtemp(prefix="switchboard-", dir="/tmp")) / name
        write_atomic(note, os.fsencode(path))
    path.unlink(missing_ok=True)
    return path


def listening(path: Path) -> socket.socket:
    """Bound, and this user's alone before anybody can connect. A umask would be every thread's."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(os.fspath(path))
        path.chmod(0o600)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


def socket_of(folder: Path, name: str) -> Path:
    """Where somebody else listens."""
    try:
        return Path(os.fsdecode((folder / f"{name}.path").read_bytes()))
    except OSError:
        return folder / name


def socket_gone(folder: Path, name: str) -> None:
    """Clear away what ``socket_for`` made."""
    path = socket_of(folder, name)
    with suppress(OSError):
        path.unlink(missing_ok=True)
        if path.parent != folder:
            path.parent.rmdir()
    (folder / f"{name}.path").unlink(missing_ok=True)
