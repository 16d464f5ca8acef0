"""Where the demo agent is in its story, kept outside the worktree so that it survives its process."""

from __future__ import annotations

import json
import os
import re
import threading
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class State:
    """One session. ``steps`` is what is being played: the story, later a follow-up."""

    id: str
    cwd: str
    steps: list[Any] = field(default_factory=list)
    follow: list[Any] = field(default_factory=list)
    position: int = 0
    pace: float = 0.0
    values: dict[str, str] = field(default_factory=dict)
    """Answers and other words for {{slots}}; ``<name>.id`` is the id of a chosen option."""
    said: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    """Files changed since the last commit."""
    started: bool = False

    @property
    def finished(self) -> bool:
        return self.started and self.position >= len(self.steps)


class States:
    """One JSON file a session; written whole, so that a kill leaves the old or the new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = threading.Lock()  # a cancelled turn may leave a save running in its thread

    @classmethod
    def default(cls) -> States:
        if named := os.environ.get("SWITCHBOARD_DEMO_STATE"):
            return cls(Path(named))
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return cls(Path(home) / "switchboard" / "demo")

    def new(self, cwd: str) -> State:
        state = State(id=f"demo-{uuid.uuid4().hex[:12]}", cwd=cwd)
        self.save(state)
        return state

    def load(self, id_: str) -> State | None:
        if not re.fullmatch(r"demo-[0-9a-f]{12}", id_):
            return None
        try:
            return State(**json.loads((self._folder / f"{id_}.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def save(self, state: State) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{state.id}.json"
        fresh = path.with_suffix(f".{os.getpid()}.new")
        with self._writing:
            fresh.write_text(json.dumps(asdict(state)), encoding="utf-8")
            fresh.replace(path)
