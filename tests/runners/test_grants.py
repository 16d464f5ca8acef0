"""A grant is for the call it was given to, and reaches no other: over kills, restarts and calls that look alike."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wire.messages import AnswerApplied, Asked
from bot.wire.types import ALLOW, DENY, Answer, Option, QuestionId, QuestionKind, SessionId, Share
from runners.agents.base import Answered, Chosen, Inquiry, Shown
from runners.link.spool import Spool
from runners.runner.daemon import utc_now
from runners.runner.memory import Memory
from runners.runner.questions import Hooks, QuestionDesk
from tests.runners.actor import Actor, kept_process
from tests.runners.board import ANA
from tests.runners.clock import ManualTime
from tests.runners.scene import Scene, scene

YES_NO = (Option(ALLOW, "Allow"), Option(DENY, "Deny"))


def edit(key: str, diff: str) -> Inquiry:
    """Alike in all that a repository with little to share shows of it."""
    return Inquiry(
        QuestionKind.PERMISSION,
        "Edit a.py?",
        detail=diff,
        stat=Shown("Edit a.py?", "", "a.py +1 -1"),
        options=YES_NO,
        key=key,
    )


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


@pytest.fixture
async def actor(stage: Scene) -> AsyncIterator[Actor]:
    """Its process outlives its runner."""
    found = Actor(holds=True)
    stage.open_agent = found.open
    await stage.place()
    async with kept_process(stage.session):
        yield found


def given_to(actor: Actor) -> list[Answered | None]:
    assert actor.agent is not None
    return [task.result()[0] if task.done() else None for task in actor.agent.asking]


# --- with a runner ---------------------------------------------------------------------------------------------------


async def test_of_two_calls_that_look_alike_only_the_one_that_was_allowed_goes_on(stage: Scene, actor: Actor) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(edit("toolu_1", "x = 2"))
        actor.ask(edit("toolu_2", "import os; os.system('evil')"))
        first = (await stage.board.heard(Asked)).question
        second = (await stage.board.heard(Asked, 2)).question
    await stage.answer(first, option=ALLOW)
    actor.ready.clear()
    async with stage.runner():
        applied = await stage.board.heard(AnswerApplied)
        assert (applied.question, applied.applied) == (first.id, True)
        actor.ready.set()  # only now does it ask again
        assert (await stage.board.heard(Asked, 3)).question.id == second.id
        assert actor.agent is not None
        first_call, second_call = actor.agent.asking
        await asyncio.wait({first_call})
        assert given_to(actor) == [Chosen(ALLOW), None]
        await stage.answer(second, option=DENY)
        await asyncio.wait({second_call})
        assert given_to(actor) == [Chosen(ALLOW), Chosen(DENY)]


async def test_a_grant_that_nobody_waits_for_any_more_is_of_no_use_to_the_next_call(stage: Scene, actor: Actor) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(edit("toolu_1", "x = 2"))
        first = (await stage.board.heard(Asked)).question
    actor.pending.clear()  # it does not want to know any more
    await stage.answer(first, option=ALLOW)
    actor.ready.clear()
    async with stage.runner():
        assert "if it still asks" in (await stage.board.heard(AnswerApplied)).detail
        actor.ready.set()
        await actor.until(lambda: actor.rejoined == 1)
        actor.ask(edit("toolu_9", "x = 3"))
        assert (await stage.board.heard(Asked, 2)).question.id != first.id
        assert given_to(actor) == [None]


# --- properties ------------------------------------------------------------------------------------------------------


@dataclass
class Call:
    inquiry: Inquiry
    task: asyncio.Task[Answered]
    question: QuestionId | None
    """The one that was put for it, if it was a new one."""


@dataclass
class Play:
    """An agent that asks, people who answer, a runner that is killed; ``granted`` is what people said yes to."""

    memory: Memory
    folder: Path
    desk: QuestionDesk = field(init=False)
    calls: list[Call] = field(default_factory=list)
    granted: dict[QuestionId, Inquiry] = field(default_factory=dict)
    put: dict[QuestionId, Inquiry] = field(default_factory=dict)
    done: int = 0

    def __post_init__(self) -> None:
        hooks = Hooks(lambda _: None, lambda: None)
        self.desk = QuestionDesk(self.memory, hooks, Share.STAT, self.folder, ManualTime())

    async def ask(self, inquiry: Inquiry) -> None:
        before = {each.id for each in self.memory.state.open}
        task = asyncio.create_task(self.desk.ask(inquiry))
        await _idle(self.memory)
        new = next((each.id for each in self.memory.state.open if each.id not in before), None)
        if new is not None:
            self.put[new] = inquiry
        self.calls.append(Call(inquiry, task, new))

    async def answer(self, which: int, option: str) -> None:
        if not self.memory.state.open:
            return
        question = self.memory.state.open[which % len(self.memory.state.open)]
        if option != DENY:
            self.granted[question.id] = self.put[question.id]
        self.done += 1
        self.desk.answer(Answer(question.id, ANA, option=option), self.done)
        await _idle(self.memory)

    async def kill(self, *, again: bool, first: int | None) -> None:
        """``first``: a question answered ahead of its being asked again."""
        waiting = [call for call in self.calls if not call.task.done()]
        self.desk.handing_over = True
        for call in waiting:
            call.task.cancel()
        await asyncio.gather(*(call.task for call in waiting), return_exceptions=True)
        self.__post_init__()
        if first is not None:
            await self.answer(first, ALLOW)
        for call in waiting if again else ():
            await self.ask(call.inquiry)


async def _idle(memory: Memory) -> None:
    """Until the disk has it, and everybody who waits for that has heard."""
    for _ in range(3):
        await asyncio.sleep(0)
    await memory.tell()
    for _ in range(3):
        await asyncio.sleep(0)


KEYS = st.sampled_from(["", "toolu_1", "toolu_2"])
DIFFS = st.sampled_from(["x = 2", "import os; os.system('evil')"])
STEPS = st.one_of(
    st.tuples(st.just("ask"), KEYS, DIFFS),
    st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from([ALLOW, ALLOW, DENY])),
    st.tuples(st.just("kill"), st.booleans(), st.one_of(st.none(), st.integers(0, 3))),
)


async def played(steps: list[tuple[str, object, object]], folder: Path) -> Play:
    async with Spool(folder / "spool.db", utc_now) as spool:
        play = Play(await Memory.load(spool, SessionId("s1")), folder)
        for step in steps:
            match step:
                case "ask", str(key), str(diff):
                    await play.ask(edit(key, diff))
                case "answer", int(which), str(option):
                    await play.answer(which, option)
                case "kill", bool(again), first:
                    await play.kill(again=again, first=first if isinstance(first, int) else None)
        allowed = [call for call in play.calls if call.task.done() and not call.task.cancelled()]
        play.calls, rest = [call for call in allowed if call.task.result() == Chosen(ALLOW)], play.calls
        for call in rest:
            call.task.cancel()
        await asyncio.gather(*(call.task for call in rest), return_exceptions=True)
        return play


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=2, max_size=8))
def test_a_grant_reaches_nothing_but_what_was_shown_and_its_own_call(steps: list[tuple[str, object, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        play = asyncio.run(played(steps, Path(folder)))  # its end waits for the threads that still write there
    for call in play.calls:
        assert any(shown.detail == call.inquiry.detail for shown in play.granted.values())
        if call.inquiry.key:
            assert call.inquiry in play.granted.values()
        else:  # it has no name: it must be the very one that waited
            assert call.question in play.granted
