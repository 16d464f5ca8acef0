"""The use cases, in one object: what people do, what machines say, what Slack must be told, what is due."""

from __future__ import annotations

from bot.services.desk import Desk
from bot.services.digests import Digests
from bot.services.links import Links
from bot.services.outbox import Outbox
from bot.services.people import People
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store.database import Database

__all__ = ["Services"]


class Services:
    """One for each process, on an open database."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self.desk = Desk(db, settings, clock)
        self.outbox = Outbox(db, settings, clock)
        self.links = Links(db, settings, clock)
        self.digests = Digests(db, settings, clock)
        self.people = People(db, settings, clock)
