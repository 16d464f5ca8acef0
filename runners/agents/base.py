"""The port between a runner and the agent it drives. Adapters translate an agent's protocol into these words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from bot.wire.types import Ability, Option, PlanStep, QuestionKind, Share, Urgency

Adapter = Literal["acp", "claude", "codex", "attach"]
"""Which protocol drives an agent."""


@dataclass(frozen=True)
class AskDoor:
    """Where the runner serves its ``ask_human`` tool to the agent: MCP over HTTP on loopback."""

    url: str
    token: str = field(repr=False)
    """Sent as ``Authorization: Bearer``."""


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
    adapter: Adapter = "acp"
    profile: str = ""
    """The built-in profile whose quirks apply; empty: none are known."""
    folder: Path | None = None
    """The session's own folder, for what must outlive the runner: sockets, a holder's papers. None in small tests."""
    rules: str = ""
    """The preamble without the task, for an agent whose standing instructions can be added to."""
    ask: AskDoor | None = None
    model: str = ""
    """Empty: the agent's own choice."""
    mode: str = ""
    """The agent's own permission mode; empty: the profile's."""
    taken: str = ""
    """The ``mark`` of the last turn's end that the session has drawn its consequence from, in any life of a runner."""


@dataclass(frozen=True)
class AgentInfo:
    """What the agent said of itself, as data: cards show only what it can do."""

    title: str
    version: str
    session: str
    """The agent's own session id, to resume by."""
    can_resume: bool = False
    resumed: bool = False
    abilities: frozenset[Ability] = frozenset()
    model: str = ""
    has_rules: bool = False
    """It took ``Launch.rules`` as standing instructions: its first message need not repeat them."""
    held: bool = False
    """Its process outlived the runner: nothing was lost, and what it asked it asks again under the same keys."""
    busy: bool = False
    """A turn is under way that an earlier runner began: ``rejoin`` waits for its end."""
    keeps_ends: bool = False
    """Held, it is busy until ``Launch.taken`` names its last end: an idle one never heard what it was given last."""


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
    """What one ``meter`` stands at; None where the agent does not say.

    A meter counts up from zero: the agent's session id, its thread, one life of its process. The runner adds up
    differences; one that goes down, or has a new name, has begun again.
    """

    tokens: int | None = None
    """Tokens used, input and output, cached ones included."""
    cost: float | None = None
    """US dollars."""
    context: int | None = None
    """Tokens in the context as it stands: no meter."""
    meter: str = ""


@dataclass(frozen=True)
class BackgroundChanged:
    """Everything that runs beside the turns, by a short title each; the whole list, every time."""

    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Trouble:
    """What keeps the agent from working without ending it (a retry, a failing service); empty: over."""

    text: str


Update: TypeAlias = Said | ToolStarted | ToolEnded | PlanChanged | UsageChanged | BackgroundChanged | Trouble


@dataclass(frozen=True)
class TurnEnded:
    """A prompt has been worked off. ``last_words`` is the agent's closing message, as far as it gave one.

    ``limit``: the turn grew too long. ``asleep``: a usage or rate limit; ``until`` says when it is lifted, where
    known. ``failed``: the model service failed the turn, and ``detail`` says how, in the service's words.
    """

    reason: Literal["done", "cancelled", "refused", "limit", "asleep", "failed"]
    last_words: str = ""
    until: datetime | None = None
    detail: str = ""
    mark: str = field(default="", compare=False)
    """The adapter's own name of this end, where a later runner could be told of it again (``Launch.taken``)."""


@dataclass(frozen=True)
class Cleared:
    """What a context reset left of the agent's background work, by title."""

    session: str
    """The agent's session id from now on."""
    survived: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


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
    multiple: bool = False
    key: str = ""
    """The agent's own name of this request, the same when it is put again; empty: it has none."""
    urgency: Urgency = Urgency.BLOCKING
    default: str = ""
    """With urgency ``assumed``: the option id or the words the agent goes on with."""
    until: datetime | None = None

    def words(self, share: Share) -> Shown:
        """What a repository that shares this much lets out."""
        less = {Share.STAT: self.stat, Share.NONE: self.none}.get(share)
        return less or Shown(self.title, self.context, self.detail)


@dataclass(frozen=True)
class Chosen:
    """An option's id; ``text`` is the reason that came with a denial or a revision.

    Where several could be chosen, ``options`` holds them all and ``option`` is the first, or empty for none.
    """

    option: str
    text: str = ""
    then_stop: bool = False
    options: tuple[str, ...] = ()


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

    async def ask_all(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        """Several questions of one call, on one card; answers in the same order, once all are there."""
        ...

    def update(self, update: Update) -> None:
        """Take note of progress. Never blocks, never raises."""
        ...

    def stirred(self) -> None:
        """The agent has begun a turn by itself (a background task ended): the runner calls ``rejoin``."""
        ...

    def gone(self, reason: str) -> None:
        """The hand-run session has left: the board forgets it. Nothing of it is touched. Idempotent."""
        ...


class Agent(Protocol):
    """One agent session. Calls come from one task at a time; ``steer``, ``cancel`` and ``close`` may come at any time.

    Every method may raise AgentError: AgentMissing (not installed, with the hint), AgentDied (exit status and
    last words of its log), AgentConfused (not speaking its protocol).
    """

    async def start(self, resume: str = "") -> AgentInfo:
        """Launch and open a session, or resume the one named; falls back to a new one where the agent cannot."""
        ...

    async def prompt(self, text: str) -> TurnEnded:
        """Run one turn to its end. Raises AgentDied if the agent goes away meanwhile."""
        ...

    async def rejoin(self) -> TurnEnded:
        """Wait for the end of a turn that is under way already; one that has ended meanwhile is returned at once."""
        ...

    async def steer(self, text: str) -> bool:
        """Say this within the turn under way. False: it cannot, or none is; then nothing was said."""
        ...

    async def reset(self) -> Cleared:
        """Clear the context between turns, sparing background work where the agent can."""
        ...

    async def cancel(self) -> None:
        """End the running turn; open questions are resolved as unanswered first. Idempotent."""
        ...

    async def detach(self) -> None:
        """Let go without ending: an agent that can outlive the runner goes on; any other is closed. Never raises."""
        ...

    async def close(self) -> None:
        """End the agent, what it left in the background and its whole process group. Idempotent; never raises."""
        ...
