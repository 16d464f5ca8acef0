"""The codec under everything that may arrive: decode(encode(m)) == m, and anything else is a WireError."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wire import codec, version
from bot.wire.codec import FrameTooLarge, UnknownType, WireError
from bot.wire.messages import Ack, AgentDescribed, Command, CommandBody, Error, Event, EventBody, Frame, Hello
from bot.wire.types import Ability, SessionId

# Surrogates cannot be written as UTF-8; everything else a person or an agent may type can.
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def built(kind: type) -> st.SearchStrategy[object]:
    """Any value of a message type, its fields by their annotations."""
    return st.from_type(kind)


st.register_type_strategy(str, words)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(int, st.integers(-(2**63), 2**63 - 1))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


@settings(max_examples=300)
@given(st.sampled_from(get_args(EventBody)).flatmap(built), st.integers(1, 2**53))
def test_an_event_comes_back_as_it_went(body: EventBody, seq: int) -> None:
    frame = codec.decode(codec.encode(codec.event(seq, datetime(2026, 1, 1, tzinfo=UTC), body, SessionId("s1"))))
    assert isinstance(frame, Event)
    assert frame.seq == seq
    assert codec.event_body(frame.type, frame.body) == body


@settings(max_examples=300)
@given(st.sampled_from(get_args(CommandBody)).flatmap(built))
def test_a_command_comes_back_as_it_went(body: CommandBody) -> None:
    frame = codec.decode(codec.encode(codec.command(7, body)))
    assert isinstance(frame, Command)
    assert codec.command_body(frame.type, frame.body) == body


@settings(max_examples=200)
@given(st.sampled_from([Hello, Ack, Error]).flatmap(built))
def test_a_frame_comes_back_as_it_went(frame: Frame) -> None:
    assert codec.decode(codec.encode(frame)) == frame


@settings(max_examples=300)
@given(st.binary(max_size=400) | st.text(max_size=200))
def test_garbage_is_a_wire_error(data: bytes | str) -> None:
    with pytest.raises(WireError):
        codec.decode(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.sampled_from([member.type for member in get_args(EventBody)]), json_values)
def test_a_body_that_does_not_fit_is_a_wire_error_or_a_message(kind: str, value: object) -> None:
    try:
        body = codec.event_body(kind, json.dumps(value).encode())
    except WireError:
        return
    assert type(body) in get_args(EventBody)


def test_an_unknown_type_keeps_its_envelope() -> None:
    frame = codec.decode(
        b'{"frame":"event","seq":3,"type":"session.danced","at":"2026-01-01T00:00:00Z","body":{"x":1}}'
    )
    assert isinstance(frame, Event)
    with pytest.raises(UnknownType, match=r"session\.danced"):
        codec.event_body(frame.type, frame.body)


def test_keys_of_a_newer_peer_are_ignored() -> None:
    assert codec.decode(b'{"frame":"ack","seq":3,"colour":"blue"}') == Ack(3)


def test_an_ability_of_a_newer_runner_is_ignored_and_the_others_count() -> None:
    body = codec.event_body("agent.described", b'{"title":"Claude Code","abilities":["steer","juggle","reset"]}')
    assert isinstance(body, AgentDescribed)
    assert body.known_abilities() == {Ability.STEER, Ability.RESET}


def test_a_frame_at_the_limit_passes_and_one_byte_more_does_not() -> None:
    empty = len(codec.encode(Error("x", "")))
    most = Error("x", "a" * (codec.MAX_FRAME - empty))
    assert codec.decode(codec.encode(most)) == most
    with pytest.raises(FrameTooLarge, match="1,048,577"):
        codec.decode(codec.encode(Error("x", most.message + "a")))


def test_the_highest_common_version_is_agreed_on() -> None:
    assert version.negotiate((1, 2, 5), (1, 2, 3)) == 2
    assert version.negotiate((4,), (1, 2)) is None


@pytest.mark.parametrize(
    "frame",
    [
        {"frame": "command_ack", "id": 2**70},
        {"frame": "command_ack", "id": -1},
        {"frame": "hello", "versions": [1], "role": "host", "name": "h", "epoch": "e" * 101, "last_seq": 0},
        {"frame": "hello", "versions": [1], "role": "host", "name": "h" * 101, "epoch": "e", "last_seq": 0},
    ],
)
def test_what_no_table_could_hold_is_a_wire_error(frame: dict[str, object]) -> None:
    with pytest.raises(WireError):
        codec.decode(json.dumps(frame))


def test_what_is_nested_too_deeply_is_a_wire_error() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(WireError):
        codec.decode('{"frame":"ack","seq":1,"more":' + deep + "}")
    with pytest.raises(WireError):
        codec.event_body("prompt.given", b'{"more":' + deep.encode() + b"}")
