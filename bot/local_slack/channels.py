"""Channels and direct messages: opening, joining, archiving."""

from __future__ import annotations

from bot.local_slack import events, messages
from bot.local_slack.ids import new_id
from bot.local_slack.models import Channel, Json
from bot.local_slack.workspace import Workspace


def open_im(ws: Workspace, one: str, other: str) -> Channel:
    channel = ws.state.im(one, other)
    if channel is None:
        members = list(dict.fromkeys([one, other]))
        channel = Channel(new_id("D"), "", "im", members, creator=one, created=int(ws.clock.time()))
        ws.state.save_channel(channel)
        tell(ws, channel)
    return channel


def create(ws: Workspace, name: str, creator: str, members: list[str], topic: str = "") -> Channel:
    channel = Channel(new_id("C"), name, "channel", members, topic=topic, creator=creator, created=int(ws.clock.time()))
    ws.state.save_channel(channel)
    ws.tell_all({"type": "channel", "channel": {"id": channel.id}})
    return channel


def join(ws: Workspace, channel: Channel, person: str, inviter: str = "") -> None:
    if person in channel.members:
        return
    channel.members.append(person)
    ws.state.save_channel(channel)
    text = f"<@{person}> has joined the channel"
    body: Json = {"subtype": "channel_join", "text": text}
    messages.post(ws, channel, person, body | ({"inviter": inviter} if inviter else {}), quiet=True)
    events.joined(ws, channel, person, inviter)
    ws.tell_all({"type": "channel", "channel": {"id": channel.id}})


def leave(ws: Workspace, channel: Channel, person: str) -> None:
    if person in channel.members:
        channel.members.remove(person)
        ws.state.save_channel(channel)
        ws.tell_all({"type": "channel", "channel": {"id": channel.id}})


def archive(ws: Workspace, channel: Channel, person: str, *, archived: bool = True) -> None:
    if channel.archived is archived:
        return
    channel.archived = archived
    ws.state.save_channel(channel)
    events.archived(ws, channel, person)
    tell(ws, channel)


def tell(ws: Workspace, channel: Channel) -> None:
    ws.tell(channel.members, {"type": "channel", "channel": {"id": channel.id}})
