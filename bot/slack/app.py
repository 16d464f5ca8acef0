"""The Slack side as one object: checks its credentials, listens by Socket Mode or HTTP, and delivers."""

from __future__ import annotations

import asyncio
import logging
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bot.services import Services
from bot.slack import login
from bot.slack.chat import Chat
from bot.slack.deliver import Delivering
from bot.slack.listeners import Listeners
from bot.slack.people import PeopleLoop
from bot.slack.private import Private
from bot.slack.socket import Socket

log = structlog.get_logger()

ANY = re.compile("", re.S)
"""Matches every name: one listener for each payload type, which looks further itself."""


@dataclass(frozen=True)
class SlackConfig:
    bot_token: str = field(repr=False)
    app_token: str | None = field(default=None, repr=False)
    """Selects Socket Mode."""
    signing_secret: str | None = field(default=None, repr=False)
    api_url: str = "https://slack.com/api/"
    command: str = "/session"


class SlackSide:
    """Entering it checks the tokens (SlackRefused, SlackUnreachable); ``run`` starts what works in the background."""

    def __init__(self, config: SlackConfig, services: Services, http: aiohttp.ClientSession) -> None:
        self._config = config
        self._services = services
        self._http = http
        self._client = AsyncWebClient(
            token=config.bot_token,
            base_url=config.api_url.rstrip("/") + "/",
            session=http,
            retry_handlers=[],  # a retry of the SDK's own would post twice; the outbox decides
            logger=_quiet("slack.web"),
        )
        self._stack = AsyncExitStack()
        self._people = PeopleLoop(services, self._client)
        self._bolt: AsyncApp | None = None
        self._socket: Socket | None = None
        self._chat: Chat | None = None

    async def __aenter__(self) -> Self:
        login.check_shape(self._config.bot_token, self._config.app_token, self._config.signing_secret)
        who = await login.bot(self._client)
        self._people.at(who.me.team)
        await self._services.workspace_known(who.url, who.me.team)
        self._bolt = self._compose(who)
        self._chat = Chat(self._client, self._http, who.scopes)
        log.info("slack.login", team=who.team_name, bot=who.me.user, optional_missing=sorted(who.optional_missing))
        if self._config.app_token:
            ticket = await login.first_ticket(self._client, self._config.app_token)
            self._socket = Socket(self._bolt, self._config.app_token, ticket, _quiet("slack.socket"))
            self._stack.push_async_callback(self._socket.close_async)
            await self._socket.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def run(self, tasks: asyncio.TaskGroup) -> None:
        assert self._chat is not None, "enter SlackSide before running it"
        delivering = Delivering(self._services, self._chat, self._config.command)
        tasks.create_task(delivering.run(), name="slack.deliver")
        tasks.create_task(self._people.run(), name="slack.people")

    async def http_handler(self, request: web.Request) -> web.StreamResponse:
        """POST /slack/events in HTTP mode. Bolt checks the signature; without a secret nothing is let in."""
        if self._bolt is None or not self._config.signing_secret:
            raise web.HTTPNotFound(text="HTTP mode is off: SLACK_SIGNING_SECRET is not set.")
        stamp, signature = (request.headers.get(f"X-Slack-{part}", "") for part in ("Request-Timestamp", "Signature"))
        if not stamp.isdecimal() or not stamp.isascii() or not signature.isascii():
            raise web.HTTPUnauthorized(text="This request is not signed as Slack signs.")  # Bolt would stumble over it
        return await to_aiohttp_response(await self._bolt.async_dispatch(await to_bolt_request(request)))

    async def connected(self) -> bool:
        """Whether Slack can reach the bot, as far as the bot can know."""
        return await self._socket.connected() if self._socket else self._bolt is not None

    def _compose(self, who: login.Login) -> AsyncApp:
        http_mode = bool(self._config.signing_secret)
        known = AuthorizeResult(
            enterprise_id=None,
            team_id=who.me.team,
            bot_user_id=who.me.user,
            bot_id=who.me.bot,
            bot_token=self._config.bot_token,
        )

        async def authorize() -> AuthorizeResult:
            return known

        bolt = AsyncApp(
            name="switchboard",
            client=self._client_for_bolt(),
            authorize=authorize,
            signing_secret=self._config.signing_secret or "",
            process_before_response=True,  # persist, then acknowledge
            logger=_quiet("slack.bolt"),
            request_verification_enabled=http_mode,
            ssl_check_enabled=http_mode,
            url_verification_enabled=http_mode,
            # Bolt takes the deletion of our own card by a person for an event of our own; payloads.py tells them apart.
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        listeners = Listeners(
            self._services, Private(self._client, self._http), self._people, who.me, self._config.command
        )
        _listen(bolt, listeners)
        return bolt

    def _client_for_bolt(self) -> AsyncWebClient:
        """Bolt takes its token from ``authorize``; the socket opens tickets through this one."""
        return AsyncWebClient(
            base_url=self._client.base_url, session=self._http, retry_handlers=[], logger=_quiet("slack.web")
        )


def _listen(bolt: AsyncApp, to: Listeners) -> None:
    bolt.event(ANY)(to.on_event)
    bolt.command(ANY)(to.on_command)
    bolt.action(ANY)(to.on_action)
    bolt.view_submission(ANY)(to.on_view)
    bolt.view_closed(ANY)(_ignored)
    bolt.shortcut(ANY)(to.on_shortcut)
    bolt.error(_failed)


async def _ignored(ack: Any) -> None:
    await ack()


async def _failed(error: Exception, body: dict[str, Any]) -> None:
    """Not acknowledged: Slack delivers an event again, and tells a person that their click did not work."""
    log.error("slack.intake.failed", type=str(body.get("type")), exc_info=error)


def _quiet(name: str) -> logging.Logger:
    """A logger with a level of its own: at level 0 the SDK builds debug texts, with all contents, for nothing."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.WARNING)
    return logger
