"""What the keys of posted calls stand for: a key that comes with other words must not get the old answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from runners.agents.base import Inquiry
from runners.runner.session import Named, State


def names(key: str, count: int) -> list[str]:
    """Of the questions of one call."""
    return [f"post:{key}#{at}" for at in range(count)]


def standing(state: State, key: str) -> Named | None:
    """What ``key`` stands for; None: nothing is open or known under it, or nobody said what it is."""
    return state.named.get(key) if key in _live(state) else None


def named(state: State, key: str, identity: str, inquiries: Sequence[Inquiry]) -> State:
    """For questions that were put just now. What is neither open nor known any more is forgotten."""
    live = _live(state)
    kept = {each: what for each, what in state.named.items() if each in live}
    if identity:
        kept[key] = Named(identity, inquiries[0].title)
    return replace(state, named=kept)


def _live(state: State) -> set[str]:
    posted = (*state.keys.values(), *(known.key for known in state.known))
    return {name.removeprefix("post:").rpartition("#")[0] for name in posted if name.startswith("post:")}
