"""The notification log: each moment at which a real Slack client would have called a person's attention.

A direct message, a mention, a reply in a thread the person follows. Never an edit, never one's own message, never an
ephemeral one, and one message is one notification however many reasons it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from bot.local_slack.ids import new_id
from bot.local_slack.models import Channel, Message, Notification
from bot.local_slack.text import broadcasts, mentions, strip_marks
from bot.local_slack.workspace import Workspace

Kind = Literal["dm", "mention", "thread_reply"]
PREVIEW = 200


def of_post(ws: Workspace, channel: Channel, message: Message) -> None:
    """Logs what this new message sets off and lets its author and the mentioned follow the thread."""
    spoken = list(_spoken(message))
    named = {person for text in spoken for person in mentions(text)}
    everybody = any(broadcasts(text) for text in spoken)
    parent = ws.state.messages.get((channel.id, message.thread_ts)) if message.is_reply else message
    following = set(parent.followers) if parent is not None and message.is_reply else set()
    for person in channel.members:
        if person == message.user or ws.state.people[person].is_bot or ws.state.people[person].deleted:
            continue
        kind: Kind | None = None
        if channel.kind == "im":
            kind = "dm"
        elif person in named or everybody:
            kind = "mention"
        elif person in following:
            kind = "thread_reply"
        if kind is not None:
            _notify(ws, person, kind, message)
    if parent is not None:
        joins = [message.user, *(person for person in channel.members if person in named)]
        parent.followers = list(dict.fromkeys([*parent.followers, *joins]))
        ws.state.save_message(parent)


def _notify(ws: Workspace, person: str, kind: Kind, message: Message) -> None:
    text = strip_marks(str(message.body.get("text", "")) or _files(ws, message))[:PREVIEW]
    notification = Notification(new_id("N"), ws.clock.time(), person, kind, message.channel, message.ts, text)
    ws.state.add_notification(notification)
    ws.tell([person], {"type": "notification", "notification": notification.to_json()})


def _files(ws: Workspace, message: Message) -> str:
    titles = [ws.state.files[file].title or ws.state.files[file].name for file in message.body.get("files") or []]
    return f"shared {', '.join(titles)}" if titles else ""


def _spoken(message: Message) -> Iterator[str]:
    """What is shown, as mrkdwn: with blocks, ``text`` is only the fallback and mentions nobody."""
    blocks = message.body.get("blocks")
    if blocks:
        yield from _walk(blocks)
    else:
        yield str(message.body.get("text", ""))


def _walk(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _walk(item)
    elif isinstance(node, dict):
        match node.get("type"):
            case "mrkdwn" | "markdown":
                yield str(node.get("text", ""))
            case "user":
                yield f"<@{node.get('user_id')}>"
            case "broadcast":
                yield f"<!{node.get('range')}>"
            case "plain_text":
                return
            case _:
                for value in node.values():
                    yield from _walk(value)
