"""Reading what Claude Code sends: fields by their expected type, nothing raised for what is missing. Pure."""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
"""One line of Claude Code's protocol; it exists only inside this package."""

_FAR = 1e15
"""Nothing that is counted here comes near; neither NaN nor infinity lies within."""


def text(source: Json, key: str) -> str:
    value = source.get(key)
    return value if isinstance(value, str) else ""


def table(source: Json, key: str) -> Json:
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def tables(source: Json, key: str) -> list[Json]:
    value = source.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def number(source: Json, key: str) -> float:
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if -_FAR < value < _FAR else 0
