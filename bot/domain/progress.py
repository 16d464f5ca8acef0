"""What is new in a session since a snapshot was last shown. Only substance counts, never a changed last line alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

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
    parts.append(Used(snapshot.tokens, snapshot.cost).in_words())
    return " · ".join(part for part in parts if part)


# --- what it has used -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Used:
    """Tokens and US dollars; None where no agent says."""

    tokens: int | None = None
    cost: float | None = None

    def in_words(self) -> str:
        """The money, else the tokens; empty for neither."""
        if self.cost:
            return f"${self.cost:,.2f}"
        return f"{_short(self.tokens)} tokens" if self.tokens else ""


def used(snapshots: Iterable[Snapshot | None]) -> Used:
    """All in all. A snapshot counts from its session's beginning, so each session's newest one is enough."""
    known = [snapshot for snapshot in snapshots if snapshot is not None]
    tokens = [snapshot.tokens for snapshot in known if snapshot.tokens is not None]
    costs = [snapshot.cost for snapshot in known if snapshot.cost is not None]
    return Used(sum(tokens) if tokens else None, sum(costs) if costs else None)


def _short(count: int) -> str:
    count = min(count, 10**15)
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.0f}k" if count < 999_500 else f"{count / 1_000_000:.1f}M"
