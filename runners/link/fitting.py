"""Makes an event fit one frame: what people need least goes first, and whatever was cut says so. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec.structs import replace

from bot.wire import codec
from bot.wire.messages import Asked, EventBody
from bot.wire.types import Question

MOST = codec.MAX_FRAME - 4096
"""Bytes of a body: the frame around it needs a few."""
CUT = "… (cut: too long for one message)"
LABELS = (300, 75)
SHORTEST, FEWEST = 100, 10
"""Whatever is cut in need keeps so many characters of a text and entries of a list: ids are shorter."""


def body_bytes(body: EventBody) -> bytes:
    """The body as it is spooled, never more than ``MOST`` bytes."""
    data = codec.body_bytes(body)
    if len(data) <= MOST:
        return data
    for smaller in _smaller(body):
        data = codec.body_bytes(smaller)
        if len(data) <= MOST:
            return data
    return _in_need(type(body), data)


def _smaller(body: EventBody) -> Iterator[EventBody]:
    if not isinstance(body, Asked):
        return
    question = _without_descriptions(body.question)
    yield Asked(question)
    for most in LABELS:
        question = replace(
            question, options=tuple(replace(option, label=_cut(option.label, most)) for option in question.options)
        )
        yield Asked(question)
    question = replace(question, detail=_cut(question.detail, 10_000))
    yield Asked(question)
    yield Asked(replace(question, context=_cut(question.context, 2_000)))


def _without_descriptions(question: Question) -> Question:
    return replace(question, options=tuple(replace(option, description="") for option in question.options))


def _in_need(kind: type[EventBody], data: bytes) -> bytes:
    """The last guard, for what no rule foresaw: every text and list in it is cut until it fits."""
    found: Any = msgspec.json.decode(data)
    texts, entries = 10_000, 100
    while True:
        data = codec.body_bytes(msgspec.convert(_shortened(found, texts, entries), kind))
        if len(data) <= MOST or texts == SHORTEST:
            return data
        texts, entries = max(texts // 2, SHORTEST), max(entries // 2, FEWEST)


def _shortened(value: Any, texts: int, entries: int) -> Any:
    match value:
        case str():
            return _cut(value, texts)
        case list():
            return [_shortened(entry, texts, entries) for entry in value[:entries]]
        case dict():
            return {key: _shortened(entry, texts, entries) for key, entry in value.items()}
    return value


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - len(CUT)] + CUT
