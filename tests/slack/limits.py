"""Slack's Block Kit limits, written down apart from the code under test; lengths in UTF-16 units, the strictest way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def problems(blocks: list[Json], most: int) -> list[str]:
    """Everything in these blocks that Slack would refuse."""
    found = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    for block in blocks:
        found += _block(block)
    ids = [element["action_id"] for element in elements(blocks) if "action_id" in element]
    found += [f"action_id {name} twice" for name in set(ids) if ids.count(name) > 1]
    block_ids = [block["block_id"] for block in blocks if "block_id" in block]
    return found + [f"block_id {name} twice" for name in set(block_ids) if block_ids.count(name) > 1]


def message_problems(text: str, blocks: list[Json]) -> list[str]:
    found = [] if 0 < units(text) <= 4000 else [f"text of {units(text)}"]
    return found + problems(blocks, 50)


def view_problems(view: Json) -> list[str]:
    found = problems(view["blocks"], 100)
    if view["type"] == "modal":
        found += _text(view["title"], 24) + _text(view["close"], 24)
        found += _text(view["submit"], 24) if "submit" in view else []
        if any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
            found.append("input without submit")
        if units(view["private_metadata"]) > 3000:
            found.append("private_metadata")
    return found


def elements(blocks: list[Json]) -> Iterator[Json]:
    for block in blocks:
        if block["type"] == "actions":
            yield from block["elements"]
        for place in ("element", "accessory"):
            if place in block:
                yield block[place]


def _block(block: Json) -> list[str]:
    match block["type"]:
        case "section":
            return _text(block["text"], 3000)
        case "context":
            many = [] if 0 < len(block["elements"]) <= 10 else ["context elements"]
            return many + [p for element in block["elements"] for p in _text(element, 3000)]
        case "actions":
            many = [] if 0 < len(block["elements"]) <= 25 else [f"{len(block['elements'])} elements"]
            return many + [p for element in block["elements"] for p in _element(element)]
        case "input":
            hint = _text(block["hint"], 2000) if "hint" in block else []
            return _text(block["label"], 2000) + hint + _element(block["element"])
        case "divider":
            return []
    return [f"unknown block {block['type']}"]


def _element(element: Json) -> list[str]:
    found = _text(element["placeholder"], 150) if "placeholder" in element else []
    if units(element["action_id"]) > 255:
        found.append("action_id too long")
    match element["type"]:
        case "button":
            found += _text(element["text"], 75)
            found += ["button value"] if units(element["value"]) > 2000 else []
            found += _confirm(element["confirm"]) if "confirm" in element else []
        case "static_select" | "multi_static_select" | "checkboxes":
            most = 10 if element["type"] == "checkboxes" else 100
            found += [] if 0 < len(element["options"]) <= most else ["options"]
            for option in element["options"]:
                found += _text(option["text"], 75)
                found += _text(option["description"], 75) if "description" in option else []
                found += ["option value"] if not 0 < units(option["value"]) <= 150 else []
            values = [option["value"] for option in element["options"]]
            found += ["option values repeat"] if most == 10 and len(set(values)) < len(values) else []
            if "initial_option" in element and element["initial_option"] not in element["options"]:
                found.append("initial_option")
        case "plain_text_input":
            found += ["initial_value"] if units(element.get("initial_value", "")) > 3000 else []
        case "users_select":
            pass
        case other:
            found.append(f"unknown element {other}")
    return found


def _confirm(confirm: Json) -> list[str]:
    return (
        _text(confirm["title"], 100)
        + _text(confirm["text"], 300)
        + _text(confirm["confirm"], 30)
        + _text(confirm["deny"], 30)
    )


def _text(text: Json, most: int) -> list[str]:
    length = units(text["text"])
    return [] if 0 < length <= most else [f"{text['type']} of {length}, allowed {most}: {text['text'][:40]!r}"]
