"""What a session has spent, added up over its agents' meters: resets, resumes and crashes included. Pure."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from runners.agents.base import UsageChanged

MOST_TOKENS, MOST_COST = 10**15, 1e7
"""Beyond these a meter is wrong."""
MOST_METERS = 50
"""Older ones are forgotten: a meter that nobody reads any more adds nothing."""
N = TypeVar("N", int, float)


class Meter(Struct, frozen=True):
    """The last reading of one of the agent's meters; None where it never gave that number."""

    name: str
    tokens: int | None = None
    cost: float | None = None


class Usage(Struct, frozen=True):
    """Sums since the session began; None where no agent ever gave that number."""

    tokens: int | None = None
    cost: float | None = None
    meters: tuple[Meter, ...] = ()
    """The one read last comes last."""


def read(usage: Usage, change: UsageChanged) -> Usage:
    """The sums after one more reading. One that cannot be (negative, beyond all measure, not a number) is none."""
    tokens = change.tokens if change.tokens is not None and 0 <= change.tokens <= MOST_TOKENS else None
    cost = change.cost if change.cost is not None and 0 <= change.cost <= MOST_COST else None
    if tokens is None and cost is None:
        return usage
    last = next((meter for meter in usage.meters if meter.name == change.meter), Meter(change.meter))
    others = tuple(meter for meter in usage.meters if meter.name != change.meter)
    now = Meter(change.meter, last.tokens if tokens is None else tokens, last.cost if cost is None else cost)
    return replace(
        usage,
        tokens=_added(usage.tokens, last.tokens, tokens),
        cost=_added(usage.cost, last.cost, cost),
        meters=(*others, now)[-MOST_METERS:],
    )


def _added(total: N | None, last: N | None, now: N | None) -> N | None:
    if now is None:
        return total
    begun_again = last is None or now < last
    return (total or 0) + (now if begun_again else now - (last or 0))
