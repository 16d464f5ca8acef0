"""The port between a runner and the agent it drives. Adapters translate an agent's protocol into these words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from bot.wire.types import Option, PlanStep, QuestionKind, Share


@dataclass(frozen=True)
class Launch:
    """How to run an agent. ``argv`` is never given to a shell; ``env`` is added to the runner's environment."""

    name: str
    argv: tuple[str, ...]
    cwd: Path
    log: Path
    """The agent's standard error goes here."""
    env: dict[str, str] = field(default_factory=dict)
    login_hint: str = ""
    start_timeout: float = 60.0
    """Seconds for the agent to answer its first requests; some download themselves first."""


@dataclass(frozen=True)
class AgentInfo:
    """What the agent said of itself, as data: cards show only what it can do."""

    title: str
    version: str
    session: str
    """The agent's own session id, to resume by."""
    can_resume: bool = False
    resumed: bool = False


# --- what an agent tells --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """A piece of the agent's message to people; pieces add up within one turn."""

    text: str


@dataclass(frozen=True)
class ToolStarted:
    """Comes again with the same id when more is known of the call, before its ToolEnded."""

    id: str
    title: str
    kind: str = ""
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class ToolEnded:
    id: str
    ok: bool = True


@dataclass(frozen=True)
class PlanChanged:
    """The whole plan, every time."""

    steps: tuple[PlanStep, ...]


@dataclass(frozen=True)
class UsageChanged:
    """Totals of this agent session so far; None where the agent does not say."""

    tokens: int | None = None
    cost: float | None = None


Update: TypeAlias = Said | ToolStarted | ToolEnded | PlanChanged | UsageChanged


@dataclass(frozen=True)
class TurnEnded:
    """A prompt has been worked off. ``last_words`` is the agent's closing message, as far as it gave one."""

    reason: Literal["done", "cancelled", "refused", "limit"]
    last_words: str = ""


# --- what an agent asks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """The words of a question that show something of the code."""

    title: str
    context: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Inquiry:
    """A question as the agent puts it; the runner gives it its id. Fields as in ``bot.wire.types.Question``.

    Only the adapter knows what in it is code: it also says it in the words of repositories that share less.
    """

    kind: QuestionKind
    title: str
    context: str = ""
    detail: str = ""
    options: tuple[Option, ...] = ()
    allow_text: bool = True
    stat: Shown | None = None
    """Without lines of code; None: there are none in it."""
    none: Shown | None = None
    """Without names of files as well."""

    def words(self, share: Share) -> Shown:
        """What a repository that shares this much lets out."""
        less = {Share.STAT: self.stat, Share.NONE: self.none}.get(share)
        return less or Shown(self.title, self.context, self.detail)


@dataclass(frozen=True)
class Chosen:
    """An option's id; ``text`` is the reason that came with a denial or a revision."""

    option: str
    text: str = ""
    then_stop: bool = False


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Unanswered:
    """The question was closed without an answer: the session is stopping."""

    reason: str


Answered: TypeAlias = Chosen | Text | Unanswered


class Desk(Protocol):
    """The runner, as an agent sees it."""

    async def ask(self, inquiry: Inquiry) -> Answered:
        """Put a question to people and wait, without limit. Cancel the call to withdraw the question."""
        ...

    def update(self, update: Update) -> None:
        """Take note of progress. Never blocks, never raises."""
        ...


class Agent(Protocol):
    """One agent session. Calls come from one task at a time; ``cancel`` and ``close`` may come at any time.

    Every method may raise AgentError: AgentMissing (not installed, with the hint), AgentDied (exit status and
    last words of its log), AgentConfused (not speaking its protocol).
    """

    async def start(self, resume: str = "") -> AgentInfo:
        """Launch and open a session, or resume the one named; falls back to a new one where the agent cannot."""
        ...

    async def prompt(self, text: str) -> TurnEnded:
        """Run one turn to its end. Raises AgentDied if the agent goes away meanwhile."""
        ...

    async def cancel(self) -> None:
        """End the running turn; open questions are resolved as unanswered first. Idempotent."""
        ...

    async def close(self) -> None:
        """End the agent and its whole process group. Idempotent; never raises."""
        ...
