"""Nothing of ours may block the event loop: blockbuster fails the test in which it does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


class Everything(frozenset[str]):
    """Any function of a file."""

    def __contains__(self, _name: object) -> bool:
        return True


@pytest.fixture(autouse=True)
def never_block() -> Iterator[None]:
    """Watches the code under test; what a test itself calls, to run git or look into a file, may block."""
    if sys.implementation.name != "cpython":
        yield
        return
    from blockbuster import blockbuster_ctx

    here = Path(__file__).parent
    ours = [f"tests/runners/{path.relative_to(here)}" for path in here.rglob("*.py")]
    with blockbuster_ctx(scanned_modules=["runners", "bot.link"]) as guard:
        for function in guard.functions.values():
            for path in ours:
                function.can_block_in(path, Everything())
        yield
