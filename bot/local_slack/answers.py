"""What an app answers to an interaction: response_url posts, and text in the acknowledgement of a command."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from bot.local_slack import messages
from bot.local_slack.errors import SlackError
from bot.local_slack.ids import new_token
from bot.local_slack.models import Json, Message, ResponseUrl
from bot.local_slack.web_api import chat
from bot.local_slack.workspace import Workspace

USES = 5
SECONDS = 30 * 60


def make_url(ws: Workspace, person: str, channel: str, message: Message | None = None) -> str:
    now = ws.clock.time()
    for old in [url for url in ws.state.response_urls.values() if url.expires <= now]:
        ws.state.drop_response_url(old)
    url = ResponseUrl(new_token(), person, channel, now + SECONDS)
    if message is not None:
        url.message_ts, url.ephemeral, url.thread_ts = message.ts, bool(message.to), message.thread_ts
    ws.state.save_response_url(url)
    return f"{ws.base_url}/response/{url.token}"


async def receive(ws: Workspace, request: web.Request) -> web.StreamResponse:
    """POST /response/<token>. Slack answers ``ok`` in plain text, and errors as JSON with a 4xx."""
    url = ws.state.response_urls.get(request.match_info["token"])
    if url is None or url.expires <= ws.clock.time():
        return web.json_response({"ok": False, "error": "expired_url"}, status=404)
    if url.uses >= USES:
        return web.json_response({"ok": False, "error": "used_url"}, status=404)
    try:
        args = json.loads(await request.text())
        apply(ws, url, args)
        url.uses += 1
        ws.state.save_response_url(url)
        await ws.settle()
    except ValueError:
        return web.Response(status=400, text="invalid_payload")
    except SlackError as error:
        answer = {"ok": False, "error": error.error, **error.fields}
        ws.traffic.note(ws.clock.time(), "from_app", "response_url", "response_url", error.error, args)
        return web.json_response(answer, status=404 if error.error.endswith("_not_found") else 400)
    ws.traffic.note(ws.clock.time(), "from_app", "response_url", "response_url", "ok", args)
    return web.Response(text="ok")


def apply(ws: Workspace, url: ResponseUrl, args: Any) -> None:
    if not isinstance(args, dict):
        raise SlackError("invalid_payload")
    original = ws.state.messages.get((url.channel, url.message_ts)) if url.message_ts else None
    if args.get("delete_original"):
        if original is None:
            raise SlackError("message_not_found")
        messages.delete(ws, original)
        return
    content = chat.content_of(args)
    if args.get("replace_original"):
        if original is None:
            raise SlackError("message_not_found")
        kept = {key: value for key, value in original.body.items() if key not in {"text", "blocks", "attachments"}}
        messages.change(ws, original, kept | content)
        return
    if not (content["text"] or content.get("blocks") or content.get("attachments")):
        raise SlackError("no_text")
    thread_ts = str(args.get("thread_ts") or "")
    post_answer(ws, url.person, url.channel, content, str(args.get("response_type", "ephemeral")), thread_ts)


def post_answer(ws: Workspace, person: str, channel_id: str, content: Json, kind: str, thread_ts: str = "") -> None:
    """To everybody (``in_channel``) or only to the person who acted; also where the app is no member."""
    channel = ws.state.channels[channel_id]
    if channel.archived:
        raise SlackError("is_archived")
    if thread_ts:
        content = content | {"thread_ts": messages.thread_parent(ws, channel, thread_ts).ts}
    body = chat.author(ws) | content
    if kind == "in_channel":
        messages.post(ws, channel, ws.state.bot.id, body)
    else:
        messages.post_ephemeral(ws, channel, person, {"user": ws.state.bot.id} | body)
