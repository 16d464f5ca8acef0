"""A session's folder on the host: what its runner must know, its lock, its end. Blocking: run in threads."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bot.wire.messages import StopSession
from bot.wire.types import Place, SessionSpec
from runners.agents.base import Adapter
from runners.errors import AlreadyRunning, RunnerError
from runners.files import STOP, TICKET, write_atomic


class Ticket(Struct, frozen=True):
    """Written by the host once the worktree exists; read by every runner of this session, the first and the resumed."""

    spec: SessionSpec
    place: Place
    repo: str
    agent: str
    argv: tuple[str, ...]
    env: dict[str, str]
    login: str = ""
    start_timeout: float = 60.0
    checks: tuple[tuple[str, ...], ...] = ()
    check_timeout: float = 600.0
    copied: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    report_every: float = 5.0
    fast_forward: bool = False
    adapter: Adapter = "acp"
    profile: str = ""
    model: str = ""
    mode: str = ""
    rules: str = ""
    """The preamble without the task, as it stood when the session began."""

    def __repr__(self) -> str:
        return f"Ticket({self.spec.session}, {self.place.branch})"  # the token and env stay out of logs


def write(folder: Path, ticket: Ticket) -> None:
    """The folder's other files are secret by its mode, this one by its own as well."""
    write_atomic(folder / TICKET, msgspec.json.encode(ticket))


def ask_to_stop(folder: Path, order: StopSession) -> None:
    """Left by a host for a runner that may not be connected, or not even running yet."""
    write_atomic(folder / STOP, msgspec.json.encode(order))


def stop_asked(folder: Path) -> StopSession | None:
    try:
        return msgspec.json.decode((folder / STOP).read_bytes(), type=StopSession)
    except (OSError, msgspec.DecodeError):
        return None


def read(folder: Path) -> Ticket:
    """Raises RunnerError when it cannot be read."""
    try:
        return msgspec.json.decode((folder / TICKET).read_bytes(), type=Ticket)
    except (OSError, msgspec.DecodeError) as err:
        raise RunnerError(f"{folder / TICKET} cannot be used: {err}.", "Stop the session and start it again.") from err


class Lock:
    """Held by one process for as long as it lives; the kernel lets go of it however the process ends."""

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd = fd

    @classmethod
    def take(cls, path: Path) -> Lock:
        """Raises AlreadyRunning."""
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(fd):
            pid = os.pread(fd, 32, 0).decode().strip()
            os.close(fd)
            raise AlreadyRunning(f"{path} is held by process {pid or '?'}.", "Only one may run at a time.")
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        return cls(path, fd)

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def _locked(fd: int) -> bool:
    for _ in range(10):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.02)  # `holder` may be looking, which takes a moment
    return False


def holder(path: Path) -> int | None:
    """The process that holds the lock, or None when nobody does."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        # Just locked and not yet signed reads as 0: alive all the same.
        return int(os.pread(fd, 32, 0).decode().strip() or "0")
    else:
        return None
    finally:
        os.close(fd)
