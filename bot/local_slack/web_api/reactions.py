"""reactions.add."""

from __future__ import annotations

import re

from bot.local_slack import messages
from bot.local_slack.errors import SlackError
from bot.local_slack.models import Json
from bot.local_slack.web_api.access import find_channel
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace

NAME = re.compile(r"[a-z0-9_+'\-]+(::skin-tone-[2-6])?")


async def add(ws: Workspace, call: Call) -> Json:
    name = call.text("name").strip(":")
    if not NAME.fullmatch(name):
        raise SlackError("invalid_name")
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    channel = find_channel(ws, call.text("channel"))
    message = ws.state.messages.get((channel.id, call.text("timestamp")))
    if message is None or message.to:
        raise SlackError("message_not_found")
    if ws.state.bot.id not in channel.members:
        raise SlackError("not_in_channel")
    if channel.archived:
        raise SlackError("is_archived")
    messages.react(ws, message, ws.state.bot.id, name)
    await ws.settle()
    return {}
