"""Which protocol versions this build speaks, and how two peers agree on one."""

from __future__ import annotations

from collections.abc import Iterable

SUPPORTED: tuple[int, ...] = (1,)


def negotiate(theirs: Iterable[int], ours: Iterable[int] = SUPPORTED) -> int | None:
    """The highest version both speak, or None."""
    return max(set(theirs) & set(ours), default=None)
