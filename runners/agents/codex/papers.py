"""What the next runner must know of a Codex that outlives this one: ``codex.json`` in the session's folder."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import structlog

from runners.files import write_atomic

log = structlog.get_logger()

NAME = "codex.json"


class Papers(msgspec.Struct, frozen=True):
    """``thread`` is the session's; ``before`` those that a reset left, which may still run shells of theirs."""

    pid: int = 0
    socket: str = ""
    version: str = ""
    home: str = ""
    thread: str = ""
    before: tuple[str, ...] = ()
    turn: str = ""
    """The turn a runner waits for."""
    changes: dict[str, Any] = {}
    """File changes that wait for an answer: the server does not tell them again."""
    rules: bool = False
    """It was given standing instructions."""


class Drawer:
    """Keeps the papers on disk, newest last. Without a folder they are kept in mind only."""

    def __init__(self, folder: Path | None) -> None:
        self._path = folder / NAME if folder else None
        self._lock = asyncio.Lock()
        self.papers = Papers()

    async def load(self) -> Papers:
        if self._path is not None:
            self.papers = await asyncio.to_thread(_read, self._path)
        return self.papers

    async def keep(self, **changed: Any) -> None:
        """A full disk must not stop the agent: then the next runner knows less."""
        self.papers = msgspec.structs.replace(self.papers, **changed)
        if self._path is None:
            return
        async with self._lock:
            try:
                await asyncio.to_thread(write_atomic, self._path, msgspec.json.encode(self.papers))
            except OSError as problem:
                log.warning("codex.papers_not_kept", path=str(self._path), error=str(problem))


def _read(path: Path) -> Papers:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Papers)
    except (OSError, msgspec.DecodeError):
        return Papers()
