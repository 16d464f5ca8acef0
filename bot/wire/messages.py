"""Every message on the wire, as PROTOCOL.md defines it. Frames carry bodies, decoded once their type is known."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, TypeAlias

from msgspec import Meta, Raw, Struct

from bot.wire.types import (
    AgentOffer,
    Answer,
    Ending,
    Person,
    Place,
    Question,
    QuestionId,
    RepoOffer,
    Review,
    ReviewId,
    RunState,
    SessionId,
    SessionSpec,
    Snapshot,
)

LARGEST = 2**53
"""Numbers beyond it are not the same in every JSON reader; SQLite's end is further out."""

# --- frames ---------------------------------------------------------------------------------------------------------


class Hello(Struct, frozen=True, tag="hello", tag_field="frame"):
    """First frame of a peer. ``epoch`` names its spool; ``last_seq`` is the newest event in it, 0 for none."""

    versions: tuple[int, ...]
    role: str
    """``host`` or ``runner``."""
    name: Annotated[str, Meta(max_length=100)]
    """The host's id, or the runner's session id; must be what its token stands for."""
    epoch: Annotated[str, Meta(max_length=100)]
    last_seq: int
    sessions: tuple[SessionId, ...] = ()
    """A host names the sessions it holds; a runner its own."""
    software: str = ""


class Welcome(Struct, frozen=True, tag="welcome", tag_field="frame"):
    """The bot's reply to ``hello``: the version both will speak and the newest event already on the bot's disk."""

    version: int
    acked_seq: int
    heartbeat: float
    """Seconds between the bot's pings; a peer that hears nothing for three of them reconnects."""
    max_frame: int
    """Bytes in one frame at most; a larger one closes the connection with an error frame."""


class Event(Struct, frozen=True, tag="event", tag_field="frame"):
    """Something that happened at the peer. Kept in its spool until acknowledged; ``seq`` counts from 1 in one epoch."""

    seq: int
    type: str
    at: datetime
    body: Raw
    session: SessionId | None = None


class Ack(Struct, frozen=True, tag="ack", tag_field="frame"):
    """All events up to and including ``seq`` are on the bot's disk."""

    seq: int


class Command(Struct, frozen=True, tag="command", tag_field="frame"):
    """One thing the bot tells a peer to do. ``id`` rises for each peer; a repeated id is done once."""

    id: int
    type: str
    body: Raw


class CommandAck(Struct, frozen=True, tag="command_ack", tag_field="frame"):
    """The command is on the peer's disk (``problem`` empty), or refused with the reason and the fix in words."""

    id: Annotated[int, Meta(ge=0, le=LARGEST)]
    problem: str = ""


class Error(Struct, frozen=True, tag="error", tag_field="frame"):
    """Something could not be understood or allowed. ``fatal`` errors are followed by a close."""

    code: str
    message: str
    fatal: bool = False


Frame: TypeAlias = Hello | Welcome | Event | Ack | Command | CommandAck | Error

# --- event bodies ---------------------------------------------------------------------------------------------------


class HostDescribed(Struct, frozen=True):
    """From a host, after each connect and whenever its configuration changes."""

    type: ClassVar[str] = "host.described"
    repos: tuple[RepoOffer, ...]
    agents: tuple[AgentOffer, ...]
    git: str = ""
    problems: tuple[str, ...] = ()


class SessionPlaced(Struct, frozen=True):
    """From a host: the worktree exists and a runner was started."""

    type: ClassVar[str] = "session.placed"
    place: Place


class SessionRefused(Struct, frozen=True):
    """From a host: the session could not be opened. Nothing was left behind."""

    type: ClassVar[str] = "session.refused"
    problem: str
    fix: str = ""


class SessionChanged(Struct, frozen=True):
    """From a runner: the agent's state. ``detail`` says why, in words, for ``failed`` and ``paused``."""

    type: ClassVar[str] = "session.changed"
    state: RunState
    detail: str = ""
    last_words: str = ""


class Progressed(Struct, frozen=True):
    """From a runner, at most once per its reporting interval."""

    type: ClassVar[str] = "progress"
    snapshot: Snapshot


class Asked(Struct, frozen=True):
    type: ClassVar[str] = "question.asked"
    question: Question


class QuestionWithdrawn(Struct, frozen=True):
    """The session has moved on and no longer waits for this answer."""

    type: ClassVar[str] = "question.withdrawn"
    question: QuestionId
    reason: str


class AnswerApplied(Struct, frozen=True):
    """What became of an accepted answer. ``applied`` is false when the session had moved on; ``detail`` says how."""

    type: ClassVar[str] = "answer.applied"
    question: QuestionId
    applied: bool
    detail: str = ""


class ReviewOffered(Struct, frozen=True):
    type: ClassVar[str] = "review.offered"
    review: Review


class ReviewWithdrawn(Struct, frozen=True):
    """The branch moved on, or the session ended: this commit can no longer be approved."""

    type: ClassVar[str] = "review.withdrawn"
    review: ReviewId
    reason: str


class Merged(Struct, frozen=True):
    """``landed_on`` is the base branch, or the branch that waits because the base is checked out.

    In the second case ``look`` is the command that brings it into the checkout.
    """

    type: ClassVar[str] = "review.merged"
    review: ReviewId
    commit: str
    landed_on: str
    look: str = ""


class MergeRefused(Struct, frozen=True):
    """The merge did not happen and nothing moved; the review stays open."""

    type: ClassVar[str] = "review.merge_refused"
    review: ReviewId
    problem: str
    fix: str = ""


class SessionEnded(Struct, frozen=True):
    """The last event of a session. ``look`` is the command that gets at what it left."""

    type: ClassVar[str] = "session.ended"
    ending: Ending
    branch: str
    worktree: str = ""
    """Empty when the worktree was removed."""
    dirty: tuple[str, ...] = ()
    look: str = ""
    last_words: str = ""
    exit_status: int | None = None


EventBody: TypeAlias = (
    HostDescribed
    | SessionPlaced
    | SessionRefused
    | SessionChanged
    | Progressed
    | Asked
    | QuestionWithdrawn
    | AnswerApplied
    | ReviewOffered
    | ReviewWithdrawn
    | Merged
    | MergeRefused
    | SessionEnded
)

# --- command bodies -------------------------------------------------------------------------------------------------


class StartSession(Struct, frozen=True):
    """To a host."""

    type: ClassVar[str] = "session.start"
    spec: SessionSpec


class DeliverAnswer(Struct, frozen=True):
    type: ClassVar[str] = "answer"
    answer: Answer


class Prompt(Struct, frozen=True):
    """A person's follow-up, given to the agent at its next turn."""

    type: ClassVar[str] = "prompt"
    text: str
    by: Person


class StopSession(Struct, frozen=True):
    """End the session; the branch stays, a dirty worktree too. A host takes it where the runner is gone."""

    type: ClassVar[str] = "session.stop"
    session: SessionId
    by: Person


class MergeReview(Struct, frozen=True):
    """Approve and merge exactly ``commit``."""

    type: ClassVar[str] = "review.merge"
    review: ReviewId
    commit: str
    by: Person


class SendBack(Struct, frozen=True):
    """The review is not accepted; ``text`` goes to the agent, which works on."""

    type: ClassVar[str] = "review.send_back"
    review: ReviewId
    text: str
    by: Person


class ReportNow(Struct, frozen=True):
    """Send a fresh progress snapshot at once."""

    type: ClassVar[str] = "progress.now"


CommandBody: TypeAlias = StartSession | DeliverAnswer | Prompt | StopSession | MergeReview | SendBack | ReportNow
