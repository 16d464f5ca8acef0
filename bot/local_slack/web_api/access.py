"""Who may call what: token kinds, scopes, and which conversations the app can see."""

from __future__ import annotations

from bot.local_slack.errors import SlackError
from bot.local_slack.ids import same_secret
from bot.local_slack.models import Channel, Person
from bot.local_slack.workspace import Workspace


def check_token(ws: Workspace, token: str, kind: str) -> None:
    if not token:
        raise SlackError("not_authed")
    meta = ws.state.meta
    found = next((name for name in ("bot", "app") if same_secret(token, str(meta[f"{name}_token"]))), "")
    if not found:
        raise SlackError("invalid_auth")
    if found != kind:
        raise SlackError("not_allowed_token_type")


def need_scope(ws: Workspace, *any_of: str) -> None:
    if any_of and not ws.scopes.intersection(any_of):
        raise SlackError("missing_scope", needed=",".join(any_of), provided=",".join(sorted(ws.scopes)))


def find_channel(ws: Workspace, wanted: str, *, by_name: bool = False) -> Channel:
    """By id; posting takes a ``#name`` as well (``by_name``). Other people's DMs do not exist for the app."""
    channel = ws.state.channels.get(wanted)
    if channel is None and wanted and by_name:
        name = wanted.removeprefix("#").lower()
        channel = next((c for c in ws.state.channels.values() if c.kind == "channel" and c.name == name), None)
    if channel is None or (channel.kind == "im" and ws.state.bot.id not in channel.members):
        raise SlackError("channel_not_found")
    return channel


def find_person(ws: Workspace, wanted: str) -> Person:
    person = ws.state.people.get(wanted)
    if person is None:
        raise SlackError("user_not_found")
    return person


def need_kind_scope(ws: Workspace, channel: Channel, verb: str) -> None:
    """``channels:history`` for channels, ``im:history`` for DMs, and so on."""
    need_scope(ws, f"{'im' if channel.kind == 'im' else 'channels'}:{verb}")
