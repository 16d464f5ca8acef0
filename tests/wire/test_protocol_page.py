"""PROTOCOL.md is normative: it names every message, every value and every key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec import Struct

from bot.wire import codec, messages, types
from bot.wire.messages import CommandBody, EventBody

PAGE = (Path(codec.__file__).parent / "PROTOCOL.md").read_text("utf-8")
ROWS = {
    match.group(1): match.group(0) for match in re.finditer(r"^\| `?([\w.]+)`? \|.*$", PAGE, re.M)
}  # the row that defines each message or value

BODIES: list[type[Struct]] = [*get_args(EventBody), *get_args(CommandBody)]
VALUES = [
    value
    for value in vars(types).values()
    if isinstance(value, type) and issubclass(value, Struct) and value is not Struct
]


def keys(struct: type[Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body.type)
def test_every_message_is_described_with_its_keys(body: type[Struct]) -> None:
    row = ROWS[body.type]  # type: ignore[attr-defined]
    assert [key for key in keys(body) if f"`{key}`" not in row] == []


@pytest.mark.parametrize("frame", get_args(messages.Frame), ids=lambda frame: frame.__name__)
def test_every_frame_is_described_with_its_keys(frame: type[Struct]) -> None:
    row = ROWS[str(frame.__struct_config__.tag)]
    assert [key for key in keys(frame) if f"`{key}`" not in row] == []


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_every_value_is_described_with_its_keys(value: type[Struct]) -> None:
    row = ROWS[value.__name__]
    assert [key for key in keys(value) if f"`{key}`" not in row] == []


def test_the_page_describes_nothing_that_does_not_exist() -> None:
    known = {body.type for body in BODIES}  # type: ignore[attr-defined]
    known |= {str(frame.__struct_config__.tag) for frame in get_args(messages.Frame)}
    known |= {value.__name__ for value in VALUES}
    assert set(ROWS) - known - {"frame", "type", "value"} == set()
