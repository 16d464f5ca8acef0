"""Bytes to frames and back. The envelope is decoded first, the body by type: a newer peer's message is not fatal."""

from __future__ import annotations

from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, get_args

import msgspec

from bot.wire.messages import Command, CommandBody, Event, EventBody, Frame
from bot.wire.types import SessionId

MAX_FRAME = 1 << 20
"""Bytes in one frame. A review with its whole diff is the largest message; the runner cuts diffs to fit."""

B = TypeVar("B")


class WireError(Exception):
    """A frame or body that cannot be used. ``code`` goes into the error frame."""

    code = "bad_frame"


class FrameTooLarge(WireError):
    code = "frame_too_large"


class UnknownType(WireError):
    """A well-formed envelope whose type this build does not know. It is acknowledged all the same."""

    code = "unknown_type"


_encoder = msgspec.json.Encoder()
_frames: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)


def _by_type(union: UnionType) -> dict[str, msgspec.json.Decoder[Any]]:
    return {member.type: msgspec.json.Decoder(member) for member in get_args(union)}


_events = _by_type(EventBody)
_commands = _by_type(CommandBody)


def encode(frame: Frame) -> bytes:
    """One frame as UTF-8 JSON."""
    return _encoder.encode(frame)


def decode(data: bytes | str) -> Frame:
    """Raises WireError for what is not a frame, FrameTooLarge beyond MAX_FRAME bytes."""
    size = len(data) if isinstance(data, bytes) else len(data.encode())
    if size > MAX_FRAME:
        raise FrameTooLarge(f"a frame of {size:,} bytes; at most {MAX_FRAME:,} are allowed")
    try:
        return _frames.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise WireError(f"not a frame: {err}") from err


def event(seq: int, at: datetime, body: EventBody, session: SessionId | None = None) -> Event:
    """Wrap a body in its envelope. ``at`` is aware UTC."""
    return Event(seq=seq, type=body.type, at=at, body=msgspec.Raw(_encoder.encode(body)), session=session)


def command(command_id: int, body: CommandBody) -> Command:
    """Wrap a body in its envelope."""
    return Command(id=command_id, type=body.type, body=msgspec.Raw(_encoder.encode(body)))


def body_bytes(body: EventBody | CommandBody) -> bytes:
    """The body alone, as stored in spools and tables."""
    return _encoder.encode(body)


def event_body(kind: str, data: bytes | msgspec.Raw) -> EventBody:
    """Raises UnknownType, or WireError when the body does not fit its type."""
    body: EventBody = _body("event", _events, kind, data)
    return body


def command_body(kind: str, data: bytes | msgspec.Raw) -> CommandBody:
    """Raises UnknownType, or WireError when the body does not fit its type."""
    body: CommandBody = _body("command", _commands, kind, data)
    return body


def _body(what: str, decoders: dict[str, msgspec.json.Decoder[Any]], kind: str, data: bytes | msgspec.Raw) -> Any:
    decoder = decoders.get(kind)
    if decoder is None:
        raise UnknownType(f"unknown {what} type {kind!r}")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise WireError(f"{what} {kind!r} has a bad body: {err}") from err
