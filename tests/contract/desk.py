"""A desk for tests: answers from a list, remembers everything, and lets a test answer by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from runners.agents.base import Answered, Chosen, Inquiry, Said, Unanswered, Update

T = TypeVar("T")
Answerer = Callable[[Inquiry], Answered]


@dataclass(eq=False)
class Open:
    """A question that waits for the test to answer it."""

    inquiry: Inquiry
    answer: asyncio.Future[Answered]
    withdrawn: bool = False


@dataclass
class RecordingDesk:
    """Implements ``Desk``. ``answers`` are given in order of asking; beyond them, questions stay open."""

    answers: Iterable[Answered | Answerer] = ()
    asked: list[Inquiry] = field(default_factory=list)
    open: list[Open] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    groups: list[tuple[Inquiry, ...]] = field(default_factory=list)
    """Questions that were asked in one call."""
    stirs: int = 0
    """How often the agent began a turn by itself."""
    left: list[str] = field(default_factory=list)
    """Why the session left the board by itself."""

    def __post_init__(self) -> None:
        self._answers = iter(self.answers)
        self._changed = asyncio.Condition()
        self._pending: set[asyncio.Task[None]] = set()

    async def ask(self, inquiry: Inquiry) -> Answered:
        self.asked.append(inquiry)
        ready = next(self._answers, None)
        if ready is not None:
            return ready(inquiry) if callable(ready) else ready
        question = Open(inquiry, asyncio.get_running_loop().create_future())
        self.open.append(question)
        await self._tell()
        try:
            return await question.answer
        except asyncio.CancelledError:
            question.withdrawn = True
            raise
        finally:
            await self._tell()

    async def ask_all(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        self.groups.append(tuple(inquiries))
        return tuple(await asyncio.gather(*map(self.ask, inquiries)))

    def stirred(self) -> None:
        self.stirs += 1

    def gone(self, reason: str) -> None:
        self.left.append(reason)

    def update(self, update: Update) -> None:
        self.updates.append(update)
        task = asyncio.ensure_future(self._tell())
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # --- for tests

    @property
    def words(self) -> str:
        return "".join(update.text for update in self.updates if isinstance(update, Said))

    def of(self, kind: type[T]) -> list[T]:
        return [update for update in self.updates if isinstance(update, kind)]

    async def until(self, true: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(true)

    async def question(self, number: int = 1) -> Open:
        """Wait for the n-th question that was left open."""
        await self.until(lambda: len(self.open) >= number)
        return self.open[number - 1]


def pick(option: str, text: str = "") -> Answerer:
    return lambda _: Chosen(option, text)


def silent(reason: str = "the session is stopping") -> Unanswered:
    return Unanswered(reason)
