"""Slash commands: typed by a person, acknowledged by the app within three seconds, never sent twice."""

from __future__ import annotations

from bot.local_slack import answers
from bot.local_slack.errors import NotDelivered, PersonError, SlackError
from bot.local_slack.models import Channel, Json
from bot.local_slack.payloads import DOMAIN, channel_name
from bot.local_slack.text import as_typed, escape
from bot.local_slack.web_api import chat
from bot.local_slack.workspace import Workspace


async def run(ws: Workspace, person: str, channel: Channel, command: str, text: str, thread_ts: str) -> None:
    found = next((known for known in ws.manifest.commands if known.command == command), None)
    if found is None:
        raise PersonError("no_command", f"{command} is not a valid command.", status=200)
    if thread_ts:
        raise PersonError(
            "thread_unsupported",
            f"{command} is not supported in threads. Mention @{ws.manifest.name} here instead.",
            status=200,
        )
    if person not in channel.members:
        raise PersonError("not_in_channel", f"join #{channel.name} first: commands are for members of a channel")
    if channel.archived:
        raise PersonError("is_archived", "this channel is archived: nothing can be sent here")
    words = as_typed(text, ws.names(), ws.channel_names(), labels=True) if found.should_escape else escape(text)
    payload: Json = {
        "token": ws.state.meta["verification_token"],
        "team_id": ws.state.team_id,
        "team_domain": DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel_name(channel),
        "user_id": person,
        "user_name": ws.state.people[person].name,
        "command": command,
        "text": words,
        "api_app_id": ws.state.meta["app_id"],
        "is_enterprise_install": "false",
        "response_url": answers.make_url(ws, person, channel.id),
        "trigger_id": ws.triggers.make(person),
    }
    await ws.settle()
    try:
        answer = await ws.delivery.ask("slash_commands", payload, f"{command} {text}".strip())
    except NotDelivered as failure:
        raise PersonError(
            "dispatch_failed",
            f"{command} failed with the error “dispatch_failed” ({failure.reason.replace('_', ' ')})",
            status=200,
        ) from None
    await _show(ws, person, channel, answer)


async def _show(ws: Workspace, person: str, channel: Channel, answer: Json) -> None:
    """Text or blocks in the acknowledgement are the reply, for this person's eyes unless it says otherwise."""
    if not (answer.get("text") or answer.get("blocks") or answer.get("attachments")):
        return
    try:
        kind = str(answer.get("response_type", "ephemeral"))
        answers.post_answer(ws, person, channel.id, chat.content_of(answer), kind)
    except SlackError as error:
        ws.traffic.note(ws.clock.time(), "from_app", "ack", "command answer", error.error, error.fields)
        raise PersonError(
            "dispatch_failed", f"{ws.manifest.name} sent an answer that cannot be shown", 200, reason=error.error
        ) from None
    await ws.settle()
