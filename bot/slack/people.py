"""Who people are: asks Slack for the profiles that the services lack."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import aiohttp
import structlog
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.deliveries import RateLimited
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
        self._met: set[PersonId] = set()
        self._refused: set[PersonId] = set()
        self._look = asyncio.Event()

    def look(self) -> None:
        """Somebody new may have been named."""
        self._look.set()

    async def run(self) -> None:
        while True:
            self._look.clear()
            for person in await self._services.people.unknown(20 + len(self._refused)):
                if person not in self._refused:
                    await self._fetch(person)
            try:
                async with asyncio.timeout(LOOK_EVERY):
                    await self._look.wait()
            except TimeoutError:
                self._refused.clear()

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
        profile = profile_of(user)
        if profile is not None:
            await self._services.people.know(profile)

    async def _fetch(self, person: PersonId) -> None:
        try:
            answer = await self._client.users_info(user=person)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as err:
            log.info("slack.people.unknown", person=person, problem=code_of(err) or repr(err))
            self._refused.add(person)
            if isinstance(fault := failure(err), RateLimited):
                await asyncio.sleep(min(60.0, fault.after.total_seconds()))
            return
        user = answer.get("user")
        profile = profile_of(user) if isinstance(user, Mapping) else None
        if profile is None:
            self._refused.add(person)
        else:
            await self._services.people.know(profile)


def profile_of(user: Mapping[str, object]) -> Profile | None:
    """A person as Slack's ``users.info`` has them."""
    person = string(user.get("id"))
    if not person:
        return None
    found = user.get("profile")
    inner = found if isinstance(found, Mapping) else {}
    return Profile(
        id=PersonId(person),
        name=string(user.get("name")),
        real_name=string(inner.get("display_name")) or string(user.get("real_name")) or string(inner.get("real_name")),
        email=string(inner.get("email")),
        tz=string(user.get("tz")),
        is_bot=bool(user.get("is_bot")),
        is_guest=bool(user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger")),
        team=string(user.get("team_id")),
    )
