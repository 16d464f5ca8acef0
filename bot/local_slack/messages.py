"""Posting, changing and deleting messages, whoever does it, with all that follows from it."""

from __future__ import annotations

from bot.local_slack import events, notifications
from bot.local_slack.errors import SlackError
from bot.local_slack.models import Channel, Json, Message
from bot.local_slack.rendering import render, shown
from bot.local_slack.workspace import Workspace

OLD_VERSIONS = 5
"""Per message: a click on a button that an edit has just taken away still arrives, as from a client a moment behind."""


def post(ws: Workspace, channel: Channel, user: str, body: Json, *, quiet: bool = False) -> Message:
    """A new message with all its consequences; ``quiet`` for those that notify nobody (joins)."""
    message = Message(channel.id, ws.state.next_ts(ws.clock.time()), {"type": "message", "user": user, **body})
    message.body["ts"] = message.ts
    ws.state.save_message(message)
    if not quiet:
        notifications.of_post(ws, channel, message)
    if not ws.state.people[user].is_bot:
        ws.state.save_read(user, channel.id, message.ts)
    _push(ws, channel, "message", message)
    if message.is_reply:
        _push_parent(ws, channel, message)
    events.message_posted(ws, channel, message)
    return message


def post_ephemeral(ws: Workspace, channel: Channel, to: str, body: Json) -> Message:
    message = Message(channel.id, ws.state.next_ts(ws.clock.time()), {"type": "message", **body}, to=to)
    message.body["ts"] = message.ts
    ws.state.save_message(message)
    ws.tell([to], {"type": "ephemeral", "channel": channel.id, "message": render(ws, message, to)})
    return message


def change(ws: Workspace, message: Message, body: Json, *, edited_by: str = "") -> None:
    """Replaces the body. Edits notify nobody."""
    channel = ws.state.channels[message.channel]
    previous = shown(ws, message)
    remember_version(ws, message)
    message.body = body
    if edited_by:
        message.body["edited"] = {"user": edited_by, "ts": f"{int(ws.clock.time())}.000000"}
    ws.state.save_message(message)
    if message.to:
        push: Json = {"type": "ephemeral_changed", "channel": channel.id, "message": render(ws, message, message.to)}
        ws.tell([message.to], push)
        return
    _push(ws, channel, "changed", message)
    events.message_changed(ws, channel, message, previous)


def delete(ws: Workspace, message: Message) -> None:
    """Gone; a parent with replies leaves a tombstone, as in Slack."""
    channel = ws.state.channels[message.channel]
    previous = shown(ws, message)
    ws.old_versions.pop((message.channel, message.ts), None)
    if message.to:
        ws.state.drop_message(message)
        ws.tell([message.to], {"type": "deleted", "channel": channel.id, "ts": message.ts})
        return
    if ws.state.thread(channel.id, message.ts):
        message.body = {
            "type": "message",
            "subtype": "tombstone",
            "text": "This message was deleted.",
            "user": "USLACKBOT",
            "hidden": True,
            "ts": message.ts,
            "thread_ts": message.ts,
        }
        ws.state.save_message(message)
        _push(ws, channel, "changed", message)
    else:
        ws.state.drop_message(message)
        ws.tell(channel.members, {"type": "deleted", "channel": channel.id, "ts": message.ts})
        if message.is_reply:
            _push_parent(ws, channel, message)
    events.message_deleted(ws, channel, message, previous)


def thread_parent(ws: Workspace, channel: Channel, thread_ts: str) -> Message:
    """The message a reply belongs under; a reply's own timestamp leads to its parent, as in Slack."""
    found = ws.state.messages.get((channel.id, thread_ts))
    if found is None or found.to:
        raise SlackError("thread_not_found")
    return ws.state.messages[channel.id, found.thread_ts] if found.is_reply else found


def react(ws: Workspace, message: Message, person: str, name: str, *, remove: bool = False) -> None:
    reactions: list[Json] = [dict(found) for found in message.body.get("reactions", [])]
    entry = next((found for found in reactions if found["name"] == name), None)
    has = entry is not None and person in entry["users"]
    if has is not remove:
        raise SlackError("no_reaction" if remove else "already_reacted")
    if entry is None:
        entry = {"name": name, "users": [], "count": 0}
        reactions.append(entry)
    users = [user for user in entry["users"] if user != person] + ([] if remove else [person])
    entry |= {"users": users, "count": len(users)}
    message.body = {key: value for key, value in message.body.items() if key != "reactions"}
    if left := [found for found in reactions if found["users"]]:
        message.body["reactions"] = left
    ws.state.save_message(message)
    channel = ws.state.channels[message.channel]
    _push(ws, channel, "changed", message)
    ws.tell(
        channel.members,
        {
            "type": "reaction",
            "channel": channel.id,
            "ts": message.ts,
            "user": person,
            "name": name,
            "removed": remove,
        },
    )
    events.reaction(ws, "reaction_removed" if remove else "reaction_added", person, message, name)


def remember_version(ws: Workspace, message: Message) -> None:
    versions = ws.old_versions.setdefault((message.channel, message.ts), [])
    versions.append(message.body)
    del versions[:-OLD_VERSIONS]


def _push(ws: Workspace, channel: Channel, kind: str, message: Message) -> None:
    for person in channel.members:
        ws.tell([person], {"type": kind, "channel": channel.id, "message": render(ws, message, person)})


def _push_parent(ws: Workspace, channel: Channel, reply: Message) -> None:
    """The parent's reply count changed: its line in the channel has to be redrawn."""
    parent = ws.state.messages.get((channel.id, reply.thread_ts))
    if parent is not None:
        _push(ws, channel, "changed", parent)
