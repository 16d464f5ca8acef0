"""The life of one session as values and pure functions: what is on disk, and what comes after a turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bot.wire.types import Answer, Person, Question, QuestionId, QuestionKind, Review, ReviewId, RunState, SessionId
from runners.agents.base import TurnEnded

KEPT_OPEN = (QuestionKind.CHOICE, QuestionKind.TEXT)
"""Questions that outlive their agent: the answer is given as a message. Permissions and plans are asked again."""


class Told(Struct, frozen=True):
    """An answer given to the agent in the turn under way; said again should that turn be cut off."""

    title: str
    by: str
    words: str


class Settling(Struct, frozen=True):
    """A turn that has ended and whose consequence (checks, a review) is not on disk yet; taken up after a crash."""

    reason: Literal["done", "cancelled", "refused", "limit"]
    last_words: str


class State(Struct, frozen=True):
    """Everything a resumed runner must know. Written in the same transaction as the events that tell of it."""

    run: RunState = RunState.STARTING
    detail: str = ""
    agent_session: str = ""
    introduced: bool = False
    """The agent has its preamble and task."""
    inbox: tuple[str, ...] = ()
    """Messages for the agent, one turn each."""
    turn: str = ""
    """The message being worked on."""
    settling: Settling | None = None
    open: tuple[Question, ...] = ()
    told: tuple[Told, ...] = ()
    next_question: int = 1
    review: Review | None = None
    next_review: int = 1
    offered: str = ""
    """The commit of the newest review offered."""
    nudged: bool = False
    asked_to_commit: bool = False
    stopping: Person | None = None
    ended: bool = False


def encode(state: State) -> bytes:
    return msgspec.json.encode(state)


def decode(data: bytes | None) -> State:
    return State() if data is None else msgspec.json.decode(data, type=State)


def question_id(session: SessionId, number: int) -> QuestionId:
    return QuestionId(f"{session}.q{number}")


def review_id(session: SessionId, number: int) -> ReviewId:
    return ReviewId(f"{session}.r{number}")


# --- answers ---------------------------------------------------------------------------------------------------------


def find(state: State, question: QuestionId) -> Question | None:
    return next((found for found in state.open if found.id == question), None)


def without(state: State, question: QuestionId) -> State:
    return replace(state, open=tuple(found for found in state.open if found.id != question))


def answer_words(question: Question, answer: Answer) -> str:
    """What a person answered, in words for the agent."""
    label = next((option.label for option in question.options if option.id == answer.option), answer.option or "")
    return ": ".join(part for part in (label, answer.text or "") if part)


def answered(state: State, question: Question, answer: Answer, *, live: bool) -> State:
    """The question is closed. Where its agent has gone, the answer becomes a message."""
    told = Told(question.title, answer.by.name, answer_words(question, answer))
    state = without(state, question.id)
    if live:
        return replace(state, told=(*state.told, told))
    return replace(state, inbox=(*state.inbox, answer_message(told)))


def answer_message(told: Told) -> str:
    return f'You asked: "{told.title}". {told.by} answered: {told.words}'


# --- coming back -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resumed:
    state: State
    withdrawn: tuple[Question, ...]


def resumed(state: State) -> Resumed:
    """After a restart: what cannot be answered any more is withdrawn, what was cut off is taken up again."""
    lost = tuple(question for question in state.open if question.kind not in KEPT_OPEN)
    kept = tuple(question for question in state.open if question.kind in KEPT_OPEN)
    words = ["You were interrupted. Go on with your task from where you stopped."] if state.turn else []
    words += [
        f'Your request "{question.title}" was not answered; make it again if you still need it.' for question in lost
    ]
    words += ["Answers given before the interruption:" if state.told else "", *map(answer_message, state.told)]
    message = "\n".join(filter(None, words))
    state = replace(state, open=kept, turn="", told=())
    if not message or not state.introduced:
        return Resumed(state, lost)
    if kept:
        # The agent would only ask again: it goes on when the answer comes, and hears the rest then.
        return Resumed(replace(state, turn=""), lost)
    return Resumed(replace(state, inbox=(message, *state.inbox)), lost)


# --- after a turn ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Facts:
    """What git says once a turn has ended."""

    head: str
    """Empty where nothing that has a commit is checked out."""
    base_commit: str
    dirty: tuple[str, ...] = ()


@dataclass(frozen=True)
class Send:
    """Say this to the agent."""

    text: str
    why: Literal["dirty", "nudge"]


@dataclass(frozen=True)
class Offer:
    """Offer the branch's head for review."""


@dataclass(frozen=True)
class Rest:
    """The session is stopped: neither a question nor a review came of this turn."""


@dataclass(frozen=True)
class GoOn:
    """Messages or answers wait; nothing to say yet."""


Next: TypeAlias = Send | Offer | Rest | GoOn


def after_turn(state: State, ended: TurnEnded, facts: Facts) -> Next:
    """What becomes of a session whose turn has ended."""
    if state.inbox or state.open:
        return GoOn()
    if ended.reason != "done":
        return Rest()
    moved = not facts.head or facts.head not in (state.offered, facts.base_commit)
    if facts.dirty and not state.asked_to_commit:
        return Send(commit_words(facts.dirty), "dirty")
    if moved:
        return Offer()
    if state.review is None and not state.nudged:
        return Send(NUDGE, "nudge")
    return Rest()


NUDGE = (
    "Your turn ended with neither a question nor a commit to review. If you need something from a person, ask it as a "
    "question with your question tool, not in prose. If the work is done, commit it so that it can be reviewed. "
    "If there is nothing left to do, say so in one sentence."
)


def commit_words(dirty: Sequence[str], most: int = 20) -> str:
    listed = "\n".join(f"- {path}" for path in dirty[:most])
    more = f"\n- and {len(dirty) - most} more" if len(dirty) > most else ""
    return f"This is not on your branch. Commit what belongs to the task and discard the rest:\n{listed}{more}"


def preamble(
    task: str, *, branch: str, base: str, scope: Sequence[str], ports: tuple[int, int] | None, notes: Sequence[str]
) -> str:
    """The first message: the rules of the house, then the task as it was given."""
    lines = [
        f"You work in a git worktree of your own, on branch {branch}, made from {base}. Stay in it and on this branch.",
        "Commit your work in small commits with clear messages; do not push and do not merge.",
        "When you need a person, ask with your question tool, not in prose; the answer comes back to you.",
        "When the task is done and committed, end your turn with a short summary: a person then reviews the branch.",
    ]
    if scope:
        lines.append(f"Allowed paths: {', '.join(scope)}")
    if ports:
        lines.append(f"Ports {ports[0]} to {ports[1]} are yours (SWITCHBOARD_PORT_FIRST, SWITCHBOARD_PORT_LAST).")
    return "\n".join([*lines, *notes, "", "Task:", task])
