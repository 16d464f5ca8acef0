"""The vocabulary that bot, hosts and runners share. Values only: no behaviour beyond what a value knows of itself."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NewType

from msgspec import Struct

HostId = NewType("HostId", str)
"""Names one machine; chosen at enrolment."""
SessionId = NewType("SessionId", str)
"""Names one session for ever; made by the bot."""
QuestionId = NewType("QuestionId", str)
"""Unique within the bot; made by the runner as ``<session>.q<n>``, so that a re-sent question is the same question."""
PromptId = NewType("PromptId", str)
"""One follow-up of a person's; made by the bot, unique within its session."""
ReviewId = NewType("ReviewId", str)
"""Unique within the bot; made by the runner as ``<session>.r<n>``; one review is one commit."""
PersonId = NewType("PersonId", str)
"""A person as Slack names them (``U…``)."""


class Share(StrEnum):
    """How much of a repository's code may reach Slack; enforced by the runner."""

    NONE = "none"
    STAT = "stat"
    FULL = "full"


class QuestionKind(StrEnum):
    """What kind of answer a question takes."""

    CHOICE = "choice"
    TEXT = "text"
    PERMISSION = "permission"
    PLAN = "plan"


class Urgency(StrEnum):
    """How much depends on an answer. ``urgent`` is for people to set: what an agent calls urgent is blocking."""

    URGENT = "urgent"
    BLOCKING = "blocking"
    ASSUMED = "assumed"
    """The agent goes on with a stated default, which a person may veto until a deadline."""
    INFO = "info"


class Ability(StrEnum):
    """What an agent can do beyond working off a prompt. Cards offer nothing that is not here."""

    RESUME = "resume"
    """Its session can be taken up again after its process ended."""
    STEER = "steer"
    """Words reach it within the turn under way."""
    PROMPT = "prompt"
    """It can be given a message while it is idle. Not so a session in somebody's terminal."""
    CANCEL = "cancel"
    """Its turn can be ended from here."""
    RESET = "reset"
    """Its context can be cleared."""
    BACKGROUND = "background"
    """It runs shells or sub-agents beside its turns, which outlive a reset."""
    ADOPT = "adopt"
    """The session in the terminal can be moved under a runner."""


class RunState(StrEnum):
    """What a runner says of its session. *Waiting* and *in review* are not here: open decisions say that."""

    STARTING = "starting"
    WORKING = "working"
    STOPPED = "stopped"
    """The turn ended with neither a question nor a review."""
    PAUSED = "paused"
    """Its agent rests: a person asked for it, or the runner shuts down with its host and means to come back."""
    LIMITED = "limited"
    """A usage or rate limit stopped the agent; ``SessionChanged.until`` says when it is lifted, where known."""
    FAILED = "failed"
    ENDED = "ended"


class Ending(StrEnum):
    """Why a session ended."""

    STOPPED = "stopped"
    MERGED = "merged"
    FAILED = "failed"
    DETACHED = "detached"
    """A hand-run session left the board; its terminal goes on as before."""


class StepState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    DONE = "done"


