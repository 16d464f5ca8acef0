"""When a session works and when it rests: restarts, crashes, limits, pauses and what ends each of them. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec.structs import replace

from bot.wire.messages import SessionChanged
from bot.wire.types import Question, RunState, SessionId
from runners.runner import answers, follow_ups
from runners.runner.session import Limited, Message, State

DEAD_AGENT = (2.0, 10.0)
"""Seconds until an agent that died is started again; as often in a row as there are entries."""
FAILED_TURN = (15.0, 60.0)
"""The same for a turn that the model service failed."""
UNKNOWN_RESET = (5, 10, 20, 40, 60)
"""Minutes until a limit of unknown end is tried again."""
JITTER = 30
"""Sessions of one account are let go at the same moment: each waits its own few seconds more."""
SOMEBODY = "somebody here"
GO_ON = "Go on with your task from where you stopped."
ASKS_AGAIN = "the agent asks again if it still needs this"

AT_REST = (RunState.FAILED, RunState.LIMITED, RunState.PAUSED)
"""States that neither a shutdown nor a restart changes: nobody hears of them again."""

# --- what comes next -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Idle:
    """Nothing to do until somebody says something, or ``until`` that moment."""

    until: datetime | None = None


@dataclass(frozen=True)
class ClearContext:
    """Between two turns, before the next."""


@dataclass(frozen=True)
class Work:
    """A message waits, and nothing is in its way."""


Step: TypeAlias = Idle | ClearContext | Work


def next_step(state: State, now: datetime, *, prompts: bool = True) -> Step:
    """What the session does now. ``prompts``: whether its agent takes messages while it is idle."""
    if state.resetting is not None:
        return ClearContext()
    if must_rest(state):
        return Idle()
    if state.run is RunState.FAILED:
        return Idle()
    if state.limited is not None and (not state.wakes or state.limited.wake is None or state.limited.wake > now):
        return Idle(state.limited.wake if state.wakes else None)
    if state.retry_at is not None and state.retry_at > now:
        return Idle(state.retry_at)
    return Work() if prompts and follow_ups.next_messages(state) else Idle()


# --- coming back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resumed:
    state: State
    withdrawn: tuple[Question, ...]


def resumed(state: State, why: str = "You were interrupted.") -> Resumed:
    """Its agent is gone: what cannot be answered any more is withdrawn, what was cut off is taken up again."""
    lost = answers.lost(state)
    held = bool(answers.awaited(replace(state, open=tuple(each for each in state.open if each not in lost))))
    words = [go_on(state, why)] if state.turn else []
    words += [
        f'Your request "{question.title}" was not answered; make it again if you still need it.' for question in lost
    ]
    words += ["Answers given before the interruption:" if state.told else "", *map(answers.message_words, state.told)]
    message = "\n".join(filter(None, words))
    for question in lost:
        state = answers.without(state, question.id)
    state = answers.turn_over(answers.cut_off(state))
    if not state.introduced or not (message or held):
        return Resumed(state, lost)
    if held:
        # The agent would only ask again: it goes on when the answer comes.
        return Resumed(_held(state), lost)
    return Resumed(follow_ups.first(state, Message(message)), lost)


def never_heard(state: State) -> State:
    """What its turn was to be about never left the last runner: it is said again as it was."""
    message = Message(state.turn, by=SOMEBODY if state.said else "")
    return follow_ups.first(answers.turn_over(state), message)


def go_on(state: State, why: str) -> str:
    """The agent may never have read what its turn was about: a person's words are said again."""
    return "\n".join([f"{why} {GO_ON}", *([f"This is what you were told before:\n{state.said}"] if state.said else [])])


def _held(state: State) -> State:
    mine = tuple(message for message in state.inbox if message.question)
    rest = tuple(message for message in state.inbox if not message.question)
    return replace(state, inbox=mine, waiting=(*state.waiting, *rest))


def revived(state: State) -> State:
    """A person wants it to work: what it failed at is tried anew, and counts no longer."""
    if state.run is not RunState.FAILED:
        return state
    return replace(state, run=RunState.STARTING, detail="", strikes=0, retry_at=None)


# --- crashes ---------------------------------------------------------------------------------------------------------


def struck(state: State, now: datetime, waits: tuple[float, ...]) -> State | None:
    """It went wrong once more in a row: when it is tried again; None when that has been often enough."""
    if state.strikes >= len(waits):
        return None
    return replace(state, strikes=state.strikes + 1, retry_at=now + timedelta(seconds=waits[state.strikes]))


def again(state: State, waits: tuple[float, ...]) -> str:
    return f"it goes on by itself, try {state.strikes} of {len(waits)}"


# --- limits ----------------------------------------------------------------------------------------------------------


def asleep(state: State, session: SessionId, now: datetime, until: datetime | None, detail: str) -> State:
    """A usage or rate limit has stopped the turn: it waits for the limit's end, or tries again ever more seldom."""
    tried = state.limited.tried + 1 if state.limited is not None else 1
    wait = timedelta(minutes=UNKNOWN_RESET[min(tried, len(UNKNOWN_RESET)) - 1])
    own = timedelta(seconds=2 + zlib.crc32(session.encode()) % JITTER)
    # A reset that has passed already, and still no work done: its word is not worth much.
    wake = until + own if until is not None and until > now else now + wait
    message = Message(go_on(state, "The limit that stopped you is lifted."))
    state = answers.turn_over(replace(state, strikes=0, retry_at=None))
    state = replace(state, run=RunState.LIMITED, detail=detail, limited=Limited(until, wake, tried, detail))
    return follow_ups.first(state, message)


def limit_told(state: State, last_words: str = "") -> SessionChanged:
    """What people hear of it."""
    until = state.limited.until if state.limited else None
    return SessionChanged(RunState.LIMITED, state.detail, last_words, until=until, wakes=state.wakes)


def told(state: State) -> tuple[SessionChanged, ...]:
    """Where the session stands, said again after a restart; a rest that went on all the while is no news."""
    return () if state.run in AT_REST else (SessionChanged(state.run, detail=state.detail),)


# --- by a person -----------------------------------------------------------------------------------------------------


def must_rest(state: State) -> bool:
    """A turn under way is to be ended: somebody paused the session, or its money is spent."""
    return state.paused_by is not None or bool(state.budget_question)


def paused(state: State) -> State:
    by = state.paused_by.name if state.paused_by else "nobody"
    return replace(state, run=RunState.PAUSED, detail=f"paused by {by}")


def taken_up(state: State, *, prompts: bool = True) -> State:
    """Resumed by a person, whatever it rested for. A session that works or waits for an answer stays as it is."""
    was_paused = state.paused_by is not None
    if not was_paused and state.run not in (RunState.FAILED, RunState.LIMITED):
        return state
    state = replace(state, paused_by=None, limited=None, run=RunState.STARTING, detail="")
    state = replace(state, strikes=0, retry_at=None)
    if follow_ups.next_messages(state) or answers.awaited(state) or not state.introduced or not prompts:
        return state
    if was_paused:
        return replace(state, run=RunState.STOPPED)  # nothing of it was cut off
    return replace(state, inbox=(Message(GO_ON),))
