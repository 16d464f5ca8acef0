"""Who the common suite runs on. Each peer plays the same few steps in its own way behind its own adapter.

A peer is one small file ``peer_<name>.py`` beside this one with a function ``open_peer(folder, worktree)``, an async
context manager of ``Peer``; its name stands in PEERS.
"""

from __future__ import annotations

import importlib
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from bot.wire.types import Ability
from runners.agents.base import Agent, TurnEnded
from tests.agents.repos import Worktree
from tests.contract.desk import RecordingDesk


@dataclass(frozen=True)
class Say:
    """It says this; as the last step of a turn it ends the turn."""

    text: str


@dataclass(frozen=True)
class Run:
    """It runs a shell command for which it must ask leave."""

    command: str


@dataclass(frozen=True)
class Choose:
    """It asks a question with these options, by its own question tool."""

    title: str
    options: tuple[str, ...]
    multiple: bool = False


@dataclass(frozen=True)
class Ask:
    """Several questions in one call."""

    questions: tuple[Choose, ...]


Step = Say | Run | Choose | Ask


class Peer(Protocol):
    """One agent in one worktree; its sessions outlive its processes."""

    promises: frozenset[Ability]
    """What its adapter must be able to do; tests that need more leave it out."""

    def play(self, *turns: tuple[Step, ...]) -> None:
        """What it does in its turns, one after another. Called once, before ``agent``."""
        ...

    def agent(self, desk: RecordingDesk) -> Agent:
        """Not started yet; the peer closes it in the end."""
        ...

    async def turn(self, agent: Agent, text: str) -> TurnEnded:
        """It is told this, by whoever tells it things, and works its next turn off."""
        ...

    def heard(self) -> str:
        """All that its mind was told so far: prompts, answers, what came of its calls."""
        ...


PEERS = {
    "demo": (),
    "claude": (pytest.mark.agents,),
    "codex": (pytest.mark.agents,),
    "attach": (),
}
OWNED = frozenset((Ability.PROMPT, Ability.CANCEL, Ability.RESUME, Ability.RESET))
"""What every agent of our own can do."""


def present() -> list[object]:
    """Those that have a file here, with their marks."""
    here = Path(__file__).parent
    return [pytest.param(name, marks=marks) for name, marks in PEERS.items() if (here / f"peer_{name}.py").exists()]


def opened(name: str, folder: Path, worktree: Worktree) -> AbstractAsyncContextManager[Peer]:
    module = importlib.import_module(f"tests.contract.peer_{name}")
    peer: AbstractAsyncContextManager[Peer] = module.open_peer(folder, worktree)
    return peer
