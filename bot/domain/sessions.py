"""A session: one agent at work in one worktree; its states and the one light that people see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.deliveries import Address
from bot.domain.views import Light
from bot.wire.types import Ability, Ending, HostId, PersonId, Place, RunState, SessionId, Snapshot

MOST_STATUS = 2**32


class SessionState(StrEnum):
    """What is known of a session. Open decisions and a silent host are not states: they show in the light."""

    STARTING = "starting"
    WORKING = "working"
    STOPPED = "stopped"
    PAUSED = "paused"
    LIMITED = "limited"
    FAILED = "failed"
    STOPPING = "stopping"
    ENDED = "ended"


@dataclass(frozen=True)
class Session:
    id: SessionId
    name: str
    repo: str
    task: str
    owner: PersonId
    reviewer: PersonId | None
    agent: str
    base: str
    branch: str
    scope: tuple[str, ...]
    host: HostId
    state: SessionState
    state_at: datetime
    created: datetime
    open: bool
    ended_at: datetime | None
    ending: Ending | None
    detail: str
    look: str
    last_words: str
    stop_by: PersonId | None
    place: Place | None
    snapshot: Snapshot | None
    channel: str
    """Where its thread lives; empty: the owner's DM."""
    thread_ts: str
    agent_title: str = ""
    """The agent as it calls itself, with version and model; empty until it has said so."""
    abilities: frozenset[Ability] | None = None
    """What its agent can do; None until it has said so."""
    limited_until: datetime | None = None
    """When the limit that holds it up is lifted, where known."""
    wakes: bool = True
    """Whether it then goes on by itself."""
    exit_status: int | None = None
    """Of its agent's process, where that failed."""
    budget: float | None = None
    attach: str = ""
    """Its host's own name of it, where a person runs it by hand."""

    def owns(self, ref: str) -> bool:
        """A runner's token speaks for its session alone: ids of what it tells of begin with the session's."""
        return ref.startswith(f"{self.id}.")

    @property
    def attached(self) -> bool:
        return bool(self.attach) or (self.place is not None and self.place.attached)

    @property
    def at_work(self) -> bool:
        """A turn is under way, as far as its runner has said."""
        return self.state in (SessionState.STARTING, SessionState.WORKING)

    def can(self, ability: Ability) -> bool:
        """Whether its agent can do this; who has not said what it can is given the benefit of the doubt."""
        return self.abilities is None or ability in self.abilities

    @property
    def judge(self) -> PersonId:
        """Who is asked to review."""
        return self.reviewer or self.owner

    @property
    def address(self) -> Address:
        """Where its card goes; with a thread, where everything else goes."""
        if self.channel:
            return Address(channel=self.channel, thread_ts=self.thread_ts)
        return Address(person=self.owner, thread_ts=self.thread_ts)


@dataclass(frozen=True)
class Waiting:
    """What the light depends on beyond the session itself."""

    asked: datetime | None = None
    """When its oldest open question that work waits for was asked."""
    offered: datetime | None = None
    """When its open review was offered."""
    merging: datetime | None = None
    asleep_since: datetime | None = None


def after(state: SessionState, said: RunState, *, stopping: bool) -> SessionState:
    """The state once a runner has said something. An end is final; a stop that was asked for is not forgotten."""
    if state is SessionState.ENDED:
        return state
    if stopping and said not in (RunState.ENDED, RunState.FAILED):
        return SessionState.STOPPING
    # ENDED without its ending: the last event of the session is still to come.
    return SessionState.STOPPING if said is RunState.ENDED else SessionState(said.value)


def sound_status(said: int | None) -> int | None:
    """An exit status that a peer named; none where no process can have it."""
    return said if said is not None and abs(said) < MOST_STATUS else None


def light(session: Session, waiting: Waiting) -> tuple[Light, datetime]:
    """The one light, and since when it is on."""
    since = session.state_at
    match session.state:
        case SessionState.ENDED:
            endings = {Ending.MERGED: Light.MERGED, Ending.FAILED: Light.FAILED}
            return endings.get(session.ending or Ending.STOPPED, Light.ENDED), session.ended_at or since
        case SessionState.STOPPING:
            return Light.STOPPING, since
        case SessionState.FAILED:
            return Light.FAILED, since
        case _:
            pass
    if waiting.asleep_since:
        return Light.ASLEEP, waiting.asleep_since
    resting = {SessionState.PAUSED: Light.PAUSED, SessionState.LIMITED: Light.LIMITED}
    if at_rest := resting.get(session.state):
        return at_rest, since
    if waiting.merging:
        return Light.MERGING, waiting.merging
    if waiting.asked:
        return Light.NEEDS_YOU, waiting.asked
    if waiting.offered:
        return Light.REVIEW, waiting.offered
    plain = {SessionState.STARTING: Light.STARTING, SessionState.STOPPED: Light.STOPPED}
    return plain.get(session.state, Light.WORKING), since
