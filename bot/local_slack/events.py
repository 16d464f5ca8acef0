"""Which events the app gets, and their wrapper: subscribed in the manifest, allowed by scope, seen by membership."""

from __future__ import annotations

from bot.local_slack.ids import new_id, new_token
from bot.local_slack.models import Channel, Json, Message, PendingEvent
from bot.local_slack.rendering import shown
from bot.local_slack.text import mentions
from bot.local_slack.workspace import Workspace

SCOPE_NEEDED = {
    "message.channels": "channels:history",
    "message.im": "im:history",
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "member_joined_channel": "channels:read",
    "member_left_channel": "channels:read",
    "channel_archive": "channels:read",
    "channel_unarchive": "channels:read",
    "channel_rename": "channels:read",
    "channel_created": "channels:read",
    "team_join": "users:read",
    "user_change": "users:read",
    "app_home_opened": "",
}


def wanted(ws: Workspace, subscription: str) -> bool:
    needed = SCOPE_NEEDED.get(subscription, "")
    return subscription in ws.manifest.events and (not needed or needed in ws.scopes)


def send(ws: Workspace, event: Json) -> None:
    """Wraps and queues one event; the caller has asked ``wanted``."""
    now = ws.clock.time()
    meta = ws.state.meta
    payload = {
        "token": meta["verification_token"],
        "team_id": meta["team_id"],
        "context_team_id": meta["team_id"],
        "context_enterprise_id": None,
        "api_app_id": meta["app_id"],
        "event": event,
        "type": "event_callback",
        "event_id": new_id("Ev"),
        "event_time": int(now),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": meta["team_id"],
                "user_id": meta["bot_user"],
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{new_token()}",
    }
    ws.emit(PendingEvent(payload["event_id"], new_token(size=16), payload))


def hears(ws: Workspace, channel: Channel) -> bool:
    """Whether the app gets message events of this channel at all."""
    subscription = "message.im" if channel.kind == "im" else "message.channels"
    return ws.state.bot.id in channel.members and wanted(ws, subscription)


def message_posted(ws: Workspace, channel: Channel, message: Message) -> None:
    event = shown(ws, message) | {
        "channel": channel.id,
        "event_ts": message.ts,
        "channel_type": "im" if channel.kind == "im" else "channel",
    }
    if hears(ws, channel):
        send(ws, event)
    mentioned = ws.state.bot.id in mentions(str(message.body.get("text", "")))
    by_app = message.user == ws.state.bot.id
    if mentioned and not by_app and channel.kind == "channel" and ws.state.bot.id in channel.members:
        mention = {key: value for key, value in event.items() if key not in {"channel_type", "subtype"}}
        if wanted(ws, "app_mention"):
            send(ws, mention | {"type": "app_mention"})


def message_changed(ws: Workspace, channel: Channel, message: Message, previous: Json) -> None:
    if hears(ws, channel):
        _about(ws, channel, "message_changed", message=shown(ws, message), previous_message=previous)


def message_deleted(ws: Workspace, channel: Channel, message: Message, previous: Json) -> None:
    if hears(ws, channel):
        _about(ws, channel, "message_deleted", deleted_ts=message.ts, previous_message=previous)


def _about(ws: Workspace, channel: Channel, subtype: str, **fields: object) -> None:
    ts = ws.state.next_ts(ws.clock.time())
    send(
        ws,
        {
            "type": "message",
            "subtype": subtype,
            "hidden": True,
            "channel": channel.id,
            "ts": ts,
            "event_ts": ts,
            "channel_type": "im" if channel.kind == "im" else "channel",
            **fields,
        },
    )


def app_home_opened(ws: Workspace, person: str, channel: str, tab: str) -> None:
    if not wanted(ws, "app_home_opened"):
        return
    event: Json = {
        "type": "app_home_opened",
        "user": person,
        "channel": channel,
        "tab": tab,
        "event_ts": ws.state.next_ts(ws.clock.time()),
    }
    home = ws.state.homes.get(person)
    if tab == "home" and home is not None:
        event["view"] = home.body | {"state": {"values": home.values}}
    send(ws, event)


def reaction(ws: Workspace, kind: str, person: str, message: Message, name: str) -> None:
    channel = ws.state.channels[message.channel]
    if ws.state.bot.id in channel.members and wanted(ws, kind):
        send(
            ws,
            {
                "type": kind,
                "user": person,
                "reaction": name,
                "item_user": message.user,
                "item": {"type": "message", "channel": message.channel, "ts": message.ts},
                "event_ts": ws.state.next_ts(ws.clock.time()),
            },
        )


def joined(ws: Workspace, channel: Channel, person: str, inviter: str) -> None:
    if channel.kind == "channel" and ws.state.bot.id in channel.members and wanted(ws, "member_joined_channel"):
        event: Json = {
            "type": "member_joined_channel",
            "user": person,
            "channel": channel.id,
            "channel_type": "C",
            "team": ws.state.team_id,
            "event_ts": ws.state.next_ts(ws.clock.time()),
        }
        send(ws, event | ({"inviter": inviter} if inviter else {}))


def user_changed(ws: Workspace, user: Json) -> None:
    if wanted(ws, "user_change"):
        ts = ws.state.next_ts(ws.clock.time())
        send(ws, {"type": "user_change", "user": user, "cache_ts": int(ws.clock.time()), "event_ts": ts})


def archived(ws: Workspace, channel: Channel, person: str) -> None:
    kind = "channel_archive" if channel.archived else "channel_unarchive"
    if ws.state.bot.id in channel.members and wanted(ws, kind):
        send(
            ws,
            {
                "type": kind,
                "channel": channel.id,
                "user": person,
                "event_ts": ws.state.next_ts(ws.clock.time()),
            },
        )
