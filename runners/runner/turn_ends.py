"""What becomes of a session when a turn ends, well or badly: settled, asleep, tried again, failed."""

from __future__ import annotations

from msgspec.structs import replace

from bot.wire.messages import QuestionWithdrawn, SessionChanged
from bot.wire.types import RunState
from runners.agents.base import TurnEnded
from runners.clock import Time
from runners.errors import AgentConfused, AgentDied, RunnerError, in_words
from runners.repo import reviewing
from runners.runner import answers, follow_ups, lifecycle, progress
from runners.runner.aftermath import Aftermath
from runners.runner.memory import Memory
from runners.runner.questions import QuestionDesk
from runners.runner.reporting import Reporter
from runners.runner.seat import Seat
from runners.runner.session import Message, Settling, State


class TurnEnds:
    """Called by the driver alone, between two turns."""

    def __init__(
        self, memory: Memory, desk: QuestionDesk, seat: Seat, reporter: Reporter, aftermath: Aftermath, time: Time
    ) -> None:
        self._memory = memory
        self._desk = desk
        self._seat = seat
        self._reporter = reporter
        self._aftermath = aftermath
        self._time = time

    async def ended(self, ended: TurnEnded) -> None:
        state = self._memory.state
        self._reporter.turn_ended()
        if ended.reason == "asleep":
            self._desk.keep_loose()
            self._fall_asleep(ended)
        elif ended.reason == "failed":
            self._desk.keep_loose()
            self._turn_failed(ended)
        elif ended.reason == "cancelled" and lifecycle.must_rest(state):
            self._desk.keep_loose()
            self._cut_off(ended)
        else:
            self._desk.withdraw_loose()
            settling = Settling(ended.reason, progress.last_words(ended.last_words, reviewing.SUMMARY))
            state = answers.turn_over(replace(self._taken(ended), strikes=0, retry_at=None, limited=None))
            self._memory.save(replace(state, settling=settling))
            await self.settle()

    def _taken(self, ended: TurnEnded) -> State:
        """The state that is saved with this end's consequence: no later runner draws it again."""
        state = self._memory.state
        return replace(state, taken=ended.mark) if ended.mark else state

    async def settle(self) -> None:
        self._aftermath.prompts = self._seat.prompts and not self._seat.in_terminal
        await self._aftermath.settle()

    def _fall_asleep(self, ended: TurnEnded) -> None:
        detail = progress.last_words(ended.detail or "a usage limit of the agent's account", progress.TROUBLE)
        state = lifecycle.asleep(self._taken(ended), self._memory.session_id, self._time.now(), ended.until, detail)
        self._memory.save(state, lifecycle.limit_told(state, progress.last_words(ended.last_words)))

    def _turn_failed(self, ended: TurnEnded) -> None:
        """The model service's doing: the agent is well, and is sent on a few times."""
        words = progress.last_words(ended.detail or "its model service failed", progress.TROUBLE)
        message = Message(lifecycle.go_on(self._memory.state, f"Your turn broke off: {words}."))
        state = follow_ups.first(answers.turn_over(self._taken(ended)), message)
        again = lifecycle.struck(state, self._time.now(), lifecycle.FAILED_TURN)
        if again is not None:
            self._memory.save(again)
            self._reporter.in_trouble(f"{words}; {lifecycle.again(again, lifecycle.FAILED_TURN)}")
            self._reporter.tell()
            return
        said = progress.last_words(ended.last_words)
        self._memory.save(
            replace(state, run=RunState.FAILED, detail=words), SessionChanged(RunState.FAILED, words, said)
        )

    def _cut_off(self, ended: TurnEnded) -> None:
        """The turn was ended because the session rests: what it was about is taken up again after that."""
        back = lifecycle.resumed(self._taken(ended))
        why = f"its turn was ended; {lifecycle.ASKS_AGAIN}"
        self._memory.save(back.state, *(QuestionWithdrawn(question.id, why) for question in back.withdrawn))

    async def agent_lost(self) -> None:
        """Its process is gone or of no use: what it asked and can be answered as a message stays open."""
        self._desk.keep_loose()
        self._desk.hold = True  # until the next turn: closing the agent cuts off its calls
        self._desk.close_momentary(f"the agent's process has ended; {lifecycle.ASKS_AGAIN}")
        await self._seat.close()
        self._reporter.agent_gone()
        await self._reporter.report()  # ahead of the news, as before a question

    def failed(self, err: RunnerError | OSError) -> None:
        """Started again by itself where that may help, at most so often in a row; else a person decides."""
        state = lifecycle.resumed(self._memory.state).state
        if lifecycle.must_rest(state):
            self._memory.save(state)
            return
        died = err if isinstance(err, AgentDied) else None
        detail = progress.last_words(in_words(err))
        words = progress.last_words((died.last_words if died else "") or self._reporter.tally.said)
        was_up = bool(state.agent_session) and isinstance(err, AgentDied | AgentConfused) and self._seat.prompts
        again = lifecycle.struck(state, self._time.now(), lifecycle.DEAD_AGENT) if was_up else None
        if again is not None:
            detail = f"{detail} ({lifecycle.again(again, lifecycle.DEAD_AGENT)})"
            told = SessionChanged(RunState.STARTING, detail, words)
            self._memory.save(replace(again, run=RunState.STARTING, detail=detail), told)
            return
        self._memory.save(
            replace(state, run=RunState.FAILED, detail=detail),
            SessionChanged(RunState.FAILED, detail, words, exit_status=died.exit_status if died else None),
        )
