"""Which merges this host has left waiting, and for which base. Kept outside the repository, where an agent can make any
branch it likes; a branch alone proves nothing. Blocking."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from runners import files
from runners.repo import git

FOLDER = "merges"
"""In the host's data folder."""


class Waiting(Struct, frozen=True):
    """``made``, a merge of ``merged`` for ``base`` as it stood at ``onto``, was left on ``branch``."""

    base: str
    onto: str
    merged: str
    made: str
    branch: str
    at: int = 0


class Records:
    """Of one repository. Hold ``alone`` while reading and adding: the next merge goes on top of the newest."""

    def __init__(self, folder: Path, repo: Path) -> None:
        self._repo = repo
        self._folder = folder / hashlib.sha256(os.fsencode(repo.resolve())).hexdigest()[:16]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One merge at a time in this repository, over all sessions of the host."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def add(self, found: Waiting) -> None:
        """Before its branch is made: a record without a branch counts for nothing, a branch without one neither."""
        stamped = msgspec.structs.replace(found, at=time.time_ns())
        files.write_atomic(self._folder / f"{found.made}.json", msgspec.json.encode(stamped))

    def standing(self, base: str, tip: str) -> list[Waiting]:
        """What still waits for ``base``, now at ``tip``, newest first. What was taken, moved or deleted goes."""
        found = [record for path in self._folder.glob("*.json") if (record := self._look(path)) is not None]
        fitting = [
            record
            for record in found
            if record.base == base
            # A base that was taken back, or went another way, must not come back with a merge.
            and git.is_ancestor(self._repo, record.onto, tip)
            and git.is_ancestor(self._repo, tip, record.made)
        ]
        return sorted(fitting, key=lambda record: record.at, reverse=True)

    def _look(self, path: Path) -> Waiting | None:
        try:
            record = msgspec.json.decode(path.read_bytes(), type=Waiting)
        except msgspec.DecodeError:
            return None
        taken = git.is_ancestor(self._repo, record.made, f"refs/heads/{record.base}")
        if taken or git.commit_of(self._repo, f"refs/heads/{record.branch}") != record.made:
            path.unlink(missing_ok=True)
            return None
        return record
