"""The frames that carry messages: what PROTOCOL.md calls by the key ``frame``. Bodies stay raw in them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

from msgspec import Meta, Raw, Struct

from bot.wire.types import SessionId

LARGEST = 2**53
"""Numbers beyond it are not the same in every JSON reader; SQLite's end is further out."""


class Hello(Struct, frozen=True, tag="hello", tag_field="frame"):
    """First frame of a peer. ``epoch`` names its spool; ``last_seq`` is the newest event in it, 0 for none."""

    versions: tuple[int, ...]
    role: str
    """``host`` or ``runner``."""
    name: Annotated[str, Meta(max_length=100)]
    """The host's id, or the runner's session id; must be what its token stands for."""
    epoch: Annotated[str, Meta(max_length=100)]
    last_seq: int
    sessions: tuple[SessionId, ...] = ()
    """A host names the sessions it holds; a runner its own."""
    software: str = ""


class Welcome(Struct, frozen=True, tag="welcome", tag_field="frame"):
    """The bot's reply to ``hello``: the version both will speak and the newest event already on the bot's disk."""

    version: int
    acked_seq: int
    heartbeat: float
    """Seconds between the bot's pings; a peer that hears nothing for three of them reconnects."""
    max_frame: int
    """Bytes in one frame at most; a larger one closes the connection with an error frame."""


class Event(Struct, frozen=True, tag="event", tag_field="frame"):
    """Something that happened at the peer. Kept in its spool until acknowledged; ``seq`` counts from 1 in one epoch."""

    seq: int
    type: str
    at: datetime
    body: Raw
    session: SessionId | None = None


class Ack(Struct, frozen=True, tag="ack", tag_field="frame"):
    """All events up to and including ``seq`` are on the bot's disk."""

    seq: int


class Command(Struct, frozen=True, tag="command", tag_field="frame"):
    """One thing the bot tells a peer to do. ``id`` rises for each peer; a repeated id is done once."""

    id: int
    type: str
    body: Raw


class CommandAck(Struct, frozen=True, tag="command_ack", tag_field="frame"):
    """The command is on the peer's disk (``problem`` empty), or refused with the reason and the fix in words."""

    id: Annotated[int, Meta(ge=0, le=LARGEST)]
    problem: str = ""


class Error(Struct, frozen=True, tag="error", tag_field="frame"):
    """Something could not be understood or allowed. ``fatal`` errors are followed by a close."""

    code: str
    message: str
    fatal: bool = False


Frame: TypeAlias = Hello | Welcome | Event | Ack | Command | CommandAck | Error
