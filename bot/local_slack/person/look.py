"""What a person sees: the workspace, channels, threads, notifications, and the inspector's traffic."""

from __future__ import annotations

from bisect import bisect_left

from bot.local_slack.errors import PersonError
from bot.local_slack.ids import micros
from bot.local_slack.models import Channel, Json, Message, Person
from bot.local_slack.person.request import Ask
from bot.local_slack.rendering import render
from bot.local_slack.workspace import Workspace


async def workspace(ask: Ask) -> Json:
    """Without ``as``, the workspace as its admin person sees it: how a page learns who there is."""
    ws = ask.ws
    me = ask.person() if "as" in ask.args else ws.state.people[ws.state.meta["admin"]]
    return {
        "team": {"id": ws.state.team_id, "name": ws.state.meta["team_name"]},
        "me": me.id,
        "app": {
            "id": ws.state.meta["app_id"],
            "name": ws.manifest.name,
            "user": ws.state.bot.id,
            "bot_id": ws.state.bot.bot_id,
            "home_tab": ws.manifest.home_tab,
            "connected": ws.socket_mode.connections > 0 or ws.delivery.transport is not ws.socket_mode,
        },
        "people": [person_object(found) for found in ws.state.people.values() if not found.deleted],
        "channels": [channel_object(ws, found, me) for found in ws.state.channels.values() if _sees(found, me)],
        "commands": [
            {"command": found.command, "description": found.description, "usage_hint": found.usage_hint}
            for found in ws.manifest.commands
        ],
        "shortcuts": [
            {
                "callback_id": found.callback_id,
                "name": found.name,
                "type": found.type,
                "description": found.description,
            }
            for found in ws.manifest.shortcuts
        ],
    }


def person_object(person: Person) -> Json:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "tz": person.tz,
        "is_bot": person.is_bot,
        "is_guest": bool(person.guest),
        "color": person.color,
    }


def channel_object(ws: Workspace, channel: Channel, me: Person) -> Json:
    read = ws.state.reads.get((me.id, channel.id), "0.000000")
    order = ws.state.timeline[channel.id]
    after = order[bisect_left(order, micros(read) + 1, key=micros) :]
    unread = [
        message
        for message in (ws.state.messages[channel.id, ts] for ts in after)
        if _in_channel(message) and not message.to and message.user != me.id
    ]
    mentions = [
        found
        for found in ws.state.notifications
        if found.person == me.id and found.channel == channel.id and micros(found.ts) > micros(read)
    ]
    found: Json = {
        "id": channel.id,
        "name": channel.name,
        "type": channel.kind,
        "member": me.id in channel.members,
        "members": channel.members,
        "topic": channel.topic,
        "archived": channel.archived,
        "unread": len(unread),
        "mentions": len(mentions),
        "read": read,
        "latest": order[-1] if order else None,
    }
    return found | ({"user": channel.other(me.id)} if channel.kind == "im" else {})


async def history(ask: Ask) -> Json:
    me = ask.person()
    channel = ask.channel(me)
    limit = ask.number("limit", 50, 500)
    order = ask.ws.state.timeline[channel.id]
    before = ask.text("before", "")
    end = bisect_left(order, _micros(before), key=micros) if before else len(order)
    page: list[Json] = []
    for ts in reversed(order[:end]):
        message = ask.ws.state.messages[channel.id, ts]
        if _in_channel(message) and message.to in {"", me.id}:
            page.append(render(ask.ws, message, me.id))
            if len(page) > limit:
                break
    return {"messages": list(reversed(page[:limit])), "has_more": len(page) > limit}


async def thread(ask: Ask) -> Json:
    me = ask.person()
    parent = ask.message(me)
    whispers = [
        message
        for message in (ask.ws.state.messages[parent.channel, ts] for ts in ask.ws.state.timeline[parent.channel])
        if message.to == me.id and message.is_reply and message.thread_ts == parent.ts
    ]
    replies = sorted([*ask.ws.state.thread(parent.channel, parent.ts), *whispers], key=lambda found: micros(found.ts))
    return {"messages": [render(ask.ws, message, me.id) for message in (parent, *replies)]}


async def notifications(ask: Ask) -> Json:
    """``since`` is a message timestamp; only what later messages set off is told."""
    me = ask.person()
    since = _micros(ask.text("since", "0"))
    found = [item for item in ask.ws.state.notifications if item.person == me.id and micros(item.ts) > since]
    return {"notifications": [item.to_json() for item in found]}


async def traffic(ask: Ask) -> Json:
    return {
        "traffic": ask.ws.traffic.recent(ask.number("limit", 100, 500)),
        "connections": ask.ws.socket_mode.connections,
    }


def _sees(channel: Channel, me: Person) -> bool:
    return me.id in channel.members or (channel.kind == "channel" and not me.guest)


def _in_channel(message: Message) -> bool:
    return not message.is_reply or message.body.get("subtype") == "thread_broadcast"


def _micros(ts: str) -> int:
    try:
        return micros(ts)
    except ValueError as error:
        raise PersonError("bad_argument", str(error)) from None
