"""The bot's HTTP routes: hosts and runners, Slack's events in HTTP mode, health, and the CLI's local admin route."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot import __version__
from bot.services import Services
from bot.services.links import HostKnown, HostPeer
from bot.wire.types import HostId, PersonId

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY = 1 << 20
"""Bytes in one HTTP request; Slack's own payloads stay far below."""
_HOST_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class Routes:
    """What the composition root plugs in. ``slack_events`` is None in Socket Mode."""

    runner: Handler
    slack_events: Handler | None
    slack_connected: Callable[[], Awaitable[bool]]
    drop: Callable[[HostPeer, str], Awaitable[None]]
    """Ends a host's live connection: a token is otherwise looked at only in the handshake."""
    admin_token: str


def build(services: Services, routes: Routes) -> web.Application:
    """The aiohttp application; it starts nothing by itself."""
    app = web.Application(client_max_size=MAX_BODY)
    admin = _Admin(services, routes)

    async def healthz(_request: web.Request) -> web.Response:
        connected = await routes.slack_connected()
        body = {"ok": connected, "version": __version__, "slack": "connected" if connected else "not connected"}
        return web.json_response(body, status=200 if connected else 503)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/runner", routes.runner)
    if routes.slack_events is not None:
        app.router.add_post("/slack/events", routes.slack_events)
    app.router.add_get("/admin/hosts", admin.guarded(admin.hosts))
    app.router.add_post("/admin/hosts", admin.guarded(admin.enroll))
    app.router.add_delete("/admin/hosts/{name}", admin.guarded(admin.revoke))
    app.router.add_get("/admin/sessions", admin.guarded(admin.sessions))
    return app


class _Admin:
    """What the command line may ask of a running bot, by a token that only this user's files hold."""

    def __init__(self, services: Services, routes: Routes) -> None:
        self._services = services
        self._drop = routes.drop
        self._expected = f"Bearer {routes.admin_token}"

    def guarded(self, handler: Handler) -> Handler:
        async def check(request: web.Request) -> web.StreamResponse:
            given = request.headers.get("Authorization", "")
            # A page in a browser cannot set this header across origins, so a token is enough against it too.
            if not hmac.compare_digest(given.encode(), self._expected.encode()):
                return _refuse(
                    401, "The admin token is missing or wrong. Run the command as the user who runs the bot."
                )
            return await handler(request)

        return check

    async def hosts(self, _request: web.Request) -> web.StreamResponse:
        known = await self._services.links.hosts()
        return web.json_response({"ok": True, "hosts": [_host(host) for host in known]})

    async def enroll(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.json()
            name, owner, shared = str(body["name"]), str(body["owner"]), bool(body.get("shared", False))
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            return _refuse(400, "Send {name, owner, shared}.")
        if not _HOST_NAME.fullmatch(name):
            return _refuse(400, f"{name[:80]!r} is no host name: use lower-case letters, digits, dots and dashes.")
        if not re.fullmatch(r"[UW][A-Z0-9]{2,}", owner):
            return _refuse(400, f"{owner[:80]!r} is no Slack member id. Copy it from the person's profile: U0123ABC.")
        host = HostPeer(HostId(name), PersonId(owner), shared)
        replaced = any(known.id == host.host for known in await self._services.links.hosts())
        token = await self._services.links.enroll(host.host, host.owner, shared=shared)
        await self._drop(host, "This host was enrolled anew: use its new token.")
        return web.json_response({"ok": True, "token": token, "replaced": replaced})

    async def revoke(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if not await self._services.links.revoke(HostId(name)):
            known = ", ".join(host.id for host in await self._services.links.hosts()) or "none"
            return _refuse(404, f"No host {name[:80]!r} is enrolled. Enrolled: {known}.")
        await self._drop(HostPeer(HostId(name), PersonId(""), shared=False), "This host's token was revoked.")
        return web.json_response({"ok": True})

    async def sessions(self, _request: web.Request) -> web.StreamResponse:
        cards = await self._services.desk.all_sessions()
        rows = [
            {
                "id": card.session,
                "name": card.name,
                "repo": card.repo,
                "branch": card.branch,
                "state": card.light.value,
                "owner": card.owner,
                "line": card.line,
                "waiting": list(card.decisions),
                "worktree": card.place.worktree if card.place else "",
            }
            for card in cards
        ]
        return web.json_response({"ok": True, "sessions": rows})


def _host(host: HostKnown) -> dict[str, object]:
    return {
        "name": host.id,
        "owner": host.owner,
        "shared": host.shared,
        "connected": host.connected,
        "repos": [{"name": repo.name, "problem": repo.problem} for repo in host.repos],
        "agents": [{"name": agent.name, "problem": agent.problem} for agent in host.agents],
        "problems": list(host.problems),
    }


def _refuse(status: int, message: str) -> web.Response:
    return web.json_response({"ok": False, "message": message}, status=status)
