"""What a person asks for, whatever surface it came from; and what they are told back in private."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.domain.views import SessionCard
from bot.wire.types import PersonId, PromptId, Question, QuestionId, Review, ReviewId

Surface = Literal["slash", "mention", "button", "modal", "reply", "home", "shortcut"]


@dataclass(frozen=True)
class Origin:
    """Where an intent came from. ``key`` is Slack's own id of the delivery: the same key is handled once."""

    key: str
    surface: Surface
    channel: str = ""
    thread_ts: str = ""
    """The thread it was said in, or of the card that was clicked; empty outside threads."""
    ts: str = ""
    """The message that was sent or clicked."""


@dataclass(frozen=True)
class Start:
    task: str
    repo: str = ""
    agent: str = ""
    base: str = ""
    scope: tuple[str, ...] = ()
    reviewer: PersonId | None = None
    name: str = ""
    budget: float | None = None
    """US dollars the session may spend before it rests and asks."""


@dataclass(frozen=True)
class Stop:
    session: str
    """A session's name or id; empty: the session of the thread it was said in."""


@dataclass(frozen=True)
class Drop:
    """Stops a failed session; one that goes on by now is left alone."""

    session: str


@dataclass(frozen=True)
class Tell:
    session: str
    text: str
    now: bool = False
    """Within the turn under way, where the agent can be steered."""


@dataclass(frozen=True)
class Steer:
    """A follow-up that waits is given now."""

    prompt: PromptId


@dataclass(frozen=True)
class Unsend:
    """A follow-up that waits is taken back."""

    prompt: PromptId


@dataclass(frozen=True)
class Pause:
    session: str


@dataclass(frozen=True)
class Resume:
    session: str


@dataclass(frozen=True)
class Reset:
    """Clear the agent's context; its background work lives on."""

    session: str


@dataclass(frozen=True)
class SetWake:
    """Whether a session that met a limit goes on by itself when that is lifted."""

    session: str
    on: bool


@dataclass(frozen=True)
class ListSessions:
    everyone: bool = False


@dataclass(frozen=True)
class Status:
    session: str = ""


@dataclass(frozen=True)
class DigestNow:
    pass


@dataclass(frozen=True)
class SetPrefs:
    """``digest``: ``every 30m``, ``every 20s``, ``off`` or a five-field crontab. ``tz``: IANA zone; empty: Slack's.

    None leaves either as it is.
    """

    digest: str | None = None
    tz: str | None = None


@dataclass(frozen=True)
class Choose:
    """An option of a question; ``text`` goes with a denial or a revision as its reason."""

    question: QuestionId
    option: str
    text: str = ""
    then_stop: bool = False
    options: tuple[str, ...] = ()
    """All that were chosen, where several may be; ``option`` is empty then."""


@dataclass(frozen=True)
class AnswerText:
    question: QuestionId
    text: str


@dataclass(frozen=True)
class Later:
    """Not now: the question stays open and is in the next digest."""

    question: QuestionId


@dataclass(frozen=True)
class Reply:
    """A message written in a session's thread (Origin says which)."""

    text: str


@dataclass(frozen=True)
class ReplyAs:
    """What to do with a kept reply: answer ``question`` with it, send it as a prompt, or discard it."""

    reply: int
    use: Literal["answer", "prompt", "discard"]
    question: QuestionId | None = None


@dataclass(frozen=True)
class Merge:
    review: ReviewId
    commit: str


@dataclass(frozen=True)
class SendBack:
    review: ReviewId
    commit: str
    text: str


Intent: TypeAlias = (
    Start
    | Stop
    | Drop
    | Tell
    | Steer
    | Unsend
    | Pause
    | Resume
    | Reset
    | SetWake
    | ListSessions
    | Status
    | DigestNow
    | SetPrefs
    | Choose
    | AnswerText
    | Later
    | Reply
    | ReplyAs
    | Merge
    | SendBack
)


# --- what comes back, shown to the person who asked and nobody else -------------------------------------------------


@dataclass(frozen=True)
class Nothing:
    """The effect shows on a card; nothing more to say. Also the reply to a repeated delivery."""


@dataclass(frozen=True)
class Note:
    """A private sentence or two: what happened, or what is wrong and how to go on. mrkdwn, already escaped.

    ``field`` names the form field a problem belongs to (repo, task, agent, base, scope, reviewer, name, budget,
    digest, tz, text).
    """

    text: str
    problem: bool = False
    field: str = ""


@dataclass(frozen=True)
class Listing:
    """``/session list``: open sessions first, newest last."""

    sessions: tuple[SessionCard, ...]
    mine: bool = True


@dataclass(frozen=True)
class Waiting:
    """A follow-up on its way."""

    prompt: PromptId
    text: str
    by: PersonId


@dataclass(frozen=True)
class StatusOf:
    session: SessionCard
    questions: tuple[Question, ...] = ()
    review: Review | None = None
    last_words: str = ""
    queued: tuple[Waiting, ...] = ()
    """Follow-ups that the agent does not have yet, oldest first."""


@dataclass(frozen=True)
class AskHow:
    """Free text on an open choice: private buttons *Send as answer · Send as prompt · Discard*."""

    reply: int
    text: str
    question: Question
    problem: str = ""
    """Why the words were no answer after all, as ready mrkdwn: they are kept, and may still be a prompt."""


@dataclass(frozen=True)
class AskWhich:
    """Several questions are open: private buttons, one for each, and *Send as prompt · Discard*."""

    reply: int
    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Queued:
    """The agent is at work: the follow-up waits for the end of its turn. Private, with *Send now* and *Take back*."""

    session_name: str
    waiting: Waiting
    can_steer: bool = False
    not_now: bool = False
    """It was to be given within the turn, which this agent cannot take."""


Response: TypeAlias = Nothing | Note | Listing | StatusOf | AskHow | AskWhich | Queued


@dataclass(frozen=True)
class StartOffers:
    """What the start form may offer this person."""

    repos: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    default_repo: str = ""
    problem: str = ""
    """Why nothing can be started (no host connected), with the fix."""
    base_of: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prefs:
    digest: str
    tz: str
    next_digest: str = ""
