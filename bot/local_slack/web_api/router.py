"""Takes ``/api/<method>`` to its handler: faults first, then token, scopes and the method itself."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web

from bot.local_slack.errors import SlackError
from bot.local_slack.faults import Rule
from bot.local_slack.models import Json
from bot.local_slack.web_api import access, apps, chat, conversations, files, reactions, users, views
from bot.local_slack.web_api.call import Call, read_call
from bot.local_slack.web_api.limits import Limits
from bot.local_slack.workspace import Workspace

log = structlog.get_logger()

Handler = Callable[[Workspace, Call], Awaitable[Json]]


@dataclass(frozen=True)
class Method:
    handler: Handler
    scopes: tuple[str, ...] = ()
    """Any one of these will do."""
    token: str = "bot"  # noqa: S105 - a kind of token


METHODS: dict[str, Method] = {
    "api.test": Method(apps.api_test, token=""),
    "auth.test": Method(apps.auth_test),
    "apps.connections.open": Method(apps.connections_open, token="app"),  # noqa: S106 - a kind of token
    "chat.postMessage": Method(chat.post_message, ("chat:write",)),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",)),
    "chat.update": Method(chat.update, ("chat:write",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.getPermalink": Method(chat.get_permalink),
    "conversations.open": Method(conversations.open_dm, ("im:write",)),
    "conversations.info": Method(conversations.info),
    "conversations.replies": Method(conversations.replies),
    "conversations.history": Method(conversations.history),
    "conversations.join": Method(conversations.join, ("channels:join",)),
    "users.info": Method(users.info, ("users:read",)),
    "reactions.add": Method(reactions.add, ("reactions:write",)),
    "views.open": Method(views.open_view),
    "views.push": Method(views.push_view),
    "views.update": Method(views.update_view),
    "views.publish": Method(views.publish_view),
    "files.getUploadURLExternal": Method(files.get_upload_url, ("files:write",)),
    "files.completeUploadExternal": Method(files.complete_upload, ("files:write",)),
}


def handler(ws: Workspace) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    limits = Limits(ws.clock)

    async def handle(request: web.Request) -> web.StreamResponse:
        return await _handle(ws, limits, request)

    return handle


async def _handle(ws: Workspace, limits: Limits, request: web.Request) -> web.StreamResponse:
    name = request.match_info["method"]
    args: Json = {}
    try:
        call = await read_call(request)
        args = call.args
        rule = ws.faults.for_call(name, call.text("channel"))
        if rule is not None and (refused := await _before(ws, request, rule)) is not None:
            ws.traffic.note(ws.clock.time(), "from_app", "api", name, f"fault: {rule.effect}", args)
            return refused
        if ws.faults.rate_limits and (seconds := limits.wait(name, call.text("channel"))):
            ws.traffic.note(ws.clock.time(), "from_app", "api", name, "ratelimited", args)
            return _rate_limited(seconds)
        answer = {"ok": True, **await _answer(ws, call)}
    except SlackError as error:
        rule = None
        answer = {"ok": False, "error": error.error, **error.fields}
    except sqlite3.Error:
        log.exception("store.failed", method=name)
        rule = None
        answer = {"ok": False, "error": "fatal_error"}
    ws.traffic.note(
        ws.clock.time(),
        "from_app",
        "api",
        name,
        str(answer.get("error", "ok")),
        {"args": args, "errors": answer.get("errors") or answer.get("response_metadata")},
    )
    if rule is not None and rule.effect == "drop_after":
        return _drop(request)
    headers = {"x-oauth-scopes": ",".join(sorted(ws.scopes)), "x-slack-req-id": "embedded"}
    return web.Response(text=json.dumps(answer, ensure_ascii=False), content_type="application/json", headers=headers)


async def _answer(ws: Workspace, call: Call) -> Json:
    method = METHODS.get(call.method)
    if method is None:
        raise SlackError("unknown_method", req_method=call.method)
    if method.token:
        access.check_token(ws, call.token, method.token)
    access.need_scope(ws, *method.scopes)
    return await method.handler(ws, call)


async def _before(ws: Workspace, request: web.Request, rule: Rule) -> web.StreamResponse | None:
    """What the rule does before the method runs: an answer in its place, a wait, or nothing."""
    match rule.effect:
        case "ratelimited":
            return _rate_limited(rule.retry_after)
        case "error":
            return web.json_response({"ok": False, "error": rule.error})
        case "status":
            return web.Response(status=rule.status, text="upstream failure")
        case "drop_before":
            return _drop(request)
        case "delay":
            await ws.clock.sleep(rule.seconds)
        case "drop_after":
            pass
    return None


def _rate_limited(seconds: int) -> web.Response:
    headers = {"Retry-After": str(seconds)}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


def _drop(request: web.Request) -> web.StreamResponse:
    """Cuts the connection without an answer: the caller cannot know whether the call took effect."""
    if request.transport is not None:
        request.transport.abort()
    raise asyncio.CancelledError
