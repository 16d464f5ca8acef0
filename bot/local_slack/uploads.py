"""File contents: taken in at the upload URL, served to people."""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass

from aiohttp import web

from bot.local_slack.ids import new_id, new_token
from bot.local_slack.models import File
from bot.local_slack.workspace import Workspace

LARGEST = 64 * 1024 * 1024
KINDS = mimetypes.MimeTypes()  # The built-in table: the machine's own files are not read.
INLINE_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


@dataclass
class Ticket:
    file: File
    used: bool = False


class Uploads:
    """Uploads that were announced and not yet shared; announcing again after a restart is the app's retry."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._tickets: dict[str, Ticket] = {}

    def announce(self, name: str, length: int) -> tuple[str, File]:
        ws = self._ws
        kind = KINDS.guess_type(name)[0] or "text/plain"
        file = File(new_id("F"), name, name, length, kind, ws.state.bot.id, int(ws.clock.time()))
        token = new_token()
        self._tickets[token] = Ticket(file)
        return f"{ws.base_url}/upload/{token}", file

    async def receive(self, request: web.Request) -> web.StreamResponse:
        ticket = self._tickets.get(request.match_info["ticket"])
        if ticket is None or ticket.used:
            return web.Response(status=404, text="unknown or used upload URL")
        if request.content_type.startswith("multipart/"):
            part = next((item for item in (await request.post()).values() if isinstance(item, web.FileField)), None)
            content = part.file.read() if part else b""
        else:
            content = await request.read()
        if len(content) != ticket.file.size:
            return web.Response(status=400, text=f"{ticket.file.size} bytes were announced, {len(content)} came")
        ticket.used = True
        self._ws.state.store.put("blob", ticket.file.id, content)
        self._ws.state.save_file(ticket.file)
        await self._ws.settle()
        return web.Response(text=f"OK - {len(content)}")

    async def serve(self, request: web.Request) -> web.StreamResponse:
        file = self._ws.state.files.get(request.match_info["id"])
        content = await self._ws.state.store.blob("blob", file.id) if file is not None else None
        if file is None or content is None:
            return web.Response(status=404, text="no such file")
        headers = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
        if file.mimetype in INLINE_IMAGES:
            return web.Response(body=content, content_type=file.mimetype, headers=headers)
        # Text of any kind is shown as text, never as a page of this origin.
        try:
            content.decode()
        except UnicodeDecodeError:
            headers["Content-Disposition"] = "attachment"
            return web.Response(body=content, content_type="application/octet-stream", headers=headers)
        return web.Response(body=content, content_type="text/plain", charset="utf-8", headers=headers)
