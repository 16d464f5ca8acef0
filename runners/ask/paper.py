"""Where a session's door is, for whoever may knock: a file in its folder. Imports little: scripts wait for it."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

DOOR = "door.json"


class Paper(Struct, frozen=True):
    """What ``door.json`` says. Readable by its user alone."""

    url: str
    token: str
    pid: int = 0

    def __repr__(self) -> str:
        return f"Paper({self.url})"


def read_paper(folder: Path) -> Paper | None:
    """The door of the session in ``folder``; None where it never had one. Blocking."""
    try:
        return msgspec.json.decode((folder / DOOR).read_bytes(), type=Paper)
    except (OSError, msgspec.DecodeError):
        return None
