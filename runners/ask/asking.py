"""Puts calls on the runner's desk, each once, and knows which of them were answered to their caller already."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import structlog
from msgspec import Struct

from bot.wire.types import QuestionId, Urgency
from runners.agents.base import Answered, Inquiry
from runners.ask.calls import BadCall, Call
from runners.ask.tool import Outcome
from runners.files import write_atomic

log = structlog.get_logger()

ROUNDS = "asked.json"
MOST_ROUNDS = 300
RESENT = timedelta(minutes=10)
"""A call that an agent sends again within this time of its answer is the same call: it may never have seen it."""
AT_ONCE = timedelta(0)
"""For callers that say themselves when they ask anew: a script that is run again means a new question."""


class AskedBefore(Exception):
    """The same key was posted with another identity; the message is the title it has there."""


class Questions(Protocol):
    """The part of the runner's desk that outlives a call."""

    async def post(self, inquiries: Sequence[Inquiry], key: str, identity: str = "") -> tuple[QuestionId, ...]:
        """Put them to people, once for each ``key``, also over restarts. Does not wait.

        Raises AskedBefore where the key stands for something else.
        """
        ...

    async def wait(self, ids: Sequence[QuestionId], timeout: float | None) -> tuple[Answered, ...] | None:
        """None: not answered within ``timeout``; from then on (or once cancelled) the answer goes to the agent."""
        ...

    def withdraw(self, ids: Sequence[QuestionId], reason: str) -> tuple[QuestionId, ...]:
        """Those of them that were posted and are open; the rest is left alone. Returns which they were."""
        ...


class Round(Struct, frozen=True):
    """How often these words were asked anew, and when their caller last had the answer."""

    number: int = 1
    given: datetime | None = None


class Asker:
    """One per runner. Calls with the same key may come at the same time: all of them get the answer."""

    def __init__(self, folder: Path, desk: Questions, clock: Callable[[], datetime]) -> None:
        self._path = folder / ROUNDS
        self._desk = desk
        self._clock = clock
        self._rounds: dict[str, Round] | None = None
        self._lock = asyncio.Lock()
        self.waiting = 0
        """Callers that wait for people just now."""
        self.last = clock()
        """When somebody last asked, or had an answer."""
        self.collected = False
        """Every question asked through this door since it opened has its answer, and its caller has that."""
        self._uncollected: set[QuestionId] = set()

    async def post(self, call: Call, again: timedelta) -> tuple[QuestionId, ...]:
        """``again``: how long after its answer the same words are still the same question. Raises BadCall."""
        async with self._lock:
            rounds = await self._loaded()
            round_ = rounds.get(call.key, Round())
            if not call.id and round_.given is not None and self._clock() - round_.given >= again:
                round_ = Round(round_.number + 1)
                await self._keep(call.key, round_)
            key = call.key if call.id or round_.number == 1 else f"{call.key}#{round_.number}"
            try:
                ids = await self._desk.post(call.questions, key, call.identity if call.id else "")
            except AskedBefore as err:
                raise BadCall([f"id “{call.id}” was asked before with other words: “{err}”; give a new id"]) from err
            self.last, self.collected = self._clock(), False
            self._uncollected.update(ids)
            return ids

    async def wait(
        self, call: Call, ids: Sequence[QuestionId], timeout: float | None, *, for_all: bool = False
    ) -> Outcome:
        """What is answered by then. Assumed questions are waited for only where the caller wants it (``for_all``)."""
        wanted = [each for each, asked in zip(ids, call.questions, strict=True) if for_all or blocks(asked)]
        self.waiting += 1
        try:
            found = await self._desk.wait(wanted, timeout) if wanted else ()
        finally:
            self.waiting -= 1
        answers = dict(zip(wanted, found, strict=True)) if found else {}
        # The others may be answered all the same: some of a call that is parked, an assumption that is sent again.
        outcome = tuple([answers.get(each) or await self._now(each) for each in ids])
        self._uncollected.difference_update(each for each, found in zip(ids, outcome, strict=True) if found)
        self.last, self.collected = self._clock(), not self._uncollected
        return outcome

    async def open(self) -> bool:
        """Whether a question asked through this door still waits for people."""
        return any([await self._now(each) is None for each in tuple(self._uncollected)])

    async def _now(self, question: QuestionId) -> Answered | None:
        found = await self._desk.wait((question,), 0)
        return found[0] if found else None

    def withdraw(self, ids: Sequence[QuestionId], reason: str) -> tuple[QuestionId, ...]:
        withdrawn = self._desk.withdraw(ids, reason)
        self._uncollected.difference_update(ids)
        self.last, self.collected = self._clock(), not self._uncollected
        return withdrawn

    async def given(self, call: Call, outcome: Outcome) -> None:
        """The caller has it: from now on the same words may be a new question."""
        waited = [each for asked, each in zip(call.questions, outcome, strict=True) if blocks(asked)] or outcome
        if call.id or any(each is None for each in waited):
            return
        async with self._lock:
            round_ = (await self._loaded()).get(call.key, Round())
            if round_.given is None:
                await self._keep(call.key, Round(round_.number, self._clock()))

    # --- what is on disk ---------------------------------------------------------------------------------------------

    async def _loaded(self) -> dict[str, Round]:
        if self._rounds is None:
            self._rounds = await asyncio.to_thread(_read, self._path)
        return self._rounds

    async def _keep(self, key: str, round_: Round) -> None:
        rounds = await self._loaded()
        rounds.pop(key, None)
        rounds[key] = round_
        while len(rounds) > MOST_ROUNDS:
            rounds.pop(next(iter(rounds)))
        try:
            await asyncio.to_thread(write_atomic, self._path, msgspec.json.encode(rounds))
        except OSError as err:
            log.warning("ask.not_kept", path=str(self._path), error=str(err))


def blocks(asked: Inquiry) -> bool:
    return asked.urgency in (Urgency.BLOCKING, Urgency.URGENT)


def _read(path: Path) -> dict[str, Round]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Round])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as err:
        log.warning("ask.not_read", path=str(path), error=str(err))
        return {}
