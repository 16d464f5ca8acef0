"""The desk as an agent sees it: questions get their ids, wait without limit, and are closed exactly once."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import AnswerApplied, Asked, QuestionWithdrawn
from bot.wire.types import Answer, Question, QuestionId, Share, Urgency
from runners.agents.base import Answered, Inquiry, Unanswered, Update
from runners.ask.asking import AskedBefore
from runners.clock import Time, WallTime
from runners.files import write_atomic
from runners.runner import answers, naming, session, wording
from runners.runner.memory import Memory
from runners.runner.session import Known, State

log = structlog.get_logger()

LOOSE = timedelta(seconds=1)
"""A question that its agent let go of stays open for so long: if the agent has died, it outlives it."""
ASSUMED_FOR = timedelta(hours=1)
"""How long an assumption may be vetoed where nobody said."""
NO_LONGER = "the agent no longer waits for an answer"


@dataclass(frozen=True)
class Hooks:
    """What the desk tells its driver."""

    take_note: Callable[[Update], None]
    tell_progress: Callable[[], None]
    """Goes ahead of each question: a thread's first progress then stands above the mention that makes somebody
    follow the thread, and calls nobody."""
    stirred: Callable[[], None] = lambda: None
    gone: Callable[[str], None] = lambda reason: None
    changed: Callable[[], None] = lambda: None
    """A deadline is new, or a message may be ready."""
    decided: Callable[[Answer, int], None] = lambda answer, done: None
    """The runner's own question has its answer."""


@dataclass(eq=False)
class _Wait:
    """Somebody waits for all of these."""

    ids: tuple[QuestionId, ...]
    got: dict[QuestionId, Answered]
    unwritten: set[asyncio.Future[None]] = field(default_factory=set)
    """Answers of these that are not on disk yet."""
    future: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def take(self, question: QuestionId, answer: Answered) -> None:
        self.got[question] = answer
        self.look()

    def promise(self, question: QuestionId, answer: Answered, written: asyncio.Future[None]) -> None:
        """It has its answer; whoever waits gets it once that is written."""
        self.got[question] = answer
        self.unwritten.add(written)
        written.add_done_callback(self._written)

    def _written(self, done: asyncio.Future[None]) -> None:
        self.unwritten.discard(done)
        if not done.cancelled() and done.exception() is None:
            self.look()

    @property
    def complete(self) -> bool:
        return all(each in self.got for each in self.ids)

    def is_complete_with(self, question: QuestionId) -> bool:
        return all(each in self.got or each == question for each in self.ids)

    def look(self) -> None:
        if not self.future.done() and self.complete and not self.unwritten:
            self.future.set_result(None)


