"""What the link server needs of the services behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from bot.services.links import HostPeer, RunnerPeer
from bot.wire.messages import Event, Hello

Peer: TypeAlias = HostPeer | RunnerPeer


class Links(Protocol):
    """Everything a peer says is on disk when ``record`` or ``command_acked`` returns. Safe to call concurrently."""

    async def authenticate(self, token: str) -> Peer | None: ...

    async def greet(self, peer: Peer, hello: Hello) -> int:
        """The newest event of this peer's epoch that is on disk. Marks the peer connected."""
        ...

    async def record(self, peer: Peer, epoch: str, events: Sequence[Event]) -> int:
        """One transaction, idempotent by (peer, epoch, seq). Returns the newest event on disk."""
        ...

    async def commands(self, peer: Peer, after: int) -> Sequence[tuple[int, str, bytes]]:
        """Unacknowledged commands with a higher id, in order."""
        ...

    async def wait_commands(self, peer: Peer, after: int) -> None: ...

    # Positional on purpose: implementations name the command's id as they like.
    async def command_acked(self, peer: Peer, id: int, problem: str) -> None: ...  # noqa: A002

    async def disconnected(self, peer: Peer) -> None: ...
