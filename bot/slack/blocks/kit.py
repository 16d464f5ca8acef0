"""Block Kit's parts with its limits built in. Whatever comes in, what goes out is a message that Slack accepts."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from bot.slack import text
from bot.slack.actions import Act, Verb

Block: TypeAlias = dict[str, object]

TEXT_LIMIT = 3900
"""``chat.update`` refuses more than 4,000."""
SECTION_LIMIT = 3000
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
ROW = 5
"""Buttons side by side: more are hard to hit on a phone."""


@dataclass(frozen=True)
class Message:
    """``text`` says the same as ``blocks``, for notifications and screen readers."""

    text: str
    blocks: tuple[Block, ...] = ()

    @property
    def digest(self) -> str:
        packed = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(packed.encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Confirm:
    title: str
    text: str
    yes: str
    no: str = "Not yet"


@dataclass(frozen=True)
class Button:
    label: str
    act: Act
    primary: bool = False
    danger: bool = False
    confirm: Confirm | None = None
    url: str = ""


def plain(words: str, limit: int) -> Block:
    return {"type": "plain_text", "text": text.plain(words, limit) or "-", "emoji": True}


def mrkdwn(ready: str) -> Block:
    """``verbatim``: Slack then leaves plain ``@here`` and ``#general`` alone."""
    return {"type": "mrkdwn", "text": ready, "verbatim": True}


def section(ready: str) -> Block:
    return {"type": "section", "text": mrkdwn(ready)}


def option(label: str, value: str) -> Block:
    return {"text": plain(label, 75), "value": value}


@dataclass
class Card:
    """Gathers a message: each part goes into the blocks and, in the same words, into the fallback text."""

    blocks: list[Block] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    _ids: int = 0

    def say(self, ready: str) -> Card:
        """A paragraph of ready mrkdwn; lines beyond Slack's 3,000 characters are left out."""
        if ready := _whole_lines(ready.split("\n"), SECTION_LIMIT):
            self.blocks.append(section(ready))
            self.lines.append(ready)
        return self

    def small(self, *ready: str) -> Card:
        """Small print: one line, its parts parted by a dot."""
        words = " · ".join(part for part in ready if part)
        if words:
            self.blocks.append({"type": "context", "elements": [mrkdwn(words)]})
            self.lines.append(words)
        return self

    def divide(self) -> Card:
        self.blocks.append({"type": "divider"})
        return self

    def buttons(self, buttons: Sequence[Button]) -> Card:
        rest = iter(buttons)
        while row := list(islice(rest, ROW)):
            self.blocks.append({"type": "actions", "elements": [self._button(button) for button in row]})
        if buttons:
            self.lines.append(" ".join(f"[{text.line(button.label, 75)}]" for button in buttons))
        return self

    def select(self, placeholder: str, options: Sequence[tuple[str, Act]], verb: Verb, more: Sequence[Button]) -> Card:
        """A menu with buttons beside it; at most 100 options, as Slack has it."""
        menu: Block = {
            "type": "static_select",
            "action_id": self._id(verb),
            "placeholder": plain(placeholder, 150),
            "options": [option(label, act.pack(150)) for label, act in options[:100]],
        }
        self.blocks.append({"type": "actions", "elements": [menu, *(self._button(button) for button in more)]})
        if more:
            self.lines.append(" ".join(f"[{text.line(button.label, 75)}]" for button in more))
        return self

    def picks(self, name: str, label: str, picks: Sequence[tuple[str, str, Act]], *, menu: bool, told: bool) -> str:
        """Options of which several may be chosen: at most 10 boxes, or a menu of at most 100. Returns the block's id.
        ``told``: what they say stands above already.

        An input block says nothing when it is ticked, and keeps what is ticked as long as its ids stay the same.
        """
        if any(block.get("block_id") == name for block in self.blocks):
            name = f"{name}.{len(self.blocks)}"
        offered = [
            {**option(label, act.pack(150)), **({"description": plain(about, 75)} if about.strip() else {})}
            for label, about, act in picks[: 100 if menu else 10]
        ]
        element: Block = {"type": "checkboxes", "action_id": name, "options": offered}
        if menu:
            placeholder = plain(f"Choose any of {len(picks)}", 150)
            element = {**element, "type": "multi_static_select", "placeholder": placeholder}
        self.blocks.append({"type": "input", "block_id": name, "label": plain(label, 2000), "element": element})
        for words, about, _ in () if told else picks[:100]:
            self.lines.append(f"☐ {text.line(words, 75)}" + (f" · {text.line(about, 75)}" if about.strip() else ""))
        return name

    def part(self) -> Card:
        """A card to gather some blocks apart, so that they can be counted before they are taken in."""
        return Card(_ids=self._ids)

    def take(self, part: Card) -> Card:
        self.blocks += part.blocks
        self.lines += part.lines
        self._ids = part._ids
        return self

    def message(self) -> Message:
        return Message(_whole_lines(self.lines, TEXT_LIMIT) or "-", tuple(self.blocks[:MESSAGE_BLOCKS]))

    def home(self) -> Block:
        return {"type": "home", "blocks": self.blocks[:VIEW_BLOCKS]}

    def _id(self, verb: Verb) -> str:
        """Unique within the message, as Slack demands, and the same at each rendering of the same message."""
        self._ids += 1
        return f"{verb.value}.{self._ids}"

    def _button(self, button: Button) -> Block:
        made: Block = {
            "type": "button",
            "action_id": self._id(button.act.verb),
            "text": plain(button.label, 75),
            "value": button.act.pack(),
        }
        if button.primary or button.danger:
            made["style"] = "danger" if button.danger else "primary"
        if button.url:
            made["url"] = button.url[:3000]
        if button.confirm:
            made["confirm"] = {
                "title": plain(button.confirm.title, 100),
                "text": {"type": "plain_text", "text": text.plain(button.confirm.text, 300) or "-"},
                "confirm": plain(button.confirm.yes, 30),
                "deny": plain(button.confirm.no, 30),
            }
        return made


def _whole_lines(lines: Sequence[str], limit: int) -> str:
    """As many whole lines as fit: a cut inside a mention or an entity would show as rubbish."""
    kept: list[str] = []
    room = limit - 2
    for words in lines:
        if text.size(words) + 1 > room:
            return "\n".join([*kept, text.ELLIPSIS]) if kept else _part(words, room)
        room -= text.size(words) + 1
        kept.append(words)
    return "\n".join(kept)


def _part(ready: str, limit: int) -> str:
    """The beginning of one long line of ready mrkdwn, with no broken mention, link or entity at its end."""
    begun = text.cut(ready, limit)[:-1]
    opened = begun.rfind("<")
    if opened > begun.rfind(">"):
        begun = begun[:opened]
    return re.sub(r"&[a-z]{0,3}$", "", begun).rstrip() + text.ELLIPSIS


def link(url: str, label: str) -> str:
    """A mrkdwn link to one of Slack's own permalinks; ``label`` is ready mrkdwn."""
    leads = url.startswith(("https://", "http://")) and bool(url.partition("://")[2])
    return f"<{text.escape(url).replace('|', '%7C')}|{label}>" if leads else label


def value_of(block: Mapping[str, object], *path: str) -> object:
    """A nested value of a JSON object, None where the way there is missing."""
    found: object = block
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    return found
