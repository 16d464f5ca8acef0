"""Drives one agent: turns in order, rests between them, failures. Knows the agent only by its port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_never

import structlog
from msgspec.structs import replace

from bot.wire.messages import AnswerApplied, Asked, ContextReset, PromptDropped, QuestionWithdrawn, SessionChanged
from bot.wire.types import Answer, Ending, Person, PromptId, RunState
from runners.agents.base import Agent, Cleared, TurnEnded
from runners.clock import Time, rung
from runners.errors import AgentDied, AgentError, RunnerError
from runners.runner import budget, follow_ups, lifecycle, progress, session
from runners.runner.aftermath import Aftermath
from runners.runner.ending import Over
from runners.runner.introducing import composed
from runners.runner.memory import Memory
from runners.runner.questions import Hooks, QuestionDesk
from runners.runner.reporting import Reporter
from runners.runner.seat import OpenAgent, Seat
from runners.runner.session import Message
from runners.runner.ticket import Ticket
from runners.runner.turn_ends import TurnEnds

log = structlog.get_logger()

TURN_GRACE = 5.0
"""Seconds an agent has to end its turn when it is asked to."""
STEER_WITHIN = 10.0
"""Seconds that an agent has, once its turn has ended, to say whether it heard what was said within it."""
ASKED_ANEW = timedelta(seconds=1)
"""An agent that outlived its runner has so long to ask again what it still waits for."""
OWN_TURN = "(a turn that the agent began by itself)"


class Driver:
    """One per runner. ``jobs`` are its long-lived tasks; all else may be called from any other.

    ``over`` is called when the session has come to its end from this side.
    """

    def __init__(
        self,
        folder: Path,
        ticket: Ticket,
        memory: Memory,
        open_agent: OpenAgent,
        time: Time,
        over: Callable[[Over], None],
    ) -> None:
        self._ticket = ticket
        self._memory = memory
        self._time = time
        self._over = over
        self.reporter = Reporter(ticket, memory, time.now, self._look_at_budget)
        hooks = Hooks(
            take_note=self.reporter.take_note,
            tell_progress=self.reporter.tell,
            stirred=self._stir,
            gone=lambda reason: over(Over(Ending.DETACHED, last_words=progress.last_words(reason))),
            changed=self.wake,
            decided=self._budget_decided,
        )
        self.desk = QuestionDesk(memory, hooks, ticket.place.share, folder / "asked", time)
        self.seat = Seat(folder, ticket, memory, open_agent, self.desk)
        aftermath = Aftermath(folder, ticket, memory, self.reporter)
        self._ends = TurnEnds(memory, self.desk, self.seat, self.reporter, aftermath, time)
        self._wake = asyncio.Event()
        self._deadline = asyncio.Event()
        self._aside = asyncio.Event()
        self._cut = asyncio.Event()
        self._turn_over = asyncio.Event()
        self.handing = asyncio.Lock()
        """Held while a message is on its way to the agent: none goes there twice."""
        self._telling: Message | None = None
        self.steer_within = STEER_WITHIN
        self._stirred = False
        self._in_turn = False
        self.busy = False
        """A turn, or the checks after it, is under way."""
        self.grace = TURN_GRACE
        self.closing = False
        """Set when the session ends: the turn under way is the last."""

    def jobs(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "turns": self.turns(),
            "reports": self.reporter.reports(),
            "deadlines": self._deadlines(),
            "asides": self._asides(),
            "cuts": self._cuts(),
        }

    def wake(self) -> None:
        """There is a message, a deadline, or a reason to try again."""
        for bell in (self._wake, self._deadline, self._aside):
            bell.set()

    # --- turns -------------------------------------------------------------------------------------------------------

    async def turns(self) -> None:
        """Work off the messages, one turn each, for as long as the session lives."""
        await self._come_back()
        await self._guarded(self._ends.settle)
        while not self.closing:
            self._wake.clear()
            state = self._memory.state
            if self._stirred and self.seat.agent is not None and not lifecycle.must_rest(state):
                await self._guarded(self._own_turn)
                continue
            if state.run is RunState.STARTING and self.seat.agent is None and not self.seat.prompts:
                await self._guarded(self._join)  # a session in a terminal, taken up after a failure
                continue
            match lifecycle.next_step(state, self._time.now(), prompts=self.seat.prompts):
                case lifecycle.Idle(until):
                    await self._rest()
                    await rung(self._wake, self._time, until)
                case lifecycle.ClearContext():
                    await self._guarded(self._reset)
                case lifecycle.Work():
                    await self._guarded(self._turn)
                case unknown:
                    assert_never(unknown)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        self.busy = True
        try:
            await work()
        except (RunnerError, OSError) as err:
            await self._failed(err)
        finally:
            self.busy = False

    async def _come_back(self) -> None:
        if await self.seat.is_taken():
            await self._guarded(self._join)
            return
        self._take_up_again()

    def _take_up_again(self) -> None:
        """The session begins, or goes on with an agent that knows nothing of what went on."""
        state = self._memory.state
        if not state.introduced:
            if not state.inbox:
                self._memory.save(replace(state, inbox=(Message(""),)), SessionChanged(RunState.STARTING))
            return
        back = lifecycle.resumed(state)
        lost = f"the session was restarted; {lifecycle.ASKS_AGAIN}"
        withdrawn = (QuestionWithdrawn(question.id, lost) for question in back.withdrawn)
        self._memory.save(back.state, *withdrawn, *lifecycle.told(back.state))

    async def _join(self) -> None:
        """The agent outlived the last runner: nothing is said to it that it need not hear."""
        _, info = await self.seat.ready()
        if not info.held:
            self._take_up_again()
            return
        await self._time.until(self._time.now() + ASKED_ANEW)
        self.desk.close_unclaimed(f"the session was restarted; {lifecycle.ASKS_AGAIN}")
        state = self._memory.state
        if info.busy:
            await self._own_turn()
        elif state.turn and info.keeps_ends and not self._stirred:
            state = lifecycle.never_heard(state)
            self._memory.save(state, *lifecycle.told(state))
        elif state.turn:
            await self._ended(TurnEnded("done"))
        elif self.seat.prompts and not self.seat.in_terminal and not state.introduced:
            self._take_up_again()  # it was started, and told nothing yet
        else:
            run = RunState.STOPPED if state.run is RunState.STARTING else state.run
            state = replace(state, introduced=True, run=run)
            self._memory.save(state, *lifecycle.told(state))

    async def _turn(self) -> None:
        agent, info = await self.seat.ready()
        async with self.handing:
            state = self._memory.state
            messages = follow_ups.next_messages(state)
            if not messages or not isinstance(lifecycle.next_step(state, self._time.now()), lifecycle.Work):
                return
            text = composed(self._ticket, info, state, messages, can_ask=self.seat.door is not None)
            told = () if state.run is RunState.WORKING else (SessionChanged(RunState.WORKING),)
            given = follow_ups.given(state, messages)
            said = "\n".join(message.text for message in messages if message.by)
            answering = tuple(message.question for message in messages if message.question)
            begun = replace(given.state, turn=text, said=said, answering=answering, introduced=True, cleared=False)
            await self._memory.save(
                replace(begun, run=RunState.WORKING, detail="", retry_at=None), *told, *given.events
            )
        await self._ended(await self._until_over(agent.prompt(text)))

    async def _own_turn(self) -> None:
        """One that the agent has begun by itself, or in an earlier life of this runner."""
        agent, _ = await self.seat.ready()
        state = self._memory.state
        told = () if state.run is RunState.WORKING else (SessionChanged(RunState.WORKING),)
        working = replace(state, turn=state.turn or OWN_TURN, introduced=True, run=RunState.WORKING, detail="")
        await self._memory.save(working, *told)
        await self._ended(await self._until_over(agent.rejoin()))

    async def _until_over(self, turn: Awaitable[TurnEnded]) -> TurnEnded:
        self.reporter.begin_turn()
        self.desk.hold = self._stirred = False
        self._turn_over.clear()
        self._in_turn = True
        self._aside.set()
        if lifecycle.must_rest(self._memory.state):
            self._cut.set()
        try:
            return await turn
        finally:
            self._in_turn = False
            self._turn_over.set()

    async def _ended(self, ended: TurnEnded) -> None:
        log.info("turn.ended", reason=ended.reason)
        if not self.closing:
            await self._ends.ended(ended)

    async def _failed(self, err: RunnerError | OSError) -> None:
        log.warning("agent.failed", error=str(err))
        await self._ends.agent_lost()
        if not self.closing:
            self._ends.failed(err)

    # --- rests -------------------------------------------------------------------------------------------------------

    def pause(self, by: Person, done: int) -> None:
        state = self._memory.state
        if not self.seat.prompts:
            words = "it runs in somebody's terminal: it is paused there"
            self._memory.save(state, SessionChanged(state.run, words), done=done)
            return
        self._memory.save(replace(state, paused_by=state.paused_by or by), done=done)
        self._cut.set()

    async def _rest(self) -> None:
        """Nothing is to be done: a paused agent that can be resumed gives its memory back."""
        state = self._memory.state
        if state.paused_by is None:
            return
        if self.seat.can_resume:
            await self.seat.close()
            self.reporter.agent_gone()
        if state.run is not RunState.PAUSED:
            paused = lifecycle.paused(self._memory.state)
            self._memory.save(paused, SessionChanged(paused.run, paused.detail))

    def _look_at_budget(self) -> None:
        state, most = self._memory.state, self._ticket.spec.budget
        if (
            most is None
            or not self.seat.prompts
            or state.budget_question
            or self.closing
            or not budget.is_spent(state, most)
        ):
            return
        number = session.question_id(self._memory.session_id, state.next_question)
        question = budget.question(state, number, most)
        self.reporter.tell()
        self._memory.save(budget.asked(state, question), Asked(question))
        self._cut.set()

    def _budget_decided(self, answer: Answer, done: int) -> None:
        state = budget.decided(self._memory.state, answer)
        stops = answer.option == budget.STOP
        state = replace(state, stopping=answer.by) if stops else state
        self._memory.save(state, AnswerApplied(answer.question, applied=True), done=done)
        if stops:
            self._over(Over(Ending.STOPPED))
        self.wake()

    async def _cuts(self) -> None:
        """End the turn under way when the session is to rest, by force where the agent does not."""
        while True:
            await self._cut.wait()
            self._cut.clear()
            agent = self.seat.agent
            if agent is None or not self._in_turn or not lifecycle.must_rest(self._memory.state):
                continue
            self.desk.hold = True
            self.desk.close_momentary(f"its turn is ended; {lifecycle.ASKS_AGAIN}")
            try:
                async with asyncio.timeout(self.grace):
                    await agent.cancel()
                    await self._turn_over.wait()
            except (TimeoutError, RunnerError) as err:
                log.warning("agent.cancel_failed", error=str(err))
                if self.seat.prompts:
                    await agent.close()

    async def _reset(self) -> None:
        cleared, problem = Cleared(""), ""
        try:
            cleared = await self._cleared()
        except AgentError as err:
            problem = progress.last_words(str(err))
        state = replace(self._memory.state, resetting=None)
        if not problem:
            state = replace(state, agent_session=cleared.session, cleared=state.introduced)
        self._memory.save(state, ContextReset(cleared.survived, cleared.lost, problem))

    async def _cleared(self) -> Cleared:
        """An agent that cannot, or that dies of it, makes room for a new one."""
        agent = self.seat.agent
        if agent is not None and (self.seat.can_reset or not self.seat.prompts):
            try:
                return await agent.reset()
            except AgentDied as err:
                log.warning("agent.reset_failed", error=str(err))
        lost = self.reporter.tally.background
        await self.seat.close()
        self.reporter.agent_gone()
        return Cleared("", lost=lost)

    # --- beside the turns --------------------------------------------------------------------------------------------

    def _stir(self) -> None:
        self._stirred = True
        self._wake.set()

    async def _deadlines(self) -> None:
        while True:
            self._deadline.clear()
            self.desk.due()
            await rung(self._deadline, self._time, self.desk.next_due())

    async def _asides(self) -> None:
        """Say within the turn under way what is meant for it, as far as the agent can hear it there."""
        while True:
            self._aside.clear()
            while self._in_turn and await self._steered():
                pass
            await self._aside.wait()

    async def _steered(self) -> bool:
        async with self.handing:
            agent = self.seat.agent
            message = follow_ups.to_steer(self._memory.state, everything=not self.seat.prompts)
            if message is None or agent is None or not self._in_turn:
                return False
            self._telling = message
            try:
                heard = await self._said_within(agent, message.text) if self.seat.can_steer else False
            finally:
                self._telling = None
            state = self._memory.state
            if heard is None and message.prompt:
                # Said again it might be heard twice; whoever said it can judge that.
                given = follow_ups.given(state, (message,))
                self._memory.save(given.state, PromptDropped(message.prompt, follow_ups.UNSURE))
                return True
            if not heard:
                self._memory.save(follow_ups.not_hurried(state, message))
                return self.seat.prompts
            given = follow_ups.given(state, (message,), steered=True)
            self._memory.save(given.state, *given.events)
            return True

    async def _said_within(self, agent: Agent, text: str) -> bool | None:
        """Whether the agent heard it; None: it did not say, and its turn is over."""
        saying = asyncio.create_task(agent.steer(text), name="agent.steer")
        over = asyncio.create_task(self._turn_over.wait(), name="agent.steer.over")
        try:
            await asyncio.wait({saying, over}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({saying}, timeout=self.steer_within)
            return saying.result() if saying.done() else None
        except (TimeoutError, RunnerError) as err:
            log.info("agent.not_steered", error=str(err))
            return None if isinstance(err, TimeoutError) else False
        finally:
            saying.cancel()
            over.cancel()

    async def is_on_its_way(self, prompt: PromptId) -> bool:
        """Whether the agent is just being told this. What is known of it soon is waited for."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.steer_within), self.handing:
                pass
        return self._telling is not None and self._telling.prompt == prompt

    # --- ending ------------------------------------------------------------------------------------------------------

    async def cancel_turn(self) -> None:
        if self.seat.agent is not None:
            try:
                async with asyncio.timeout(self.grace):
                    await self.seat.agent.cancel()
            except (TimeoutError, RunnerError) as err:
                log.info("agent.cancel_failed", error=str(err))
