"""files.getUploadURLExternal and completeUploadExternal: announce, upload, share."""

from __future__ import annotations

from bot.local_slack import messages
from bot.local_slack.errors import SlackError
from bot.local_slack.models import Channel, File, Json
from bot.local_slack.rendering import render_file
from bot.local_slack.uploads import LARGEST
from bot.local_slack.web_api import chat
from bot.local_slack.web_api.call import Call
from bot.local_slack.workspace import Workspace

LONGEST_SNIPPET = 1024 * 1024


async def get_upload_url(ws: Workspace, call: Call) -> Json:
    name = call.required("filename")
    length = call.number("length", 0)
    if length <= 0:
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] length must be more than 0"]})
    if call.text("snippet_type") and length > LONGEST_SNIPPET:
        raise SlackError("snippet_too_large")
    if length > LARGEST:
        raise SlackError("file_upload_size_restricted")
    url, file = ws.uploads.announce(name, length)
    return {"upload_url": url, "file_id": file.id}


async def complete_upload(ws: Workspace, call: Call) -> Json:
    given = call.json("files", "invalid_arguments")
    if not isinstance(given, list) or not given or not all(isinstance(item, dict) for item in given):
        raise SlackError("invalid_arguments")
    files = [_uploaded(ws, item) for item in given]
    targets = [name for name in (call.text("channel_id") or call.text("channels")).split(",") if name]
    places = [chat.postable(ws, name, public=False) for name in targets]
    thread_ts = call.text("thread_ts")
    bodies = [_body(ws, call, place, thread_ts) for place in places]
    for item, file in zip(given, files, strict=True):
        file.title = str(item.get("title") or file.name)
        file.shared = True
        file.channels = [place.id for place in places]
        ws.state.save_file(file)
    for place, body in zip(places, bodies, strict=True):
        body["files"] = [file.id for file in files]
        messages.post(ws, place, ws.state.bot.id, chat.author(ws) | body)
    await ws.settle()
    return {"files": [render_file(ws, file) for file in files]}


def _uploaded(ws: Workspace, item: Json) -> File:
    file = ws.state.files.get(str(item.get("id", "")))
    if file is None or file.shared:
        raise SlackError("file_not_found")
    return file


def _body(ws: Workspace, call: Call, channel: Channel, thread_ts: str) -> Json:
    blocks = call.json("blocks", "invalid_blocks_format")
    content = chat.content_of({"text": call.text("initial_comment"), "blocks": blocks})
    body: Json = {"subtype": "file_share", "upload": True, **content}
    if thread_ts:
        body["thread_ts"] = messages.thread_parent(ws, channel, thread_ts).ts
    return body
