"""The life of one session as values and pure functions: what is on disk, and what comes after a turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
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


class Late(Struct, frozen=True):
    """An answer that became a message, because its agent had gone; of no use once that message is taken."""

    question: Question
    answer: Answer
    message: str


class Settling(Struct, frozen=True):
    """A turn that has ended and whose consequence (checks, a review) is not on disk yet; taken up after a crash."""

    reason: Literal["done", "cancelled", "refused", "limit", "asleep", "failed"]
    last_words: str
    until: datetime | None = None
    detail: str = ""


class State(Struct, frozen=True):
    """Everything a resumed runner must know. Written in the same transaction as the events that tell of it."""

    run: RunState = RunState.STARTING
    detail: str = ""
    agent_session: str = ""
    introduced: bool = False
    """The agent has its preamble and task."""
    inbox: tuple[str, ...] = ()
    """Messages for the agent, one turn each."""
    waiting: tuple[str, ...] = ()
    """Messages from before a restart, held back until the questions that outlived it are closed."""
    late: tuple[Late, ...] = ()
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
    state = replace(state, open=tuple(found for found in state.open if found.id != question))
    return state if state.open else _released(state)


def _released(state: State) -> State:
    return replace(state, inbox=(*state.inbox, *state.waiting), waiting=())


def prompted(state: State, text: str) -> State:
    """A person wants to be heard now, whatever is open: nothing is held back any longer."""
    state = _released(state)
    return replace(state, inbox=(*state.inbox, text))


def said_with_open(state: State, message: str) -> str:
    """The message about to be given, with word of the questions that outlived the agent's process."""
    titles = [f'"{question.title}"' for question in state.open]
    if not titles or any(message == late.message for late in state.late):
        return message
    return f"{message}\n\n(Still open with the people here, no need to ask anew: {', '.join(titles)}.)"


def same(questions: Iterable[Question], asked: Question) -> Question | None:
    """The one of ``questions`` that is asked here again."""
    return next(
        (
            known
            for known in questions
            if (known.kind, known.title, known.options) == (asked.kind, asked.title, asked.options)
        ),
        None,
    )


def answer_words(question: Question, answer: Answer) -> str:
    """What a person answered, in words for the agent."""
    label = next((option.label for option in question.options if option.id == answer.option), answer.option or "")
    return ": ".join(part for part in (label, answer.text or "") if part)


def answered(state: State, question: Question, answer: Answer, *, live: bool) -> State:
    """The question is closed. Where its agent has gone, the answer becomes a message."""
    told = Told(question.title, answer.by.name, answer_words(question, answer))
    if live:
        return without(replace(state, told=(*state.told, told)), question.id)
    late = Late(question, answer, answer_message(told))
    kept = tuple(other for other in state.late if other.message in state.inbox)
    # Ahead of what waited for it: told something else first, the agent would only ask again.
    return without(replace(state, inbox=(*state.inbox, late.message), late=(*kept, late)), question.id)


def answered_already(state: State, asked: Question) -> tuple[Answer, State] | None:
    """The answer to this very question, if it waits as a message; and the state in which it has been given."""
    late = {late.question.id: late for late in state.late if late.message in state.inbox}
    known = same((each.question for each in late.values()), asked)
    if known is None:
        return None
    found = late[known.id]
    at = state.inbox.index(found.message)
    told = Told(known.title, found.answer.by.name, answer_words(known, found.answer))
    return found.answer, replace(
        state,
        inbox=(*state.inbox[:at], *state.inbox[at + 1 :]),
        late=tuple(each for each in state.late if each is not found),
        told=(*state.told, told),
    )


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
    if not state.introduced or not (message or kept):
        return Resumed(state, lost)
    if kept:
        # The agent would only ask again: it goes on when the answer comes.
        return Resumed(_held(state), lost)
    return Resumed(replace(state, inbox=(message, *state.inbox)), lost)


def _held(state: State) -> State:
    answers = {late.message for late in state.late}
    return replace(
        state,
        inbox=tuple(message for message in state.inbox if message in answers),
        waiting=(*state.waiting, *(message for message in state.inbox if message not in answers)),
    )


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


def sent_back_words(text: str) -> str:
    return f"Your change was looked at and sent back:\n{text}\nWork this in and commit it."


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
