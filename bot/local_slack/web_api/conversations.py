"""conversations.open, info, history, replies and join."""

from __future__ import annotations

from bot.local_slack import channels
from bot.local_slack.errors import SlackError
from bot.local_slack.ids import micros
from bot.local_slack.models import Channel, Json, Message
from bot.local_slack.rendering import render
from bot.local_slack.web_api.access import find_channel, find_person, need_kind_scope
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace

MOST = 1000


async def open_dm(ws: Workspace, call: Call) -> Json:
    if channel_id := call.text("channel"):
        channel = find_channel(ws, channel_id)
        if channel.kind != "im":
            raise SlackError("method_not_supported_for_channel_type")
        return {"channel": _short(ws, channel, call), "no_op": True, "already_open": True}
    people = [person for person in call.text("users").split(",") if person]
    if not people:
        raise SlackError("users_list_not_supplied")
    if len(people) > 1:
        raise SlackError("method_not_supported_for_channel_type")  # Group DMs enter with their first caller.
    person = find_person(ws, people[0])
    if person.is_bot:
        raise SlackError("cannot_dm_bot")
    if person.deleted:
        raise SlackError("user_disabled")
    already = ws.state.im(ws.state.bot.id, person.id) is not None
    channel = channels.open_im(ws, ws.state.bot.id, person.id)
    await ws.settle()
    return {"channel": _short(ws, channel, call)} | ({"no_op": True, "already_open": True} if already else {})


async def info(ws: Workspace, call: Call) -> Json:
    channel = find_channel(ws, call.text("channel"))
    need_kind_scope(ws, channel, "read")
    return {"channel": channel_object(ws, channel)}


async def history(ws: Workspace, call: Call) -> Json:
    channel = _readable(ws, call)
    everything = [ws.state.messages[channel.id, ts] for ts in ws.state.timeline[channel.id]]
    top = [m for m in everything if not m.to and (not m.is_reply or m.body.get("subtype") == "thread_broadcast")]
    page, more = _page(list(reversed(_between(top, call))), call)
    return _listing(ws, call, page, more) | {"pin_count": 0}


async def replies(ws: Workspace, call: Call) -> Json:
    channel = _readable(ws, call)
    ts = call.text("ts")
    parent = ws.state.messages.get((channel.id, ts))
    if parent is None or parent.to:
        raise SlackError("thread_not_found")
    if parent.is_reply:
        return _listing(ws, call, [parent], more=False)
    page, more = _page(_between(ws.state.thread(channel.id, ts), call), call)
    return _listing(ws, call, [parent, *page], more)


async def join(ws: Workspace, call: Call) -> Json:
    channel = find_channel(ws, call.text("channel"))
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    if channel.archived:
        raise SlackError("is_archived")
    if ws.state.bot.id in channel.members:
        return {
            "channel": channel_object(ws, channel),
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    channels.join(ws, channel, ws.state.bot.id)
    await ws.settle()
    return {"channel": channel_object(ws, channel)}


def channel_object(ws: Workspace, channel: Channel) -> Json:
    if channel.kind == "im":
        return {
            "id": channel.id,
            "created": channel.created,
            "is_im": True,
            "is_archived": channel.archived,
            "is_org_shared": False,
            "user": channel.other(ws.state.bot.id),
            "is_open": True,
            "is_user_deleted": False,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": True,
        "is_group": False,
        "is_im": False,
        "is_mpim": False,
        "is_private": False,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "is_member": ws.state.bot.id in channel.members,
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "topic": {"value": channel.topic, "creator": channel.creator, "last_set": channel.created},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def _short(ws: Workspace, channel: Channel, call: Call) -> Json:
    return channel_object(ws, channel) if call.flag("return_im") else {"id": channel.id}


def _readable(ws: Workspace, call: Call) -> Channel:
    channel = find_channel(ws, call.text("channel"))
    need_kind_scope(ws, channel, "history")
    if ws.state.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    return channel


def _between(found: list[Message], call: Call) -> list[Message]:
    bounds: dict[str, int | None] = {}
    for name in ("oldest", "latest"):
        try:
            bounds[name] = micros(call.text(name)) if call.text(name) not in {"", "0"} else None
        except ValueError:
            raise SlackError(f"invalid_ts_{name}") from None
    spare = 1 if call.flag("inclusive") else 0
    oldest, latest = bounds["oldest"], bounds["latest"]
    return [
        message
        for message in found
        if (oldest is None or micros(message.ts) > oldest - spare)
        and (latest is None or micros(message.ts) < latest + spare)
    ]


def _page(found: list[Message], call: Call) -> tuple[list[Message], bool]:
    """The part from the cursor on; a cursor names the first message of its page."""
    limit = min(max(call.number("limit", 100), 1), MOST)
    start = 0
    if cursor := call.text("cursor"):
        kind, _, ts = cursor.partition(":")
        found_at = next((i for i, message in enumerate(found) if message.ts == ts), None)
        if kind != "next_ts" or found_at is None:
            raise SlackError("invalid_cursor")
        start = found_at
    page = found[start : start + limit + 1]
    return page, len(page) > limit


def _listing(ws: Workspace, call: Call, page: list[Message], more: bool) -> Json:
    with_metadata = call.flag("include_all_metadata")
    following = page.pop() if more else None
    answer: Json = {"messages": [render(ws, message, metadata=with_metadata) for message in page], "has_more": more}
    if following is not None:
        answer["response_metadata"] = {"next_cursor": f"next_ts:{following.ts}"}
    return answer
