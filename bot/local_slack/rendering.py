"""Messages and files as one person, or the app, sees them now."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bot.local_slack.models import File, Json, Message
from bot.local_slack.workspace import Workspace


def render(ws: Workspace, message: Message, viewer: str = "", *, metadata: bool = True) -> Json:
    """The message as ``viewer`` (or, without one, the app) sees it now."""
    body = dict(message.body)
    if not metadata:
        body.pop("metadata", None)
    if "files" in body:
        body["files"] = [render_file(ws, ws.state.files[file_id]) for file_id in body["files"]]
    if message.to:
        body["ephemeral"] = True
        body["is_ephemeral"] = True
    replies = ws.state.thread(message.channel, message.ts)
    if replies:
        users = list(dict.fromkeys(reply.user for reply in replies))
        body |= {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": users[:5],
            "reply_users_count": len(users),
            "latest_reply": replies[-1].ts,
            "subscribed": viewer in message.followers,
            "is_locked": False,
        }
    if viewer and body.get("blocks"):
        body["blocks"] = [for_viewer(block, viewer) for block in body["blocks"]]
    return body


def for_viewer(block: Json, viewer: str) -> Json:
    """The block without the buttons that only others may see (``visible_to_user_ids``)."""
    if "elements" in block:
        shown = [item for item in block["elements"] if _visible(item, viewer)]
        return block if len(shown) == len(block["elements"]) else block | {"elements": shown}
    if "accessory" in block and not _visible(block["accessory"], viewer):
        return {key: value for key, value in block.items() if key != "accessory"}
    return block


def _visible(element: Any, viewer: str) -> bool:
    only = element.get("visible_to_user_ids") if isinstance(element, dict) else None
    return not only or viewer in only


def render_file(ws: Workspace, file: File) -> Json:
    path = f"/files/{file.id}/{quote(file.name, safe='')}"
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "size": file.size,
        "user": file.user,
        "mode": "hosted",
        "url": path,
        "url_private": ws.base_url + path,
        "url_private_download": ws.base_url + path,
        "permalink": ws.base_url + path,
        "channels": file.channels,
    }


def shown(ws: Workspace, message: Message) -> Json:
    """The message inside an event: without reply counts, with file links."""
    body = {key: value for key, value in message.body.items() if key != "metadata"}
    if "files" in body:
        body["files"] = [render_file(ws, ws.state.files[file_id]) for file_id in body["files"]]
    parent = ws.state.messages.get((message.channel, message.thread_ts))
    if message.is_reply and parent is not None:
        body["parent_user_id"] = parent.user
    return body | {"ts": message.ts}
