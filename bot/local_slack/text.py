"""Text as Slack keeps it: a person's words escaped, with mentions and links marked, and as rich_text blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.local_slack.ids import short_id
from bot.local_slack.models import Json

MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
BROADCAST = re.compile(r"<!(channel|here|everyone)(?:\|[^>]*)?>")

# What a Slack client would have turned into a mark while the person typed.
_TYPED = re.compile(
    r"(?P<user><@(?P<user_id>[UW][A-Z0-9]+)(?:\|[^<>]*)?>)"
    r"|(?P<channel><\#(?P<channel_id>C[A-Z0-9]+)(?:\|[^<>]*)?>)"
    r"|(?P<broadcast>(?<![\w@])@(?P<all>channel|here|everyone)\b)"
    r"|(?P<name>(?<![\w@])@(?P<user_name>[\w][\w.\-]*))"
    r"|(?P<channel_name>(?<![\w\#&])\#(?P<hash>[\w][\w\-]*))"
    r"|(?P<url>https?://[^\s<>\"|`]+)"
    r"|(?P<special>[&<>])"
)
_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escape(text: str) -> str:
    return re.sub("[&<>]", lambda found: _SPECIAL[found[0]], text)


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def as_typed(text: str, people: Mapping[str, str], channels: Mapping[str, str], *, labels: bool = False) -> str:
    """What Slack stores for what a person typed.

    ``people`` and ``channels`` map lowercase names and ids to ids. Marks for ids that exist are taken as chosen from
    the client's completion; everything else that could be a mark is escaped. ``labels`` adds names, as slash commands
    with ``should_escape`` get them.
    """

    def mark(found: re.Match[str]) -> str:
        if found["user"] and found["user_id"] in people:
            return f"<@{found['user_id']}>"
        if found["channel"] and found["channel_id"] in channels:
            return f"<#{found['channel_id']}>"
        if found["broadcast"]:
            return f"<!{found['all']}>"
        if found["name"]:
            return _named(found["user_name"], people, "@", labels) or found[0]
        if found["channel_name"]:
            return _named(found["hash"], channels, "#", labels) or found[0]
        if found["url"]:
            url = found["url"].rstrip(".,;:!?)")
            return f"<{escape(url)}>{escape(found['url'][len(url) :])}"
        return escape(found[0])

    return _TYPED.sub(mark, text)


def _named(name: str, known: Mapping[str, str], sign: str, labels: bool) -> str | None:
    """``@ana.`` is Ana and a full stop: the longest known beginning counts."""
    for end in range(len(name), 0, -1):
        if end < len(name) and name[end] not in ".-":
            continue
        if found := known.get(name[:end].lower()):
            label = f"|{name[:end]}" if labels else ""
            return f"<{sign}{found}{label}>{name[end:]}"
    return None


def mentions(text: str) -> set[str]:
    return set(MENTION.findall(text))


def broadcasts(text: str) -> bool:
    return BROADCAST.search(text) is not None


def strip_marks(text: str) -> str:
    return unescape(re.sub(r"<([^<>|]*)(?:\|([^<>]*))?>", lambda found: found[2] or found[1], text))


_STORED = re.compile(
    r"<@(?P<user>[UW][A-Z0-9]+)>|<\#(?P<channel>C[A-Z0-9]+)>|<!(?P<range>channel|here|everyone)>"
    r"|<(?P<url>https?://[^<>|]+)>"
)


def rich_text(text: str) -> list[Json]:
    """The rich_text block that a Slack client sends along with a person's words."""
    fenced = re.split(r"```\n?(.*?)\n?```", text, flags=re.DOTALL)
    parts: list[Json] = []
    for number, piece in enumerate(fenced):
        if number % 2:
            parts.append(
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": unescape(piece)}], "border": 0}
            )
        elif piece:
            parts.append({"type": "rich_text_section", "elements": _elements(piece)})
    return [{"type": "rich_text", "block_id": short_id(), "elements": parts}] if parts else []


def _elements(text: str) -> list[Json]:
    elements: list[Json] = []
    position = 0
    for found in _STORED.finditer(text):
        if found.start() > position:
            elements.append({"type": "text", "text": unescape(text[position : found.start()])})
        if found["user"]:
            elements.append({"type": "user", "user_id": found["user"]})
        elif found["channel"]:
            elements.append({"type": "channel", "channel_id": found["channel"]})
        elif found["range"]:
            elements.append({"type": "broadcast", "range": found["range"]})
        else:
            elements.append({"type": "link", "url": unescape(found["url"])})
        position = found.end()
    if position < len(text):
        elements.append({"type": "text", "text": unescape(text[position:])})
    return elements


_MARKUP = re.compile(
    r"<(?:[@#!][^<>\s][^<>]*|(?:https?|mailto|tel|slack):[^<>]+|[^<>\s|]+://[^<>]+)>|&(?:amp|lt|gt);|[&<>]",
)


def as_sent(text: str) -> str:
    """What Slack stores of an app's text: marks stay, stray ``&``, ``<`` and ``>`` are escaped, NULs go."""

    def keep(found: re.Match[str]) -> str:
        if found[0] == ">" and text.rfind("\n", 0, found.start()) + 1 == found.start():
            return "&gt;"
        return found[0] if len(found[0]) > 1 else escape(found[0])

    return _MARKUP.sub(keep, text.replace("\x00", ""))
