"""The files in a session's folder by their names, and how they are written: whole, and for this user only."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

TICKET, LOCK, ENDED, STOP, SPOOL, LOG, AGENT_LOG, EXCLUDE = (
    "ticket.json", "lock", "ended", "stop.json", "spool.db", "runner.log", "agent.log", "exclude",
)  # fmt: skip
MOVING = "moving"
"""There while a session moves between a terminal and a runner: in words, where to."""
FOLDER = "SWITCHBOARD_FOLDER"
"""Marks every process that a session started, so that what a killed runner left can be found."""


def write_atomic(path: Path, data: bytes) -> None:
    """All or nothing, whoever else writes it at the same time; readable by this user only."""
    fd, fresh = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise
