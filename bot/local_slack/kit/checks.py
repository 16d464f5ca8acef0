"""Small checks that combine into Slack's rules; each adds its complaints as Slack words them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """The complaints of one payload, in order; and what must be unique within it."""

    errors: list[str] = field(default_factory=list)
    action_ids: set[str] = field(default_factory=set)
    block_ids: set[str] = field(default_factory=set)
    markdown: int = 0

    def add(self, words: str, at: str) -> None:
        self.errors.append(f"{words} [json-pointer:{at}]")


Check = Callable[[Any, str, Report], None]


def string(most: int, least: int = 1) -> Check:
    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, str):
            report.add("must provide a string", at)
        elif len(value) < least:
            report.add(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            report.add(f"must be less than {most + 1} characters", at)

    return check


def flag(value: Any, at: str, report: Report) -> None:
    if not isinstance(value, bool):
        report.add("must provide a boolean", at)


def integer(least: int, most: int) -> Check:
    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            report.add("must provide an integer", at)
        elif value < least:
            report.add(f"must be greater than {least - 1}", at)
        elif value > most:
            report.add(f"must be less than {most + 1}", at)

    return check


def choice(*values: str) -> Check:
    def check(value: Any, at: str, report: Report) -> None:
        if value not in values:
            report.add("must be a valid enum value", at)

    return check


def anything(value: Any, at: str, report: Report) -> None:
    """Not looked into."""


def items(each: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, list):
            report.add("must provide an array", at)
            return
        if len(value) > most:
            report.add(f"no more than {most} items allowed", at)
        elif len(value) < least:
            report.add(f"no fewer than {least} items allowed", at)
        for number, item in enumerate(value[:most]):
            each(item, f"{at}/{number}", report)

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check], *more: Check) -> Check:
    """An object with these fields and no others; ``more`` looks at the object as a whole."""
    known = {**required, **optional}

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.add("must provide an object", at)
            return
        for name in required:
            if value.get(name) is None:
                report.add(f"missing required field: {name}", at)
        for name, item in value.items():
            if name not in known:
                report.add(f"invalid additional property: {name}", at)
            elif item is not None:
                known[name](item, f"{at}/{name}", report)
        for whole in more:
            whole(value, at, report)

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """An object whose ``type`` says which rules it follows."""

    def check(value: Any, at: str, report: Report) -> None:
        if not isinstance(value, dict):
            report.add("must provide an object", at)
        elif "type" not in value:
            report.add("missing required field: type", at)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            report.add(f"unsupported type: {value['type']}", f"{at}/type")
        else:
            kinds[value["type"]](value, at, report)

    return check


def text(most: int, *kinds: str, least: int = 1) -> Check:
    """A text object; ``kinds`` are plain_text and mrkdwn unless told."""
    plain = shape({"type": anything, "text": string(most, least)}, {"emoji": flag})
    marked = shape({"type": anything, "text": string(most, least)}, {"verbatim": flag})
    rules = {"plain_text": plain, "mrkdwn": marked}
    return by_type({kind: rules[kind] for kind in (kinds or tuple(rules))})


def plain(most: int) -> Check:
    return text(most, "plain_text")


def id_of(kind: str) -> Check:
    """A block_id or action_id: at most 255 characters and used once in the whole payload."""
    length = string(255)

    def check(value: Any, at: str, report: Report) -> None:
        before = len(report.errors)
        length(value, at, report)
        if len(report.errors) > before:
            return
        seen = report.action_ids if kind == "action_id" else report.block_ids
        if value in seen:
            report.add(f'`{kind}` "{value}" already exists', at)
        seen.add(value)

    return check


ACTION_ID = id_of("action_id")
BLOCK_ID = id_of("block_id")
CONFIRM = shape(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": choice("primary", "danger")},
)
