"""Every message on the wire, as PROTOCOL.md defines it; with the frames that carry them (``frames.py``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, TypeAlias

from msgspec import Struct

from bot.wire.frames import Ack as Ack
from bot.wire.frames import Command as Command
from bot.wire.frames import CommandAck as CommandAck
from bot.wire.frames import Error as Error
from bot.wire.frames import Event as Event
from bot.wire.frames import Frame as Frame
from bot.wire.frames import Hello as Hello
from bot.wire.frames import Welcome as Welcome
from bot.wire.types import (
    Ability,
    AgentOffer,
    Answer,
    Ending,
    Person,
    Place,
    PromptId,
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
    """From a runner: the agent's state. ``detail`` says why, in words, for all but ``working``."""

    type: ClassVar[str] = "session.changed"
    state: RunState
    detail: str = ""
    last_words: str = ""
    until: datetime | None = None
    """With ``limited``: when the limit is lifted, where the agent says so."""
    wakes: bool = True
    """With ``limited``: whether the runner takes the work up again by itself then."""
    exit_status: int | None = None
    """With ``failed``: of the agent's process, where it ended."""


class AgentDescribed(Struct, frozen=True):
    """From a runner, each time its agent has started: what it is and can do."""

    type: ClassVar[str] = "agent.described"
    title: str
    version: str = ""
    model: str = ""
    abilities: tuple[str, ...] = ()
    """Values of ``Ability``. A newer runner's agent may be able to do what this build has no word for."""

    def known_abilities(self) -> frozenset[Ability]:
        return frozenset(ability for ability in Ability if ability in self.abilities)


class PromptGiven(Struct, frozen=True):
    """The agent has this follow-up. ``steered``: within the turn that was under way."""

    type: ClassVar[str] = "prompt.given"
    prompt: PromptId
    steered: bool = False


class PromptDropped(Struct, frozen=True):
    """The agent will not get this follow-up: it was withdrawn, or the session ended first."""

    type: ClassVar[str] = "prompt.dropped"
    prompt: PromptId
    reason: str


class ContextReset(Struct, frozen=True):
    """The agent's context was cleared, or not (``problem``). ``survived`` and ``lost`` name background work."""

    type: ClassVar[str] = "context.reset"
    survived: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    problem: str = ""


class AttachAsked(Struct, frozen=True):
    """From a host: a hand-run session wants to be on the board.

    Answered by ``session.start`` with ``spec.attach``, or by ``attach.refused``.
    Repeated with the same ``attach`` it is the same session.
    """

    type: ClassVar[str] = "session.attach"
    attach: str
    repo: str
    agent: str
    branch: str
    worktree: str
    title: str = ""
    """What it is about, in a line: its first prompt, or its branch."""


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
    | AgentDescribed
    | PromptGiven
    | PromptDropped
    | ContextReset
    | AttachAsked
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


class RefuseAttach(Struct, frozen=True):
    """To a host: a hand-run session cannot be put on the board. ``problem`` says why, and the fix."""

    type: ClassVar[str] = "attach.refused"
    attach: str
    problem: str


class DeliverAnswer(Struct, frozen=True):
    type: ClassVar[str] = "answer"
    answer: Answer


class Prompt(Struct, frozen=True):
    """A person's follow-up, given to the agent at its next turn; told by ``prompt.given``."""

    type: ClassVar[str] = "prompt"
    text: str
    by: Person
    id: PromptId = PromptId("")
    now: bool = False
    """Within the turn under way, where the agent can be steered."""


class SteerPrompt(Struct, frozen=True):
    """A follow-up that waits is given within the turn under way after all."""

    type: ClassVar[str] = "prompt.steer"
    prompt: PromptId


class WithdrawPrompt(Struct, frozen=True):
    """A follow-up that waits is not to be given. Answered by ``prompt.dropped``, or ``prompt.given`` if too late."""

    type: ClassVar[str] = "prompt.withdraw"
    prompt: PromptId


class PauseSession(Struct, frozen=True):
    """End the turn and let the agent rest; open questions stay open where the agent can be resumed."""

    type: ClassVar[str] = "session.pause"
    by: Person


class ResumeSession(Struct, frozen=True):
    """Take a paused, failed or limited session up again. A host takes it where the runner is gone."""

    type: ClassVar[str] = "session.resume"
    by: Person
    session: SessionId = SessionId("")
    """Which one, for a host."""


class ResetContext(Struct, frozen=True):
    """Clear the agent's context; background work lives on where the agent can. Answered by ``context.reset``."""

    type: ClassVar[str] = "session.reset"
    by: Person


class WakeAtReset(Struct, frozen=True):
    """Whether a limited session goes on by itself once its limit is lifted."""

    type: ClassVar[str] = "session.wake"
    on: bool
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


CommandBody: TypeAlias = (
    StartSession
    | RefuseAttach
    | DeliverAnswer
    | Prompt
    | SteerPrompt
    | WithdrawPrompt
    | PauseSession
    | ResumeSession
    | ResetContext
    | WakeAtReset
    | StopSession
    | MergeReview
    | SendBack
    | ReportNow
)
