"""The use cases, in one object: what people do, what machines say, what Slack must be told, what is due."""

from __future__ import annotations

from bot.services.desk import Desk
from bot.services.digests import Digests
from bot.services.links import Links
from bot.services.outbox import Outbox
from bot.services.people import People
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store import facts
from bot.store.database import Database, Tx

__all__ = ["Services"]


class Services:
    """One for each process, on an open database."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self.desk = Desk(db, settings, clock)
        self.outbox = Outbox(db, settings, clock)
        self.links = Links(db, settings, clock)
        self.digests = Digests(db, settings, clock)
        self.people = People(db, settings, clock)

    async def workspace_known(self, url: str, team: str) -> None:
        """What Slack says of itself after each connect; ``url`` ends with a slash and begins every permalink."""

        def work(tx: Tx) -> None:
            facts.know(tx, facts.WORKSPACE_URL, url)
            facts.know(tx, facts.WORKSPACE_TEAM, team)

        await self._db.write(work)
