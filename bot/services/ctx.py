"""What every step inside a transaction knows: the transaction, the moment, the settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.intents import Origin
from bot.domain.routing import Circle
from bot.domain.sessions import Session
from bot.services.settings import ServiceSettings
from bot.store.database import Tx
from bot.wire.types import PersonId


@dataclass(frozen=True, slots=True)
class Ctx:
    tx: Tx
    now: datetime
    settings: ServiceSettings

    def circle(self, session: Session) -> Circle:
        return Circle(session.owner, session.reviewer, self.settings.admins)


@dataclass(frozen=True, slots=True)
class Act(Ctx):
    """One thing that one person does."""

    by: PersonId
    origin: Origin
