"""What is new in a session since a snapshot was last shown. Only substance counts, never a changed last line alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from bot.wire.types import Snapshot, StepState

_OWN_COUNT = re.compile(r"^\d+/\d+( · | )")


def steps(snapshot: Snapshot) -> tuple[int, int]:
    """Done and all."""
    return sum(step.state is StepState.DONE for step in snapshot.steps), len(snapshot.steps)


def line(snapshot: Snapshot) -> str:
    """The last line, without a count of steps of its own: cards show that count already."""
    return _OWN_COUNT.sub("", snapshot.line)


def has_news(now: Snapshot, shown: Snapshot | None) -> bool:
    """Commits, files, plan steps, checks or cost: anything that a person would want to be told."""
    return substance(now) != (substance(shown) if shown else substance(Snapshot(at=now.at)))


def substance(snapshot: Snapshot) -> str:
    """A short fingerprint of what counts as news."""
    done, planned = steps(snapshot)
    facts = (
        snapshot.commit_count or len(snapshot.commits),
        snapshot.commits[-1].sha if snapshot.commits else "",
        snapshot.file_count or len(snapshot.files),
        sorted((f.path, f.added, f.deleted) for f in snapshot.files),
        done,
        planned,
        [(c.name, c.state) for c in snapshot.checks],
        round(snapshot.cost or 0.0, 2),
    )
    return blake2b(repr(facts).encode(), digest_size=8).hexdigest()


def new_commits(now: Snapshot, shown: Snapshot | None) -> int:
    count = now.commit_count or len(now.commits)
    before = (shown.commit_count or len(shown.commits)) if shown else 0
    return max(count - before, 0)


def in_words(snapshot: Snapshot) -> str:
    """One line for a digest."""
    done, planned = steps(snapshot)
    parts = [f"{done}/{planned}" if planned else "", line(snapshot)]
    if count := snapshot.commit_count or len(snapshot.commits):
        parts.append(f"{count} commit{'s' if count > 1 else ''}")
    return " · ".join(part for part in parts if part)


# --- what it has used -----------------------------------------------------------------------------------------------

MOST = 10**15
"""Tokens or dollars; beyond that something was counted wrong."""


@dataclass(frozen=True)
class Used:
    """Tokens and US dollars; None where no agent says."""

    tokens: int | None = None
    cost: float | None = None


def used(each: Iterable[Used]) -> Used:
    """All in all."""
    known = list(each)
    tokens = [one.tokens for one in known if one.tokens is not None]
    costs = [one.cost for one in known if one.cost is not None]
    return Used(sum(tokens) if tokens else None, sum(costs) if costs else None)


def used_by(snapshot: Snapshot | None) -> Used:
    """A snapshot counts from its session's beginning, so a session's newest one is enough."""
    return Used(snapshot.tokens, snapshot.cost) if snapshot else Used()


def sound(snapshot: Snapshot) -> Snapshot:
    """Without figures that cannot be."""
    tokens, cost, context = snapshot.tokens, snapshot.cost, snapshot.context
    return msgspec.structs.replace(
        snapshot,
        tokens=tokens if tokens is not None and 0 <= tokens <= MOST else None,
        cost=cost if cost is not None and 0 <= cost <= MOST else None,
        context=context if context is not None and 0 <= context <= MOST else None,
    )
