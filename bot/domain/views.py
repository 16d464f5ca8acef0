"""What the surfaces show: plain facts, gathered from the store at the moment of delivery. No Slack words, no layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from bot.wire.types import Ability, Answer, PersonId, Place, Question, Review, SessionId, Snapshot


class Light(StrEnum):
    """A session as people see it: one state, one emoji, the same everywhere (``slack/text.py`` holds the emoji)."""

    STARTING = "starting"
    WORKING = "working"
    NEEDS_YOU = "needs you"
    REVIEW = "review"
    MERGING = "merging"
    STOPPED = "stopped"
    PAUSED = "paused"
    ASLEEP = "asleep"
    """Its host is silent."""
    LIMITED = "limited"
    """A usage or rate limit holds its agent up."""
    STOPPING = "stopping"
    FAILED = "failed"
    MERGED = "merged"
    ENDED = "ended"


@dataclass(frozen=True)
class SessionCard:
    session: SessionId
    name: str
    repo: str
    task: str
    owner: PersonId
    agent: str
    light: Light
    since: datetime
    """When this light went on."""
    created: datetime
    branch: str = ""
    reviewer: PersonId | None = None
    line: str = ""
    """The last progress line."""
    steps_done: int = 0
    steps_total: int = 0
    decisions: tuple[str, ...] = ()
    """What waits for a person, one line each."""
    assumed: tuple[Question, ...] = ()
    """Questions for which nothing waits: the agent goes on with their default unless somebody objects."""
    detail: str = ""
    """Why it failed, is asleep, or how to get at what it left."""
    next_digest: datetime | None = None
    scope: tuple[str, ...] = ()
    place: Place | None = None
    tokens: int | None = None
    cost: float | None = None
    open: bool = True
    """False once nothing more will happen: no buttons are shown."""
    link: str = ""
    """Permalink of its thread, where known."""
    owner_name: str = ""
    """For a card that names people without mentioning them; empty while not known."""
    reviewer_name: str = ""
    abilities: frozenset[Ability] = frozenset()
    """What its agent can do; empty until it has said so."""
    agent_title: str = ""
    """The agent as it calls itself, with version and model."""
    queued: int = 0
    """Follow-ups that the agent does not have yet."""
    limited_until: datetime | None = None
    """When the limit that holds it up is lifted, where known."""
    wakes: bool = True
    """Whether it then goes on by itself."""
    background: tuple[str, ...] = ()
    trouble: str = ""
    context: int | None = None
    budget: float | None = None
    attached: bool = False
    """A person runs it by hand."""
    decision_links: tuple[str, ...] = ()
    """Permalinks of the decisions' cards, in their order; empty where one is not known."""
    last_words: str = ""
    """The agent's latest message to people; for a session that failed, its log's end where it said nothing."""
    exit_status: int | None = None
    """Of the agent's process, for a session that failed."""


@dataclass(frozen=True)
class Answered:
    by: PersonId
    at: datetime
    answer: Answer
    words: str
    """What was decided, in the reader's words: the option's label, or the text."""
    applied: bool | None = None
    """None until the runner has said; False when the session had moved on."""
    detail: str = ""
    by_name: str = ""
    """For cards that name people without mentioning them: a mention marks a message as calling somebody."""


@dataclass(frozen=True)
class Withdrawn:
    at: datetime
    reason: str


@dataclass(frozen=True)
class QuestionCard:
    session: SessionId
    session_name: str
    question: Question
    owner: PersonId
    asked: datetime
    mention: PersonId | None = None
    """The person to ping by mention, only on the first post."""
    held_for: str = ""
    answered: Answered | None = None
    withdrawn: Withdrawn | None = None
    asleep: bool = False
    """The host is silent: an answer is taken and delivered on wake."""
    resting: bool = False
    """It was answered while its session is paused: the agent gets the answer when somebody resumes it."""
    others: tuple[QuestionCard, ...] = ()
    """The further questions of the same call, in order; shown on this card. Only on the first one's."""
    as_file: bool = False
    """Its detail is too long for a card: the whole is a file in the thread."""


@dataclass(frozen=True)
class MergeDone:
    by: PersonId
    at: datetime
    commit: str
    landed_on: str
    look: str = ""
    by_name: str = ""


