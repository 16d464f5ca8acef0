"""chat.postMessage, update, delete, postEphemeral and getPermalink."""

from __future__ import annotations

from typing import Any

from bot.local_slack import channels, messages
from bot.local_slack.errors import SlackError
from bot.local_slack.kit.blocks import message_errors
from bot.local_slack.kit.values import fill_ids
from bot.local_slack.models import Channel, Json, Message
from bot.local_slack.rendering import render
from bot.local_slack.text import as_sent
from bot.local_slack.web_api.access import find_channel, find_person
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace

LONGEST = 40_000
LONGEST_UPDATE = 4_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100


async def post_message(ws: Workspace, call: Call) -> Json:
    channel = postable(ws, call.text("channel"))
    body = _content(call)
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        raise SlackError("no_text")
    warnings: Json = {}
    if len(body["text"]) > LONGEST:
        body["text"] = body["text"][:LONGEST]
        warnings = {
            "warning": "message_truncated",
            "response_metadata": {"warnings": ["message_truncated"]},
        }
    if thread_ts := call.text("thread_ts"):
        parent = messages.thread_parent(ws, channel, thread_ts)
        if parent.body.get("subtype") == "channel_join":
            raise SlackError("cannot_reply_to_message")
        body["thread_ts"] = parent.ts
        if call.flag("reply_broadcast"):
            body["subtype"] = "thread_broadcast"
    if (metadata := _metadata(call)) is not None:
        body["metadata"] = metadata
    message = messages.post(ws, channel, ws.state.bot.id, author(ws) | body)
    await ws.settle()
    return {"channel": channel.id, "ts": message.ts, "message": render(ws, message)} | warnings


async def post_ephemeral(ws: Workspace, call: Call) -> Json:
    channel = postable(ws, call.text("channel"), public=False)
    person = find_person(ws, call.required("user"))
    if person.id not in channel.members:
        raise SlackError("user_not_in_channel")
    body = _content(call)
    if not (body.get("text") or body.get("blocks") or body.get("attachments")):
        raise SlackError("no_text")
    if len(body["text"]) > LONGEST:
        raise SlackError("msg_too_long")
    if thread_ts := call.text("thread_ts"):
        body["thread_ts"] = messages.thread_parent(ws, channel, thread_ts).ts
    message = messages.post_ephemeral(ws, channel, person.id, author(ws) | {"user": ws.state.bot.id} | body)
    await ws.settle()
    return {"message_ts": message.ts}


async def update(ws: Workspace, call: Call) -> Json:
    channel, message = _own_message(ws, call, "cant_update_message")
    body = updated_body(call, message)
    messages.change(ws, message, body, edited_by="" if body.get("blocks") else ws.state.bot.id)
    await ws.settle()
    return {"channel": channel.id, "ts": message.ts, "text": body["text"], "message": render(ws, message)}


async def delete(ws: Workspace, call: Call) -> Json:
    channel, message = _own_message(ws, call, "cant_delete_message")
    messages.delete(ws, message)
    await ws.settle()
    return {"channel": channel.id, "ts": message.ts}


async def get_permalink(ws: Workspace, call: Call) -> Json:
    channel = find_channel(ws, call.text("channel"))
    message = ws.state.messages.get((channel.id, call.text("message_ts")))
    if message is None or message.to:
        raise SlackError("message_not_found")
    link = f"{ws.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def updated_body(call: Call, message: Message) -> Json:
    """chat.update's rules: text without blocks takes the blocks away, blocks without text keep none of the old text."""
    content = _content(call)
    given = {name for name in ("text", "markdown_text", "blocks", "attachments") if call.args.get(name) is not None}
    if not given:
        raise SlackError("no_text")
    if len(content["text"]) > LONGEST_UPDATE:
        raise SlackError("msg_too_long")
    body = dict(message.body)
    if given != {"attachments"}:
        body["text"] = content["text"]
        body.pop("blocks", None)
    if content.get("blocks"):
        body["blocks"] = content["blocks"]
    if "attachments" in given:
        body["attachments"] = content.get("attachments", [])
    if not (body["text"] or body.get("blocks") or body.get("attachments")):
        raise SlackError("no_text")
    metadata = _metadata(call)
    if metadata == {}:
        body.pop("metadata", None)
    elif metadata is not None:
        body["metadata"] = metadata
    return body


