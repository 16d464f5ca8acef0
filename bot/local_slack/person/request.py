"""One act-as-a-person call: who acts, with what, and where."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.local_slack.errors import PersonError, SlackError
from bot.local_slack.guard import Guard
from bot.local_slack.models import Channel, Json, Message, Person
from bot.local_slack.workspace import Workspace


@dataclass(frozen=True)
class Ask:
    """The arguments of a call; every reader names what is missing or wrong."""

    ws: Workspace
    args: Json

    def person(self, name: str = "as") -> Person:
        person = self.ws.state.people.get(self.text(name))
        if person is None or person.is_bot or person.deleted:
            raise PersonError("unknown_person", f"{name!r} must be the id of a person, not {self.args.get(name)!r}")
        return person

    def channel(self, person: Person, name: str = "channel") -> Channel:
        """A channel this person is in, by id or ``#name``."""
        wanted = self.text(name)
        channel = self.ws.state.channels.get(wanted) or self.ws.state.channels.get(
            self.ws.channel_names().get(wanted.removeprefix("#"), "")
        )
        if channel is None or (person.id not in channel.members and (channel.kind == "im" or person.guest)):
            raise PersonError("channel_not_found", f"there is no channel {wanted!r} for {person.real_name}", 404)
        return channel

    def message(self, person: Person, name: str = "ts") -> Message:
        channel = self.channel(person)
        message = self.ws.state.messages.get((channel.id, self.text(name)))
        if message is None or message.to not in {"", person.id}:
            raise PersonError("message_not_found", f"there is no message {self.text(name)} here", 404)
        return message

    def text(self, name: str, default: str | None = None) -> str:
        value = self.args.get(name, default)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise PersonError("bad_argument", f"{name!r} must be a string")
        return value

    def number(self, name: str, default: int, most: int) -> int:
        try:
            return max(1, min(int(self.args.get(name, default)), most))
        except (TypeError, ValueError):
            raise PersonError("bad_argument", f"{name!r} must be a number") from None

    def mapping(self, name: str, *, optional: bool = False) -> Json:
        value = self.args.get(name)
        if value is None and optional:
            return {}
        if not isinstance(value, dict):
            raise PersonError("bad_argument", f"{name!r} must be an object")
        return value

    def flag(self, name: str) -> bool:
        return self.args.get(name) in (True, "true", "1", 1)

    def words(self, name: str) -> list[str]:
        value: Any = self.args.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise PersonError("bad_argument", f"{name!r} must be a list of strings")
        return value


Handler = Callable[[Ask], Awaitable[Json]]


def door(ws: Workspace, guard: Guard, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Wraps a handler: lets in who may, reads the arguments, turns refusals into the API's errors."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if not guard.knows(request):
            return refusal(PersonError("not_allowed", "this needs the workspace's cookie or its person key", 403))
        try:
            args = dict(request.query) if request.method == "GET" else await _body(request)
            return web.json_response({"ok": True} | await handler(Ask(ws, args)))
        except PersonError as error:
            return refusal(error)
        except SlackError as error:
            return refusal(PersonError(error.error, error.error.replace("_", " ")))

    return handle


def refusal(error: PersonError) -> web.Response:
    body = {"ok": False, "error": error.error, "message": error.message, **error.fields}
    return web.json_response(body, status=error.status)


async def _body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise PersonError("bad_json", "the body must be JSON") from None
    if not isinstance(body, dict):
        raise PersonError("bad_json", "the body must be a JSON object")
    return body
