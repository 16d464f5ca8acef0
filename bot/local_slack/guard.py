"""Who may reach the workspace: this machine only, this origin only, and people's doors only with key or cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.local_slack.ids import new_token, same_secret
from bot.local_slack.workspace import Workspace

COOKIE = "workspace"
LOCAL_NAMES = {"127.0.0.1", "localhost", "[::1]"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

LOCKED_OUT = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Switchboard workspace</title><h1>This page needs its link</h1>
<p>The workspace can approve commands on your machine, so it opens only with the one-time link that
<code>switchboard up</code> printed (<code>http://127.0.0.1:…/open?key=…</code>). A link works once;
<code>switchboard link</code> prints a new one.</p></html>"""


class Guard:
    """One-time key to cookie; afterwards the cookie, or the person key as a bearer token."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._key: str | None = new_token()

    @property
    def open_path(self) -> str:
        return f"/open?key={self._key}"

    async def renew(self, request: web.Request) -> web.StreamResponse:
        """``POST /link``: another one-time link, for whoever holds the person key; an unused older one ends."""
        if not self._has_key(request):
            return _refused("not_allowed", "another link needs the workspace's person key")
        self._key = new_token()
        return web.json_response({"ok": True, "open": f"{self._ws.base_url}{self.open_path}"})

    def _has_key(self, request: web.Request) -> bool:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        return kind.lower() == "bearer" and same_secret(token.strip(), str(self._ws.state.meta["person_key"]))

    def knows(self, request: web.Request) -> bool:
        cookie = request.cookies.get(COOKIE, "")
        return self._has_key(request) or same_secret(cookie, str(self._ws.state.meta["cookie"]))

    async def open(self, request: web.Request) -> web.StreamResponse:
        key = request.query.get("key", "")
        if self._key is not None and same_secret(key, self._key):
            self._key = None
            answer = web.Response(status=303, headers={"Location": "/"})
            answer.set_cookie(
                COOKIE, self._ws.state.meta["cookie"], httponly=True, samesite="Strict", path="/", max_age=90 * 86400
            )
            return answer
        if self.knows(request):
            return web.Response(status=303, headers={"Location": "/"})
        return locked_out()


def locked_out() -> web.Response:
    return web.Response(status=403, text=LOCKED_OUT, content_type="text/html")


@web.middleware
async def same_machine_same_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses what a page of another origin, or a name pointed at this address, could make a browser send."""
    host = urlsplit(f"//{request.host}").hostname or ""
    name = f"[{host}]" if ":" in host else host
    if name not in LOCAL_NAMES:
        return _refused("bad_host", f"this workspace answers to 127.0.0.1 and localhost only, not to {request.host!r}")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return _refused("bad_origin", f"this workspace takes no requests from pages of {origin!r}")
    # Another port of this machine is the same site to a browser, so its cookie rules alone would let it in.
    site = request.headers.get("Sec-Fetch-Site", "none")
    navigating = request.headers.get("Sec-Fetch-Mode") == "navigate" and request.method == "GET"
    if site not in {"none", "same-origin"} and not navigating:
        return _refused("bad_origin", "this workspace takes no requests from other pages")
    return await handler(request)


def _refused(error: str, message: str) -> web.Response:
    return web.json_response({"ok": False, "error": error, "message": message}, status=403)