def content_of(args: Json) -> Json:
    """The validated content of anything that becomes a message: an API call, a response_url post, an answer."""
    return _content(Call("", args, ""))


def _content(call: Call) -> Json:
    text = call.text("text")
    markdown = call.text("markdown_text")
    blocks = call.json("blocks", "invalid_blocks_format")
    if markdown and (text or blocks):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    body: Json = {"text": as_sent(text or markdown)}
    if markdown:
        blocks = [{"type": "markdown", "text": markdown}]
    if blocks is not None:
        if not isinstance(blocks, list):
            raise SlackError("invalid_blocks_format")
        refuse_blocks(blocks)
        if blocks:
            body["blocks"] = fill_ids(blocks)
    attachments = call.json("attachments", "invalid_attachments")
    if attachments is not None:
        if not isinstance(attachments, list) or not all(isinstance(item, dict) for item in attachments):
            raise SlackError("invalid_attachments")
        if len(attachments) > MOST_ATTACHMENTS:
            raise SlackError("too_many_attachments")
        body["attachments"] = [{"id": number, **item} for number, item in enumerate(attachments, 1)]
    return body


def refuse_blocks(blocks: list[Any]) -> None:
    if errors := message_errors(blocks):
        raise SlackError(
            "invalid_blocks",
            errors=errors,
            response_metadata={"messages": [f"[ERROR] {error}" for error in errors]},
        )


def _metadata(call: Call) -> Json | None:
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    if not metadata:
        return {}
    if not isinstance(metadata.get("event_type"), str) or not metadata["event_type"]:
        raise SlackError("invalid_metadata_schema")
    if not isinstance(metadata.get("event_payload"), dict):
        raise SlackError("invalid_metadata_schema")
    return metadata


def author(ws: Workspace) -> Json:
    bot = ws.state.bot
    return {
        "bot_id": bot.bot_id,
        "app_id": ws.state.meta["app_id"],
        "team": ws.state.team_id,
        "bot_profile": {
            "id": bot.bot_id,
            "app_id": ws.state.meta["app_id"],
            "user_id": bot.id,
            "name": ws.manifest.name,
            "deleted": False,
            "team_id": ws.state.team_id,
        },
    }


def postable(ws: Workspace, wanted: str, *, public: bool = True) -> Channel:
    """Where the app may post: channels it is in, its DMs, and with chat:write.public any channel."""
    if not wanted:
        raise SlackError("channel_not_found")
    if wanted in ws.state.people and not ws.state.people[wanted].is_bot:
        channel = channels.open_im(ws, ws.state.bot.id, wanted)
    else:
        channel = find_channel(ws, wanted, by_name=True)
    if channel.archived:
        raise SlackError("is_archived")
    if ws.state.bot.id not in channel.members and not (public and "chat:write.public" in ws.scopes):
        raise SlackError("not_in_channel")
    if channel.kind == "im" and not ws.manifest.messages_tab:
        raise SlackError("messages_tab_disabled")
    return channel


def _own_message(ws: Workspace, call: Call, refusal: str) -> tuple[Channel, Message]:
    channel = find_channel(ws, call.text("channel"))
    ts = call.text("ts")
    if not ts:
        raise SlackError("message_not_found")
    message = ws.state.messages.get((channel.id, ts))
    if message is None or message.to or message.body.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    if message.user != ws.state.bot.id or message.body.get("subtype") in {"channel_join"}:
        raise SlackError(refusal)
    if channel.archived:
        raise SlackError("is_archived")
    return channel, message
