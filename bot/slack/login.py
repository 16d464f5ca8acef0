"""The credentials, tried once at start-up: a wrong one is named, with what to do, before anything else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.deliveries import RateLimited
from bot.slack.errors import SlackRefused, SlackUnreachable, code_of, failure
from bot.slack.manifest import OPTIONAL_SCOPES, REQUIRED_SCOPES
from bot.slack.payloads import Me

T = TypeVar("T")


@dataclass(frozen=True)
class Login:
    """What auth.test says of the bot."""

    me: Me
    team_name: str = ""
    url: str = ""
    scopes: frozenset[str] = frozenset()
    """Empty where Slack did not say."""

    @property
    def optional_missing(self) -> frozenset[str]:
        return frozenset(OPTIONAL_SCOPES) - self.scopes if self.scopes else frozenset()


def check_shape(bot_token: str, app_token: str | None, signing_secret: str | None) -> None:
    """What can be told without asking Slack."""
    wrong = []
    if not bot_token.startswith("xoxb-"):
        wrong.append("SLACK_BOT_TOKEN must start with xoxb-: copy it from OAuth & Permissions of your app.")
    if app_token and not app_token.startswith("xapp-"):
        wrong.append("SLACK_APP_TOKEN must start with xapp-: make one under Basic Information → App-Level Tokens.")
    if not app_token and not signing_secret:
        wrong.append("Set SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode.")
    if wrong:
        raise SlackRefused("\n".join(wrong))


async def bot(client: AsyncWebClient) -> Login:
    try:
        answer = await _patiently(client.auth_test)
    except SlackApiError as err:
        code = code_of(err) or "no reason given"
        raise SlackRefused(
            f"Slack refused SLACK_BOT_TOKEN ({code}). Copy the Bot User OAuth Token from OAuth & Permissions;"
            " if the app was removed from the workspace, install it again there."
        ) from err
    scopes = frozenset(part for part in answer.headers.get("x-oauth-scopes", "").replace(" ", "").split(",") if part)
    missing = [scope for scope in REQUIRED_SCOPES if scopes and scope not in scopes]
    if missing:
        raise SlackRefused(
            f"SLACK_BOT_TOKEN lacks {'the scope' if len(missing) == 1 else 'the scopes'} {', '.join(missing)}."
            " Add what is missing under OAuth & Permissions → Bot Token Scopes and reinstall the app."
        )
    me = Me(str(answer.get("user_id") or ""), str(answer.get("bot_id") or ""), str(answer.get("team_id") or ""))
    return Login(me, str(answer.get("team") or ""), str(answer.get("url") or ""), scopes)


async def first_ticket(client: AsyncWebClient, app_token: str) -> str:
    """The first connection's address; asking for it proves the app token."""

    async def ask() -> Any:
        return await client.apps_connections_open(app_token=app_token)

    try:
        return str((await _patiently(ask))["url"])
    except SlackApiError as err:
        code = code_of(err) or "no reason given"
        raise SlackRefused(
            f"Slack refused SLACK_APP_TOKEN ({code}). Make one under Basic Information → App-Level Tokens with the"
            " scope connections:write, and switch Socket Mode on."
        ) from err


async def _patiently(call: Callable[[], Awaitable[T]]) -> T:
    """Wait out a rate limit; name an address that does not answer."""
    for last in (False, False, True):
        try:
            return await call()
        except SlackApiError as err:
            fault = failure(err)
            if last or not isinstance(fault, RateLimited):
                raise
            await asyncio.sleep(min(30.0, fault.after.total_seconds()))
        except (aiohttp.ClientError, OSError, TimeoutError) as err:
            raise SlackUnreachable(
                f"Slack does not answer ({type(err).__name__}: {err}). Check the network, a proxy, and SLACK_API_URL."
            ) from err
    raise AssertionError("unreachable")
