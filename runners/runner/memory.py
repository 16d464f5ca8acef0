"""A session's state and the events that tell of it, kept in step: one transaction for both."""

from __future__ import annotations

import asyncio

from bot.wire.messages import EventBody
from bot.wire.types import SessionId
from runners.link.spool import Outgoing, Spool
from runners.runner import session
from runners.runner.session import State


class Memory:
    """``state`` is what the disk will say once everything asked for is written; writes keep their order."""

    def __init__(self, spool: Spool, session_id: SessionId, state: State) -> None:
        self.session_id = session_id
        self.state = state
        self._spool = spool

    @classmethod
    async def load(cls, spool: Spool, session_id: SessionId) -> Memory:
        return cls(spool, session_id, session.decode(await spool.state("session")))

    def save(self, state: State, *events: EventBody, done: int | None = None) -> asyncio.Future[None]:
        """Awaiting the result waits for the disk; not awaiting it keeps the order all the same."""
        keep = {} if state == self.state else {"session": session.encode(state)}
        self.state = state
        return self._spool.commit([Outgoing(event, self.session_id) for event in events], keep, done)

    def tell(self, *events: EventBody) -> asyncio.Future[None]:
        return self.save(self.state, *events)
