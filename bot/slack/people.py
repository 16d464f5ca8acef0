"""Who people are: asks Slack for the profiles that the services lack."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.deliveries import Permanent, RateLimited
from bot.services import Services
from bot.services.people import Profile
from bot.slack.errors import code_of, failure
from bot.slack.payloads import string
from bot.wire.types import PersonId

log = structlog.get_logger()

LOOK_EVERY = 30.0
MEET_WITHIN = 1.0
"""Seconds that somebody's first action may wait for their profile; then it goes on without."""


class PeopleLoop:
    """Profiles are a help, not a condition: where Slack does not give one, everything else goes on."""

    def __init__(self, services: Services, client: AsyncWebClient) -> None:
        self._services = services
        self._client = client
        self._team = ""
        self._met: set[PersonId] = set()
        self._refused: set[PersonId] = set()

    def at(self, team: str) -> None:
        """The workspace the bot lives in: people of another one are guests here."""
        self._team = team

    async def run(self) -> None:
        while True:
            for person in await self._services.people.unknown(20 + len(self._refused)):
                if person not in self._refused:
                    await self._fetch(person)
            await self._services.people.wait(LOOK_EVERY)

    async def meet(self, person: PersonId) -> None:
        """Before somebody's first action in this process: guests and strangers are told apart by their profile."""
        if person in self._met:
            return
        self._met.add(person)
        try:
            async with asyncio.timeout(MEET_WITHIN):
                await self._fetch(person)
        except TimeoutError:
            log.info("slack.people.slow", person=person)

    async def changed(self, user: Mapping[str, object]) -> None:
        profile = profile_of(user, self._team)
        if profile is not None:
            await self._services.people.know(profile)

    async def _fetch(self, person: PersonId) -> None:
        try:
            answer = await self._client.users_info(user=person)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as err:
            await self._not_told(person, err)
            return
        user = answer.get("user")
        profile = profile_of(user, self._team) if isinstance(user, Mapping) else None
        await self._services.people.know(profile or Profile(id=person))

    async def _not_told(self, person: PersonId, err: Exception) -> None:
        log.info("slack.people.unknown", person=person, problem=code_of(err) or repr(err))
        match failure(err):
            case Permanent():
                await self._services.people.know(Profile(id=person))  # Slack has nobody of that name
            case RateLimited(after):
                await asyncio.sleep(min(60.0, after.total_seconds()))
            case _:
                self._refused.add(person)  # until the bot is started again, or they act


def profile_of(user: Mapping[str, object], team: str) -> Profile | None:
    """A person as Slack's ``users.info`` has them; who belongs to another workspace counts as a guest."""
    person = string(user.get("id"))
    if not person:
        return None
    found = user.get("profile")
    inner = found if isinstance(found, Mapping) else {}
    home = string(user.get("team_id"))
    foreign = bool(team and home and home != team and not user.get("enterprise_user"))
    return Profile(
        id=PersonId(person),
        name=string(user.get("name")),
        real_name=string(user.get("real_name")) or string(inner.get("real_name")) or string(inner.get("display_name")),
        email=string(inner.get("email")),
        tz=string(user.get("tz")),
        is_bot=bool(user.get("is_bot")),
        is_guest=bool(
            user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger") or foreign
        ),
        team=home,
    )
