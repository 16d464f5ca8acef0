"""One session as it is on disk: values, and how older runners wrote them. What is done with them is elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from bot.wire.types import (
    Answer,
    Person,
    PromptId,
    Question,
    QuestionId,
    QuestionKind,
    Review,
    ReviewId,
    RunState,
    SessionId,
)
from runners.runner.usage import Usage

KEPT_OPEN = (QuestionKind.CHOICE, QuestionKind.TEXT)
"""Questions that outlive their agent: the answer is given as a message. Permissions and plans are asked again."""


class Message(Struct, frozen=True):
    """Something for the agent, in its own turn or within one."""

    text: str
    prompt: PromptId = PromptId("")
    """The person's follow-up that it is."""
    by: str = ""
    """Whose words they are; empty: the runner's own."""
    question: QuestionId = QuestionId("")
    """The question that it answers."""
    group: str = ""
    """That question's group: its answers are given together, once none of them is open."""
    now: bool = False
    """Within the turn under way, where the agent can be steered."""


class Told(Struct, frozen=True):
    """An answer given to the agent in the turn under way; said again should that turn be cut off."""

    title: str
    by: str
    words: str
    question: QuestionId = QuestionId("")
    asked: Question | None = None
    answer: Answer | None = None


class Late(Struct, frozen=True):
    """An answer that became a message, because nobody waited for it; of no use once that message is taken."""

    question: Question
    answer: Answer
    message: str
    key: str = ""
    """The agent's own name of the request, where it has one."""


class Known(Struct, frozen=True):
    """What became of a request that has a key, for when it is put again: its answer, or that it went on without."""

    key: str
    question: Question
    answer: Answer | None = None
    lasting: bool = False
    """Known for as long as the session lives; else until its turn ends."""


class Named(Struct, frozen=True):
    """What a key chosen by its caller stands for: other words under the same key are no answer's business."""

    identity: str
    title: str


class Settling(Struct, frozen=True):
    """A turn that has ended and whose consequence (checks, a review) is not on disk yet; taken up after a crash."""

    reason: Literal["done", "cancelled", "refused", "limit", "asleep", "failed"]
    last_words: str


class Limited(Struct, frozen=True):
    """A usage or rate limit. ``tried`` counts the turns it has stopped in a row."""

    until: datetime | None = None
    wake: datetime | None = None
    """When it is tried again."""
    tried: int = 1
    detail: str = ""


class State(Struct, frozen=True):
    """Everything a resumed runner must know. Written in the same transaction as the events that tell of it."""

    run: RunState = RunState.STARTING
    detail: str = ""
    agent_session: str = ""
    introduced: bool = False
    """The agent has its preamble and task."""
    cleared: bool = False
    """Its context was cleared since: it is told everything again with its next message."""
    inbox: tuple[Message, ...] = ()
    """Messages for the agent, one turn each."""
    waiting: tuple[Message, ...] = ()
    """Messages from before a restart, held back until the questions that outlived it are closed."""
    given: tuple[PromptId, ...] = ()
    """The follow-ups that the agent got last."""
    late: tuple[Late, ...] = ()
    went_on: tuple[Question, ...] = ()
    """Assumptions whose deadline passed last: an objection made in time may still be on its way."""
    turn: str = ""
    """The message being worked on."""
    said: str = ""
    """A person's words in it: said again should the turn be cut off."""
    answering: tuple[QuestionId, ...] = ()
    """The questions whose answers it brought."""
    settling: Settling | None = None
    taken: str = ""
    """The agent's mark of the last turn's end whose consequence is in this state: it is not drawn twice."""
    open: tuple[Question, ...] = ()
    keys: dict[str, str] = field(default_factory=dict)
    """By the ids of open questions: the agent's own names of those requests."""
    posted: tuple[QuestionId, ...] = ()
    """Open questions whose keys are known for as long as the session lives."""
    named: dict[str, Named] = field(default_factory=dict)
    """By the keys of posted calls, for as long as a question of theirs is open or known."""
    known: tuple[Known, ...] = ()
    told: tuple[Told, ...] = ()
    next_question: int = 1
    review: Review | None = None
    next_review: int = 1
    offered: str = ""
    """The commit of the newest review offered."""
    nudged: bool = False
    asked_to_commit: bool = False
    strikes: int = 0
    """How often in a row the agent has died, or its model service has failed its turn."""
    retry_at: datetime | None = None
    paused_by: Person | None = None
    limited: Limited | None = None
    wakes: bool = True
    """Whether a limited session goes on by itself."""
    resetting: Person | None = None
    """Who wants the context cleared, once the turn under way has ended."""
    usage: Usage = Usage()
    granted: float = 0.0
    """Dollars spent when its budget was granted anew."""
    unlimited: bool = False
    budget_question: QuestionId = QuestionId("")
    stopping: Person | None = None
    ended: bool = False


def encode(state: State) -> bytes:
    return msgspec.json.encode(state)


def decode(data: bytes | None) -> State:
    state = State() if data is None else msgspec.convert(_upgraded(msgspec.json.decode(data)), State)
    if state.budget_question and all(each.id != state.budget_question for each in state.open):
        return msgspec.structs.replace(state, budget_question=QuestionId(""))  # closed by an earlier runner's door
    return state


def _upgraded(found: Any) -> Any:
    """The first release kept its messages as bare strings."""
    answers = {late["message"]: late["question"]["id"] for late in found.get("late", ())}
    for box in ("inbox", "waiting"):
        found[box] = [
            {"text": each, "question": answers.get(each, "")} if isinstance(each, str) else each
            for each in found.get(box, ())
        ]
    return found


def question_id(session: SessionId, number: int) -> QuestionId:
    return QuestionId(f"{session}.q{number}")


def review_id(session: SessionId, number: int) -> ReviewId:
    return ReviewId(f"{session}.r{number}")
