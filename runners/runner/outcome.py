"""What follows from a turn that has ended: a message, a review, rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from runners.agents.base import TurnEnded
from runners.runner import answers
from runners.runner.session import State


@dataclass(frozen=True)
class Facts:
    """What git says once a turn has ended."""

    head: str
    """Empty where nothing that has a commit is checked out."""
    base_commit: str
    dirty: tuple[str, ...] = ()
    reviewable: bool = True
    """False: the work goes on the base branch itself, where there is nothing to offer."""


@dataclass(frozen=True)
class Send:
    """Say this to the agent."""

    text: str
    why: Literal["dirty", "nudge"]


@dataclass(frozen=True)
class Offer:
    """Offer the branch's head for review."""


@dataclass(frozen=True)
class Rest:
    """The session is stopped: neither a question nor a review came of this turn."""


@dataclass(frozen=True)
class GoOn:
    """Messages or answers wait; nothing to say yet."""


Next: TypeAlias = Send | Offer | Rest | GoOn


def after_turn(state: State, ended: TurnEnded, facts: Facts, *, prompts: bool = True) -> Next:
    """What becomes of a session whose turn has ended. ``prompts``: whether its agent can be told anything now.

    A review does not wait for what the agent assumed: a veto takes it back.
    """
    if answers.awaited(state) or (prompts and (state.inbox or state.resetting is not None)):
        return GoOn()
    if ended.reason != "done":
        return Rest()
    moved = facts.reviewable and (not facts.head or facts.head not in (state.offered, facts.base_commit))
    if facts.dirty and not state.asked_to_commit and prompts:
        return Send(commit_words(facts.dirty), "dirty")
    if moved:
        return Offer()
    if state.review is None and not state.nudged and prompts:
        return Send(NUDGE, "nudge")
    return Rest()


NUDGE = (
    "Your turn ended with neither a question nor a commit to review. If you need something from a person, ask it as a "
    "question with your question tool, not in prose. If the work is done, commit it so that it can be reviewed. "
    "If there is nothing left to do, say so in one sentence."
)


def commit_words(dirty: Sequence[str], most: int = 20) -> str:
    listed = "\n".join(f"- {path}" for path in dirty[:most])
    more = f"\n- and {len(dirty) - most} more" if len(dirty) > most else ""
    return f"This is not on your branch. Commit what belongs to the task and discard the rest:\n{listed}{more}"


def sent_back_words(text: str) -> str:
    return f"Your change was looked at and sent back:\n{text}\nWork this in and commit it."