class CheckState(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"


ALLOW, DENY = "allow", "deny"
"""Option ids of every permission question."""
ALWAYS = "always"
"""Option id of a permission that may also be granted for all like it, in this session only."""
APPROVE, REVISE = "approve", "revise"
"""Option ids of every plan question."""


class Person(Struct, frozen=True):
    """Somebody as git and an agent need to know them."""

    id: PersonId
    name: str
    email: str = ""


class Option(Struct, frozen=True):
    """One answer offered by a question. ``id`` is unique within the question, ``label`` is what a person sees."""

    id: str
    label: str
    description: str = ""
    recommended: bool = False


class Question(Struct, frozen=True):
    """Something a session asks a person.

    ``title`` stands alone in one line; ``context`` is what decides it; ``detail`` is the exact command, diff or plan,
    shown as code. ``allow_text`` says whether free text may answer (text never grants a permission).
    ``options`` is empty for kind ``text``, allow/deny (and perhaps always) for ``permission``, approve/revise for
    ``plan``. Questions of one ``group`` were asked in one call and stand on one card; each is answered by itself.
    """

    id: QuestionId
    kind: QuestionKind
    title: str
    context: str = ""
    detail: str = ""
    options: tuple[Option, ...] = ()
    allow_text: bool = True
    multiple: bool = False
    """Several options may be chosen; only of kind ``choice``."""
    group: str = ""
    """Names the call it came with: the id of its first question. Empty: it came alone."""
    urgency: Urgency = Urgency.BLOCKING
    default: str = ""
    """The option id, or the words, that the agent goes on with; only where ``urgency`` is ``assumed``."""
    until: datetime | None = None
    """How long the default may be vetoed; only where ``urgency`` is ``assumed``."""


class Answer(Struct, frozen=True):
    """A person's accepted answer: an option of the question, or text, or a denial with a reason (both).

    Where several may be chosen, ``options`` holds them all and ``option`` is None.
    """

    question: QuestionId
    by: Person
    option: str | None = None
    text: str | None = None
    then_stop: bool = False
    """Only with a denied permission: the agent's turn ends as well."""
    options: tuple[str, ...] = ()


class PlanStep(Struct, frozen=True):
    title: str
    state: StepState = StepState.PENDING


class Commit(Struct, frozen=True):
    sha: str
    subject: str


class FileStat(Struct, frozen=True):
    """One changed file. ``added`` and ``deleted`` count lines; both are 0 for a binary file."""

    path: str
    added: int
    deleted: int
    binary: bool = False


class Check(Struct, frozen=True):
    """The result of one configured check command. ``tail`` holds the last lines of its output, redacted."""

    name: str
    state: CheckState
    seconds: float = 0.0
    tail: str = ""


class Snapshot(Struct, frozen=True):
    """A session's progress, reduced on the runner: the whole state, never a difference, so that the newest one wins."""

    at: datetime
    line: str = ""
    """What the agent is doing, in a few words."""
    steps: tuple[PlanStep, ...] = ()
    commits: tuple[Commit, ...] = ()
    """Commits on the session's branch since its base, oldest first, at most 50."""
    commit_count: int = 0
    files: tuple[FileStat, ...] = ()
    """Changed files against the base, uncommitted ones included, at most 100."""
    file_count: int = 0
    checks: tuple[Check, ...] = ()
    tool_calls: int = 0
    tokens: int | None = None
    """Tokens the session has used since its beginning, over all resets and resumes, where the agent reports them."""
    cost: float | None = None
    """Money spent since its beginning, in US dollars, where the agent reports it."""
    context: int | None = None
    """Tokens in the agent's context as it stands."""
    background: tuple[str, ...] = ()
    """What runs beside the agent's turns: shells, sub-agents, monitors; at most 20."""
    trouble: str = ""
    """What keeps the agent from working just now, without ending it: a failing model service, a retry."""
    last_words: str = ""
    """The agent's latest message to people, shortened."""


class Review(Struct, frozen=True):
    """A finished change offered at one commit."""

    id: ReviewId
    commit: str
    branch: str
    base: str
    base_commit: str
    summary: str
    commits: tuple[Commit, ...] = ()
    stat: tuple[FileStat, ...] = ()
    file_count: int = 0
    added: int = 0
    deleted: int = 0
    checks: tuple[Check, ...] = ()
    outside_scope: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    """Paths that would conflict with the base as it stands."""
    dirty: tuple[str, ...] = ()
    """Uncommitted paths left in the worktree; not part of the review."""
    diff: str | None = None
    """The whole diff, redacted, only where the repo's ``share`` is ``full``."""
    share: Share = Share.STAT


class AgentOffer(Struct, frozen=True):
    """An agent that a host can run. ``problem`` says what is missing and how to fix it; empty means usable."""

    name: str
    title: str = ""
    problem: str = ""


class RepoOffer(Struct, frozen=True):
    """A repository that a host can open sessions on."""

    name: str
    base: str
    share: Share = Share.STAT
    agent: str = ""
    """The default agent's name."""
    channel: str = ""
    """The Slack channel its threads live in (name or id); empty: where the session was started."""
    scope: tuple[str, ...] = ()
    """Default allowed paths, as gitignore-style patterns; empty allows all."""
    problem: str = ""


class SessionSpec(Struct, frozen=True):
    """All that a host needs to open a session."""

    session: SessionId
    name: str
    repo: str
    task: str
    owner: Person
    agent: str = ""
    """Empty: the repo's default agent."""
    base: str = ""
    """Empty: the repo's base branch."""
    branch: str = ""
    """The branch to create."""
    scope: tuple[str, ...] = ()
    token: str = ""
    """The runner's own credential, good for this session alone."""
    budget: float | None = None
    """US dollars this session may spend before it rests and asks; None: no limit."""
    attach: str = ""
    """The host's own name of a hand-run session that is to be put on the board; empty: open a worktree."""


class Place(Struct, frozen=True):
    """Where a session lives, once its worktree exists."""

    branch: str
    worktree: str
    base: str
    base_commit: str
    agent: str
    share: Share = Share.STAT
    scope: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None
    """First and last port reserved for this worktree."""
    notes: tuple[str, ...] = ()
    """What its people should know: submodules that are missing, changes that stayed in a checkout."""
    attached: bool = False
    """A session that a person runs by hand: its worktree is theirs, and stays whatever happens."""
