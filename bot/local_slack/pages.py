"""Serves the browser page: its files, under a policy that lets it load nothing from anywhere else."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from bot.local_slack.guard import Guard, locked_out

FOLDER = (Path(__file__).parent / "page").resolve()
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}


def headers(host: str) -> dict[str, str]:
    policy = (
        f"default-src 'self'; connect-src 'self' ws://{host}; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


class Pages:
    def __init__(self, guard: Guard, folder: Path = FOLDER) -> None:
        self._guard = guard
        self._folder = folder

    async def serve(self, request: web.Request) -> web.StreamResponse:
        if not self._guard.knows(request):
            return locked_out()
        name = request.match_info.get("path", "") or "index.html"
        content = await asyncio.to_thread(self._read, name)
        if content is None:
            return web.Response(status=404, text="no such page")
        kind = KINDS[Path(name).suffix]
        charset = "utf-8" if kind.startswith(("text/", "application/")) else None
        return web.Response(body=content, content_type=kind, charset=charset, headers=headers(request.host))

    def _read(self, name: str) -> bytes | None:
        """A file of a kind that pages are made of, from inside the folder; never anything else."""
        if "\x00" in name:
            return None
        path = (self._folder / name).resolve()
        if path.suffix not in KINDS or not path.is_relative_to(self._folder) or not path.is_file():
            return None
        return path.read_bytes()

    async def permalink(self, request: web.Request) -> web.StreamResponse:
        """``/archives/C…/p…`` leads to the message on the page: ``/#/C…/ts`` or ``/#/C…/ts?thread_ts=…``."""
        if not self._guard.knows(request):
            return locked_out()
        digits = request.match_info["p"].removeprefix("p")
        place = f"/#/{request.match_info['channel']}/{digits[:-6]}.{digits[-6:]}"
        thread = request.query.get("thread_ts")
        return web.Response(status=303, headers={"Location": place + (f"?thread_ts={thread}" if thread else "")})