@dataclass(frozen=True)
class SentBack:
    by: PersonId
    at: datetime
    text: str
    by_name: str = ""


@dataclass(frozen=True)
class ReviewCard:
    session: SessionId
    session_name: str
    repo: str
    task: str
    review: Review
    owner: PersonId
    reviewer: PersonId
    offered: datetime
    mention: PersonId | None = None
    merging_by: PersonId | None = None
    merging_name: str = ""
    merged: MergeDone | None = None
    sent_back: SentBack | None = None
    withdrawn: Withdrawn | None = None
    problem: str = ""
    """Why the last merge attempt did not happen, with the fix; the review is still open."""


@dataclass(frozen=True)
class FailureCard:
    """The message in the thread that calls somebody to a failed session."""

    session: SessionId
    session_name: str
    failed: datetime
    why: str
    last_words: str = ""
    exit_status: int | None = None
    mention: PersonId | None = None
    """The person to ping by mention, only on the first post."""
    open: bool = True
    """Whether it waits for somebody who can still do something about it."""
    can_resume: bool = True
    taken_by: str = ""
    """Who asked it to go on."""
    taken_at: datetime | None = None
    settled: str = ""
    """What became of it."""
    settled_at: datetime | None = None


@dataclass(frozen=True)
class ProgressView:
    """The one progress message of a thread."""

    session: SessionId
    session_name: str
    light: Light
    snapshot: Snapshot
    since: datetime | None = None
    """When the last progress message was brought up to date; None for the first."""
    new_commits: int = 0
    """Commits that the last message did not show."""


@dataclass(frozen=True)
class DecisionLine:
    """One decision in a digest or on Home. Exactly one of question, review and failed is set."""

    number: int
    session: SessionId
    session_name: str
    since: datetime
    link: str = ""
    question: Question | None = None
    review: Review | None = None
    failed: str = ""
    settled: str = ""
    """Once decided: who, what, when; the line stays, without buttons."""
    open: bool = True
    """Whether its session still takes orders."""
    last_words: str = ""
    exit_status: int | None = None
    """With ``failed``: of the agent's process, where it ended."""
    can_resume: bool = True


@dataclass(frozen=True)
class SessionLine:
    session: SessionId
    session_name: str
    light: Light
    text: str
    link: str = ""
    until: datetime | None = None
    """When the limit that holds it up is lifted, where known."""
    tokens: int | None = None
    cost: float | None = None


@dataclass(frozen=True)
class DigestView:
    digest: int
    person: PersonId
    at: datetime
    decisions: tuple[DecisionLine, ...] = ()
    """Questions, failures, and reviews, the oldest first within each."""
    stopped: tuple[SessionLine, ...] = ()
    working: tuple[SessionLine, ...] = ()
    done: tuple[SessionLine, ...] = ()
    """Ended or merged since the last digest."""
    next: datetime | None = None
    on_demand: bool = False
    tokens: int | None = None
    """What the sessions told of here have used, all in all; None where no agent says."""
    cost: float | None = None


@dataclass(frozen=True)
class HomeView:
    person: PersonId
    at: datetime
    decisions: tuple[DecisionLine, ...] = ()
    sessions: tuple[SessionCard, ...] = ()
    next_digest: datetime | None = None
    digest: str = ""
    tz: str = ""
    answered_today: int = 0
    pinged_today: int = 0
    tokens: int | None = None
    """What the sessions shown have used, all in all; None where no agent says."""
    cost: float | None = None


@dataclass(frozen=True)
class ThreadNote:
    """One plain message in a session's thread; mrkdwn, already escaped."""

    text: str


@dataclass(frozen=True)
class File:
    """A file for a thread: a diff, or something too long for a card."""

    name: str
    title: str
    content: str


@dataclass(frozen=True)
class PrivateNote:
    """A message that only ``to`` sees."""

    to: PersonId
    text: str


View: TypeAlias = (
    SessionCard
    | QuestionCard
    | ReviewCard
    | FailureCard
    | ProgressView
    | DigestView
    | HomeView
    | ThreadNote
    | File
    | PrivateNote
)
