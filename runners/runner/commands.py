"""What people tell a session: each command once, in order, and none of them can end the runner by failing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import assert_never

import structlog
from msgspec.structs import replace

from bot.wire import codec
from bot.wire.messages import (
    AnswerApplied,
    CommandBody,
    ContextReset,
    DeliverAnswer,
    EventBody,
    MergeRefused,
    MergeReview,
    PauseSession,
    Prompt,
    PromptDropped,
    PromptGiven,
    RefuseAttach,
    ReportNow,
    ResetContext,
    ResumeSession,
    SendBack,
    SessionChanged,
    StartSession,
    SteerPrompt,
    StopSession,
    WakeAtReset,
    WithdrawPrompt,
)
from bot.wire.types import Ending, Person, RunState
from runners.link.spool import Spool, Waiting
from runners.runner import follow_ups, lifecycle, outcome, ticket, verdicts
from runners.runner.driver import Driver
from runners.runner.ending import Over
from runners.runner.memory import Memory
from runners.runner.session import Message
from runners.runner.ticket import Ticket

log = structlog.get_logger()


class Commands:
    """``run`` is a long-lived task; ``arrived`` rings when there may be a new command."""

    def __init__(
        self,
        folder: Path,
        paper: Ticket,
        spool: Spool,
        memory: Memory,
        driver: Driver,
        arrived: asyncio.Event,
        over: Callable[[Over], None],
    ) -> None:
        self._folder = folder
        self._ticket = paper
        self._spool = spool
        self._memory = memory
        self._driver = driver
        self._arrived = arrived
        self._over = over

    async def run(self) -> None:
        while True:
            self._arrived.clear()
            if (asked := await asyncio.to_thread(ticket.stop_asked, self._folder)) is not None:
                self._stop(asked.by, None)
            for waiting in await self._spool.waiting():
                try:
                    await self._do(waiting)
                except Exception as err:
                    # One command's boundary: it must not come again at every start and end the runner each time.
                    log.exception("command.failed", id=waiting.id, type=waiting.type)
                    self._memory.save(self._memory.state, *_refusal(waiting, err), done=waiting.id)
            await self._arrived.wait()

    async def _do(self, waiting: Waiting) -> None:
        body = codec.command_body(waiting.type, waiting.body)
        log.info("command", id=waiting.id, type=waiting.type)
        match body:
            case DeliverAnswer(answer):
                self._answered()
                self._driver.desk.answer(answer, waiting.id)
            case MergeReview():
                busy = self._driver.busy
                over = await verdicts.merge(body, self._folder, self._ticket, self._memory, busy=busy, done=waiting.id)
                if over is not None:
                    self._over(over)
            case StopSession():
                self._stop(body.by, waiting.id)
            case PauseSession(by):
                self._driver.pause(by, waiting.id)
            case WithdrawPrompt(prompt):
                if await self._driver.is_on_its_way(prompt):
                    self._memory.save(self._memory.state, PromptGiven(prompt), done=waiting.id)
                else:
                    self._noted(body, waiting.id)
            case ReportNow():
                await self._driver.reporter.report(always=True)
                self._memory.save(self._memory.state, done=waiting.id)
            case _:
                self._noted(body, waiting.id)
        self._driver.wake()

    def _noted(
        self,
        body: Prompt
        | SteerPrompt
        | WithdrawPrompt
        | SendBack
        | ResumeSession
        | ResetContext
        | WakeAtReset
        | StartSession
        | RefuseAttach,
        done: int,
    ) -> None:
        """Commands that only change what is on disk: the driver acts on it."""
        state = self._memory.state
        match body:
            case Prompt(text, by, prompt, now):
                message = Message(text, prompt, by.name, now=now)
                self._memory.save(follow_ups.prompted(lifecycle.revived(state), message), done=done)
            case SteerPrompt(prompt):
                self._memory.save(follow_ups.hurried(state, prompt), done=done)
            case WithdrawPrompt(prompt):
                after, event = follow_ups.withdrawn(state, prompt)
                self._memory.save(after, event, done=done)
            case SendBack(review, text):
                current = None if state.review and state.review.id == review else state.review
                message = Message(outcome.sent_back_words(text), by=body.by.name)
                state = lifecycle.revived(replace(state, review=current))
                self._memory.save(follow_ups.prompted(state, message), done=done)
            case ResumeSession():
                after = lifecycle.taken_up(state, prompts=self._driver.seat.prompts)
                told = () if after is state else (SessionChanged(after.run, detail=f"resumed by {body.by.name}"),)
                self._memory.save(after, *told, done=done)
            case ResetContext(by):
                self._memory.save(replace(state, resetting=by), done=done)
            case WakeAtReset(on):
                after = replace(state, wakes=on)
                told = (lifecycle.limit_told(after),) if state.run is RunState.LIMITED else ()
                self._memory.save(after, *told, done=done)
            case StartSession() | RefuseAttach():
                self._memory.save(state, done=done)  # a host's to do; refused by nobody, wanted by nobody
            case _:
                assert_never(body)

    def _answered(self) -> None:
        """An answer is a word of a person's as well: what failed is tried again with it."""
        state = self._memory.state
        if state.run is RunState.FAILED:
            self._memory.save(lifecycle.revived(state))

    def _stop(self, by: Person, done: int | None) -> None:
        self._memory.save(replace(self._memory.state, stopping=by), done=done)
        self._over(Over(Ending.STOPPED))


def _refusal(waiting: Waiting, err: Exception) -> tuple[EventBody, ...]:
    """What the person who waits for this command hears of its failure."""
    words = f"{type(err).__name__}: {err}"
    body: CommandBody = codec.command_body(waiting.type, waiting.body)
    match body:
        case MergeReview(review):
            return (
                MergeRefused(
                    review, f"The merge broke off: {words}.", "Press Merge again; the runner's log says more."
                ),
            )
        case DeliverAnswer(answer):
            return (AnswerApplied(answer.question, applied=False, detail=f"it could not be given: {words}"),)
        case Prompt(id=prompt) if prompt:
            return (PromptDropped(prompt, f"it could not be taken: {words}"),)
        case ResetContext():
            return (ContextReset(problem=words),)
    return ()
