"""Carries payloads to the app over whichever transport is chosen: events at least once, interactions at most once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import structlog

from bot.local_slack.clock import Clock
from bot.local_slack.errors import NotDelivered
from bot.local_slack.faults import Faults
from bot.local_slack.ids import new_token
from bot.local_slack.models import Json, PendingEvent
from bot.local_slack.state import State
from bot.local_slack.traffic import Traffic

log = structlog.get_logger()

TOO_LATE = 2 * 60 * 60
"""Seconds after which Slack does not deliver an event any more (unless its Delayed Events are switched on)."""

Kind = Literal["events_api", "slash_commands", "interactive"]


@dataclass(frozen=True)
class Envelope:
    envelope_id: str
    kind: Kind
    payload: Json
    attempt: int = 0
    reason: str = ""


class Transport(Protocol):
    """One way to the app. ``deliver`` returns what the app acknowledged with, or raises NotDelivered."""

    async def deliver(self, envelope: Envelope) -> Json: ...

    async def reachable(self) -> None:
        """Returns once a delivery can be tried at all."""


class Delivery:
    """Events wait on disk until acknowledged or given up; each is tried 1 + ``len(retry_delays)`` times."""

    def __init__(self, state: State, clock: Clock, faults: Faults, traffic: Traffic, transport: Transport) -> None:
        self._state = state
        self._clock = clock
        self._faults = faults
        self._traffic = traffic
        self.transport = transport
        self._switched = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        for event in list(self._state.pending.values()):
            self.send(event)

    def stop(self) -> None:
        self._group = None
        for task in self._tasks:
            task.cancel()

    def use(self, transport: Transport) -> None:
        """From now on; what waits for the old one to become reachable goes over the new one."""
        self.transport = transport
        self._switched.set()
        self._switched = asyncio.Event()

    async def _reachable(self) -> None:
        while True:
            transport, switched = self.transport, self._switched
            waits = [asyncio.ensure_future(transport.reachable()), asyncio.ensure_future(switched.wait())]
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
            if transport is self.transport:
                return

    def send(self, event: PendingEvent) -> None:
        if self._group is None:
            return  # Stopping: the event is on disk and goes out after the next start.
        self._spawn(self._group, self._until_taken(event), event)
        if self._faults.take_duplicate():
            self._spawn(self._group, self._once_more(event), event)

    async def ask(self, kind: Literal["slash_commands", "interactive"], payload: Json, name: str) -> Json:
        """Once and within three seconds, as Slack does with everything a person is waiting for."""
        envelope = Envelope(new_token(size=16), kind, payload)
        try:
            answer = await self.transport.deliver(envelope)
        except NotDelivered as failure:
            self._note(kind, name, failure.reason, payload)
            raise
        self._note(kind, name, "acknowledged", payload)
        return answer

    def _spawn(self, group: asyncio.TaskGroup, work: Coroutine[None, None, None], event: PendingEvent) -> None:
        task = group.create_task(work, name=f"event {event.event_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _once_more(self, event: PendingEvent) -> None:
        """The same event a second time, as Slack sometimes sends it; nobody minds if it is not taken."""
        await self._reachable()
        with contextlib.suppress(NotDelivered):
            await self.transport.deliver(Envelope(event.envelope_id, "events_api", event.payload))

    async def _until_taken(self, event: PendingEvent) -> None:
        name = str(event.payload["event"]["type"])
        while True:
            await self._reachable()
            if self._clock.time() - event.payload["event_time"] > TOO_LATE:
                log.warning("event.too_late", event_id=event.event_id, type=name)
                break
            envelope = Envelope(event.envelope_id, "events_api", event.payload, event.attempt, event.reason)
            try:
                await self.transport.deliver(envelope)
                self._note("event", name, "acknowledged", event.payload)
                break
            except NotDelivered as failure:
                self._note("event", name, failure.reason, event.payload)
                delays = self._faults.retry_delays
                if failure.final or event.attempt >= len(delays):
                    log.warning("event.given_up", event_id=event.event_id, type=name, reason=failure.reason)
                    break
                delay = delays[event.attempt]
                event.attempt, event.reason = event.attempt + 1, failure.reason
                if event.event_id in self._state.pending:
                    self._state.save_pending(event)
                await self._clock.sleep(delay)
        self._state.drop_pending(event)
        await self._state.store.commit()

    def _note(self, kind: str, name: str, outcome: str, payload: Any) -> None:
        self._traffic.note(self._clock.time(), "to_app", kind, name, outcome, payload)
