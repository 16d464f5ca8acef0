"""When may a person be interrupted? One pure decision with its reason in words; the policy grows behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, assert_never

from bot.wire.types import PersonId, Urgency


class What(StrEnum):
    """What wants attention."""

    QUESTION = "question"
    REVIEW = "review"
    FAILURE = "failure"
    STOPPED = "stopped"
    PROGRESS = "progress"
    DONE = "done"


@dataclass(frozen=True)
class Item:
    what: What
    person: PersonId
    urgency: Urgency = Urgency.BLOCKING
    deadline: datetime | None = None
    """Until when an assumption may be vetoed."""

    @property
    def blocking(self) -> bool:
        """Whether work waits for it. What an agent calls urgent is no more than that."""
        return self.urgency in (Urgency.BLOCKING, Urgency.URGENT)


@dataclass(frozen=True)
class Policy:
    """A person's wishes. The simple policy has one: hold nothing."""

    hold_until: datetime | None = None
    hold_reason: str = ""


@dataclass(frozen=True)
class History:
    """What is known of the person's recent past; None where it could not be read (then we deliver)."""

    last_action: datetime | None = None
    last_ping: datetime | None = None
    next_digest: datetime | None = None
    """None: none will come."""


@dataclass(frozen=True)
class Now:
    reason: str = ""


@dataclass(frozen=True)
class Hold:
    until: datetime
    reason: str


@dataclass(frozen=True)
class NextDigest:
    reason: str


Verdict: TypeAlias = Now | Hold | NextDigest


def lapses_first(item: Item, next_digest: datetime | None) -> bool:
    """Whether an assumption can no longer be vetoed by the time the next digest tells of it."""
    if item.urgency is not Urgency.ASSUMED:
        return False
    return next_digest is None or (item.deadline is not None and item.deadline <= next_digest)


def decide(item: Item, policy: Policy, history: History, now: datetime) -> Verdict:
    """Blocking decisions now, unless the person asked for quiet; everything else in the next digest."""
    match item.what:
        case What.QUESTION | What.REVIEW | What.FAILURE:
            late = item.deadline is not None and item.deadline <= now
            if not item.blocking and (late or not lapses_first(item, history.next_digest)):
                return NextDigest("nothing waits for it")
            if policy.hold_until and policy.hold_until > now:
                return Hold(policy.hold_until, policy.hold_reason or "you asked for quiet")
            return Now("work waits for this" if item.blocking else "the next digest would be too late")
        case What.STOPPED | What.PROGRESS | What.DONE:
            return NextDigest("nothing waits for it")
        case _:
            assert_never(item.what)