class QuestionDesk:
    """Implements ``Desk``. What the repository does not share of a question is kept in a file of ``kept``."""

    def __init__(self, memory: Memory, hooks: Hooks, share: Share, kept: Path, time: Time | None = None) -> None:
        self._memory = memory
        self._hooks = hooks
        self._share = share
        self._kept = kept
        self._time = time or WallTime()
        self._waits: list[_Wait] = []
        self._loose: dict[QuestionId, datetime] = {}
        self.hold = False
        """The agent is being put to rest: questions that outlive it stay open."""
        self.handing_over = False
        """The agent lives on without this runner: all its questions stay open."""

    # --- what the agent calls ----------------------------------------------------------------------------------------

    def update(self, update: Update) -> None:
        self._hooks.take_note(update)

    def stirred(self) -> None:
        self._hooks.stirred()

    def gone(self, reason: str) -> None:
        self._hooks.gone(reason)

    async def ask(self, inquiry: Inquiry) -> Answered:
        return (await self.ask_all([inquiry]))[0]

    async def ask_all(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        alone = len(inquiries) == 1
        names = [each.key and (each.key if alone else f"{each.key}#{at}") for at, each in enumerate(inquiries)]
        keys = [wording.key(each, name) for each, name in zip(inquiries, names, strict=True)]
        ids, ready = self._put(inquiries, keys)
        try:
            found = await self._answers(ids, ready, inquiries)
        except asyncio.CancelledError as cut:
            self._let_go(ids, str(cut.args[0]) if cut.args and cut.args[0] else "")
            raise
        return found

    # --- what the ask door calls -------------------------------------------------------------------------------------

    async def post(self, inquiries: Sequence[Inquiry], key: str, identity: str = "") -> tuple[QuestionId, ...]:
        """Put questions to people without waiting. Idempotent on ``key``, over restarts too, answered or not.

        Raises AskedBefore where ``key`` stands for questions of another ``identity``.
        """
        before = naming.standing(self._memory.state, key)
        if before is not None and before.identity != identity:
            raise AskedBefore(before.title)
        ids, _ = self._put(inquiries, naming.names(key, len(inquiries)), posted=True)
        if identity:
            self._memory.save(naming.named(self._memory.state, key, identity, inquiries))
        await self._keep_details(inquiries, ids)
        return ids

    async def wait(self, ids: Sequence[QuestionId], timeout: float | None) -> tuple[Answered, ...] | None:
        """The answers, once all are there, given now or earlier. None: not in time.

        Timed out or cancelled, the questions are parked: their answers go to the agent as a message.
        """
        state = self._memory.state
        ready = {each.question.id: each for each in state.known if each.question.id in ids}
        there = all(each in ready or answers.find(state, each) is None for each in ids)
        try:
            # People are waited for so long, and not the disk: an answer that is there is had at once.
            async with asyncio.timeout(None if there else timeout):
                return await self._answers(tuple(ids), ready)
        except TimeoutError:
            self._park(ids)
            return None
        except asyncio.CancelledError:
            self._park(ids)
            raise

    def withdraw(self, ids: Sequence[QuestionId], reason: str) -> tuple[QuestionId, ...]:
        """Nobody needs to answer these any more. Those that were posted, and no others: the agent's own questions and
        the runner's are not for a caller of the door to close. Returns which they were."""
        mine = tuple(number for number in ids if number in self._memory.state.posted)
        for number in mine:
            self._close(number, reason)
        return mine

    # --- putting and waiting -----------------------------------------------------------------------------------------

    def _put(
        self, inquiries: Sequence[Inquiry], keys: Sequence[str], *, posted: bool = False
    ) -> tuple[tuple[QuestionId, ...], dict[QuestionId, Known]]:
        """Each gets an id: the one under which it is known, open or answered, or a new one."""
        state, ids, ready, events = self._memory.state, list[QuestionId](), dict[QuestionId, Known](), list[Asked]()
        group = session.question_id(self._memory.session_id, state.next_question) if len(inquiries) > 1 else ""
        for inquiry, key in zip(inquiries, keys, strict=True):
            number = session.question_id(self._memory.session_id, state.next_question)
            question = self._question(inquiry, number, group)
            found = answers.known(state, key)
            if found is None and not posted:
                found = answers.late_for(state, question, key)
            if found is not None:
                ready[found.question.id] = found
                ids.append(found.question.id)
                continue
            again = answers.open_under(state, key) or (None if posted else self._left(state, question, ids))
            if again is None:
                again = question
                state = replace(state, open=(*state.open, question), next_question=state.next_question + 1)
            elif posted:
                ids.append(again.id)
                continue
            if key:
                state = replace(state, keys={**state.keys, again.id: key})
            if posted:
                state = replace(state, posted=(*state.posted, again.id))
            self._loose.pop(again.id, None)
            ids.append(again.id)
            events.append(Asked(again))
        if events:
            self._hooks.tell_progress()
        self._memory.save(state, *events)
        self._hooks.changed()
        return tuple(ids), ready

    def _question(self, inquiry: Inquiry, number: QuestionId, group: str) -> Question:
        path = self._path(number) if wording.kept_back(inquiry, self._share) else None
        if inquiry.urgency in answers.UNASKED:
            until = inquiry.until
            if until is None and inquiry.urgency is Urgency.ASSUMED:
                until = self._time.now() + ASSUMED_FOR
            if until is not None and until.tzinfo is None:
                until = until.replace(tzinfo=UTC)
            inquiry = dataclasses.replace(inquiry, until=until)
        return wording.question(inquiry, number, self._share, path, group)

    def _left(self, state: State, question: Question, taken: Iterable[QuestionId]) -> Question | None:
        """An agent whose process went asks again: that is the question people still look at, under its old id."""
        left = (
            each
            for each in state.open
            if each.kind in session.KEPT_OPEN
            and not self._is_awaited(each.id)
            and each.id not in (*taken, state.budget_question)
            and each.id not in state.posted
        )
        return answers.same(left, question)

    async def _answers(
        self, ids: tuple[QuestionId, ...], ready: dict[QuestionId, Known], inquiries: Sequence[Inquiry] = ()
    ) -> tuple[Answered, ...]:
        """``inquiries``: what of them is to be kept here meanwhile. An answer may come before that is done."""
        wait = _Wait(ids, {number: answers.for_agent(each.question, each.answer) for number, each in ready.items()})
        for number in ids:
            if number not in ready and answers.find(self._memory.state, number) is None:
                wait.got[number] = Unanswered("it was withdrawn")
        wait.look()
        self._waits.append(wait)
        try:
            if inquiries:
                await self._keep_details(inquiries, ids)
            await wait.future
        finally:
            self._waits.remove(wait)
        state = answers.taken(self._memory.state, tuple(ready.values()))
        written = self._memory.save(answers.unsaid(state, ids))
        if ready:
            await asyncio.shield(written)
        return tuple(wait.got[number] for number in ids)

    def _is_awaited(self, number: QuestionId) -> bool:
        return any(number in wait.ids and not wait.future.done() for wait in self._waits)

    def _park(self, ids: Sequence[QuestionId]) -> None:
        if not any(self._is_awaited(number) for number in ids):
            self._memory.save(answers.parked(self._memory.state, ids))
            self._hooks.changed()

    def _let_go(self, ids: Sequence[QuestionId], why: str) -> None:
        """The agent's call was cut off: by the agent, by its end, or by us. ``why``: it is settled elsewhere."""
        for number in ids:
            question = answers.find(self._memory.state, number)
            if question is None or self._is_awaited(number) or self.handing_over:
                continue
            if why or question.kind not in session.KEPT_OPEN:
                self._close(number, why or NO_LONGER)
            elif not self.hold:
                self._loose[number] = self._time.now() + LOOSE
        self._hooks.changed()

    # --- what the driver calls ---------------------------------------------------------------------------------------

    def answer(self, answer: Answer, done: int) -> None:
        """Give an accepted answer to whoever waits for it, or keep it as a message; say what became of it."""
        state = self._memory.state
        question = answers.find(state, answer.question) or answers.gone_on(state, answer.question)
        if question is None:
            late = AnswerApplied(answer.question, applied=False, detail="the session has moved on")
            self._memory.save(state, late, done=done)
            return
        if question.id == state.budget_question:
            self._hooks.decided(answer, done)
            return
        waits = [wait for wait in self._waits if question.id in wait.ids and not wait.future.done()]
        applied, detail = True, ""
        if waits:
            after = answers.answered(state, question, answer, live=True)
        elif question.urgency in answers.UNASKED:
            after = answers.unasked(state, question, answer)
            detail = "confirmed" if answers.agrees(question, answer) else "given to the agent as a correction"
        else:
            after = answers.answered(state, question, answer, live=False)
            applied, detail = answers.late_detail(state, question, answer)
        self._loose.pop(question.id, None)
        given = answers.for_agent(question, answer)
        for wait in waits:
            if wait.is_complete_with(question.id):
                after = answers.unsaid(after, wait.ids)
        written = self._memory.save(after, AnswerApplied(answer.question, applied, detail), done=done)
        for wait in waits:
            # Only what is on disk is given: after kill -9 it would be said a second time, as a message.
            wait.promise(question.id, given, written)
        self._hooks.changed()

    def close_all(self, reason: str) -> None:
        """The session ends: nobody needs to answer any more."""
        for question in self._memory.state.open:
            self._close(question.id, reason)

    def close_momentary(self, reason: str) -> None:
        """Withdraw what a restart cannot carry: permissions and plans."""
        for question in answers.lost(self._memory.state):
            self._close(question.id, reason)

    def close_unclaimed(self, reason: str) -> None:
        """An agent that outlived its runner has asked again what it still waits for: the rest is lost."""
        for question in answers.lost(self._memory.state):
            if not self._is_awaited(question.id):
                self._close(question.id, reason)

    def keep_loose(self) -> None:
        """The agent has died: what it asked outlives it."""
        self._loose.clear()

    def withdraw_loose(self) -> None:
        """The agent is alive and well: what it let go of, it does not want to know."""
        for number in tuple(self._loose):
            self._close(number, NO_LONGER)

    def next_due(self) -> datetime | None:
        return min(
            (moment for moment in (*self._loose.values(), answers.next_deadline(self._memory.state)) if moment),
            default=None,
        )

    def due(self) -> None:
        """Do what is due by now: assumptions stand, questions let go of are withdrawn."""
        now = self._time.now()
        for question in answers.expired(self._memory.state, now):
            waited = any(question.id in wait.ids for wait in self._waits)
            after = answers.went_on(self._memory.state, question, waited=waited)
            self._memory.save(after, QuestionWithdrawn(question.id, answers.withdrawn_reason(question)))
            self._tell_waits(question.id, answers.for_agent(question, None))
        for number in [number for number, moment in self._loose.items() if moment <= now]:
            self._close(number, NO_LONGER)

    def _close(self, number: QuestionId, reason: str) -> None:
        self._loose.pop(number, None)
        state = self._memory.state
        if answers.find(state, number) is not None:
            self._memory.save(answers.without(state, number), QuestionWithdrawn(number, reason))
            self._hooks.changed()
        self._tell_waits(number, Unanswered(reason))

    def _tell_waits(self, number: QuestionId, answer: Answered) -> None:
        for wait in self._waits:
            if number in wait.ids and number not in wait.got:
                wait.take(number, answer)

    # --- details -----------------------------------------------------------------------------------------------------

    def _path(self, number: QuestionId) -> Path:
        return self._kept / f"{number}.txt"

    async def _keep_details(self, inquiries: Sequence[Inquiry], ids: Sequence[QuestionId]) -> None:
        for inquiry, number in zip(inquiries, ids, strict=True):
            if wording.kept_back(inquiry, self._share):
                await asyncio.to_thread(_keep, self._path(number), inquiry.detail)


def _keep(path: Path, detail: str) -> None:
    """For whoever decides with the host before them."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(path, detail.encode("utf-8", "replace"))
    except OSError as err:
        log.warning("question.detail_not_kept", path=str(path), error=str(err))
