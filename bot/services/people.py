"""People whose profiles are still to be fetched from Slack, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bot.domain import names
from bot.services import touch
from bot.services.ctx import Ctx
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store import people
from bot.store.database import Database
from bot.store.people import Profile
from bot.wire.types import PersonId

__all__ = ["People", "Profile"]

BELL = "people"


class People:
    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._seen = -1

    async def unknown(self, limit: int) -> Sequence[PersonId]:
        """Seen, but not known. Those that Slack does not know either are told by ``know`` with empty fields."""
        self._seen = self._db.bells.rung(BELL)
        return await self._db.read(lambda tx: people.unknown(tx, limit))

    async def wait(self, timeout: float) -> None:
        """Until somebody new was seen since the last ``unknown``, at most ``timeout`` seconds."""
        await self._db.bells.wait(BELL, max(self._seen, 0), timeout)

    async def know(self, profile: Profile) -> None:
        """Names are kept as they are read: they go on cards and, as a merge's author, into git for good."""
        now = self._clock.now()
        seen = replace(profile, name=names.visible(profile.name), real_name=names.visible(profile.real_name))

        def work(ctx: Ctx) -> None:
            before = people.get(ctx.tx, profile.id)
            if before and before.checked and not (seen.name or seen.real_name):
                return  # Slack does not tell us any more; what it once told, a guest's being one, stays true for us
            people.know(ctx.tx, seen, now)
            touch.homes(ctx, profile.id)

        await self._db.write(lambda tx: work(Ctx(tx, now, self._settings)))
