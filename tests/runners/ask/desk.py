"""The lasting part of a runner's desk, in memory: the test is the people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.wire.types import QuestionId
from runners.agents.base import Answered, Chosen, Inquiry, Text, Unanswered
from runners.ask.asking import AskedBefore
from runners.ask.door import Door
from runners.ask.serving import door_for

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WITHIN = 20.0


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class People:
    """Implements ``Questions``. Its questions outlive a door, as a runner's outlive the runner."""

    asked: dict[QuestionId, Inquiry] = field(default_factory=dict)
    answers: dict[QuestionId, Answered] = field(default_factory=dict)
    withdrawn: dict[QuestionId, str] = field(default_factory=dict)
    waiting: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody waits."""
    _keys: dict[str, tuple[QuestionId, ...]] = field(default_factory=dict)
    _identities: dict[str, tuple[str, str]] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def post(self, inquiries: Sequence[Inquiry], key: str, identity: str = "") -> tuple[QuestionId, ...]:
        before, title = self._identities.setdefault(key, (identity, inquiries[0].title))
        if before != identity:
            raise AskedBefore(title)
        if key not in self._keys:
            ids = tuple(QuestionId(f"s.q{len(self.asked) + number}") for number in range(1, len(inquiries) + 1))
            self.asked |= dict(zip(ids, inquiries, strict=True))
            self._keys[key] = ids
        await self._notify()
        return self._keys[key]

    async def wait(self, ids: Sequence[QuestionId], timeout: float | None) -> tuple[Answered, ...] | None:
        self.waiting += 1
        self.idle.clear()
        try:
            async with asyncio.timeout(timeout), self._changed:
                self._changed.notify_all()
                await self._changed.wait_for(lambda: all(each in self.answers for each in ids))
        except TimeoutError:
            return None
        finally:
            self.waiting -= 1
            if not self.waiting:
                self.idle.set()
        return tuple(self.answers[each] for each in ids)

    def withdraw(self, ids: Sequence[QuestionId], reason: str) -> tuple[QuestionId, ...]:
        mine = tuple(each for each in ids if each in self.asked and each not in self.answers)
        for each in mine:
            self.withdrawn[each] = reason
            self.answers[each] = Unanswered(reason)
        return mine

    # --- what the test says ------------------------------------------------------------------------------------------

    async def question(self, number: int = 1) -> QuestionId:
        """The n-th that was asked, as soon as it is there."""
        await self.until(lambda: len(self.asked) >= number)
        return list(self.asked)[number - 1]

    async def answer(self, question: QuestionId, option: str = "", text: str = "", more: tuple[str, ...] = ()) -> None:
        self.answers[question] = Chosen(option, text, options=more) if option or more else Text(text)
        await self._notify()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(true)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@dataclass
class House:
    folder: Path
    door: Door
    people: People
    clock: Clock

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.door.ask_door.token}"}


@asynccontextmanager
async def house(
    folder: Path, people: People | None = None, *, comes: bool = True, told: float | None = None, beat: float = 5.0
) -> AsyncIterator[House]:
    people, clock = people or People(), Clock()
    async with door_for(folder, people, clock, comes=comes, told=told, beat=beat) as door:
        yield House(folder, door, people, clock)
