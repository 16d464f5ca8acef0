"""Golden files: what is on the wire today must be read tomorrow. ``python -m tests.wire.test_golden`` writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from bot.wire import codec, messages
from bot.wire.messages import Command, CommandBody, Event, EventBody, Frame
from tests.wire.samples import COMMANDS, EVENTS, FRAMES, WIDER_COMMANDS, WIDER_EVENTS

GOLDEN = Path(__file__).parent / "golden"
FIRST = GOLDEN / "first"
"""As the first release wrote them, where a later one adds keys: its hosts and spools still speak like this."""


def pretty(frame: Frame) -> str:
    return json.dumps(json.loads(codec.encode(frame)), indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("name", FRAMES)
def test_a_message_looks_as_it_always_did(name: str) -> None:
    assert pretty(FRAMES[name]) == (GOLDEN / f"{name}.json").read_text("utf-8")


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda path: path.stem)
def test_an_old_message_is_still_read(path: Path) -> None:
    frame = codec.decode(path.read_bytes())
    assert type(frame) is type(FRAMES[path.stem])
    if isinstance(frame, Event):
        assert codec.event_body(frame.type, frame.body) in (*EVENTS, *WIDER_EVENTS.values())
    elif isinstance(frame, Command):
        assert codec.command_body(frame.type, frame.body) in (*COMMANDS, *WIDER_COMMANDS.values())
    else:
        assert frame == FRAMES[path.stem]


def test_every_message_has_its_golden_file() -> None:
    assert {type(body) for body in EVENTS} == set(get_args(EventBody))
    assert {type(body) for body in COMMANDS} == set(get_args(CommandBody))
    assert {type(frame) for frame in FRAMES.values()} == set(get_args(messages.Frame))
    assert {path.stem for path in GOLDEN.glob("*.json")} == set(FRAMES)


if __name__ == "__main__":
    for name, frame in FRAMES.items():
        (GOLDEN / f"{name}.json").write_text(pretty(frame), "utf-8")
