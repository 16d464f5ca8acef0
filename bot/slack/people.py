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
"""Seconds that somebody's action may wait for their profile; then it goes on without, and reaches less."""
MEET_AGAIN = 3600.0
"""Seconds after which a profile is read again: a change that Slack did not tell us of is not missed for ever."""


class PeopleLoop:
    """Profiles are a help, not a condition: where Slack does not give one, everything else goes on."""

    def __init__(self, services: Services, client: AsyncWebClient, within: float = MEET_WITHIN) -> None:
        self._services = services
        self._client = client
        self._within = within
        self._team = ""
        self._met: dict[PersonId, float] = {}
        self._asking: dict[PersonId, asyncio.Future[None]] = {}
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
        """Before somebody acts: guests and strangers are told apart by their profile.

        All who come at the same time wait for the same answer. Without one, the next action asks again.
        """
        now = asyncio.get_running_loop().time()
        if now - self._met.get(person, -MEET_AGAIN) < MEET_AGAIN:
            return
        if asking := self._asking.get(person):
            await asyncio.shield(asking)
            return
        asking = self._asking[person] = asyncio.get_running_loop().create_future()
        self._refused.discard(person)
        try:
            async with asyncio.timeout(self._within):
                if await self._fetch(person):
                    self._met[person] = now
        except TimeoutError:
            log.info("slack.people.slow", person=person)
        finally:
            del self._asking[person]
            asking.set_result(None)

    async def changed(self, user: Mapping[str, object]) -> None:
        profile = profile_of(user, self._team)
        if profile is not None:
            await self._services.people.know(profile)

    async def _fetch(self, person: PersonId) -> bool:
        """Whether Slack told us who they are."""
        try:
            answer = await self._client.users_info(user=person)
        except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as err:
            await self._not_told(person, err)
            return False
        user = answer.get("user")
        profile = profile_of(user, self._team) if isinstance(user, Mapping) else None
        await self._services.people.know(profile or Profile(id=person))
        return profile is not None

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
