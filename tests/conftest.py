"""Shared by all tests: what plain `pytest` leaves out (and says so), and a guard against blocking the event loop."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import Any

import pytest

from tests.chromium import browser as browser

NEEDS = {
    "browser": "Chromium: `pytest -m browser` once it is installed (Debian: apt-get install chromium)",
    "agents": "agents: `pip install -e '.[claude]'`, `python -m tests.agents.install` (Node), `pytest -m agents`",
}
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure() -> None:
    """Started in the background of a script, tests inherit a Ctrl-C that is ignored, and would pass it on."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without -m and without SWITCHBOARD_TESTS=all, tests that need more than Python and git are left out."""
    left_out: Counter[str] = Counter()
    config.stash[LEFT_OUT] = left_out
    if config.getoption("-m") or os.environ.get("SWITCHBOARD_TESTS") == "all":
        return
    kept, dropped = [], []
    for item in items:
        needs = [marker for marker in NEEDS if item.get_closest_marker(marker)]
        left_out.update(needs)
        (dropped if needs else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With several workers (`-n`), each collects; whoever prints must hear of it."""
    told = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = dict(session.config.stash.get(LEFT_OUT, Counter()))


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    node.config.stash[LEFT_OUT] = Counter(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, Counter())
    if left_out:
        terminalreporter.section("left out")
        for marker, count in sorted(left_out.items()):
            terminalreporter.line(f"{count} {marker} tests need {NEEDS[marker]}")
        terminalreporter.line("Everything at once, as in CI: SWITCHBOARD_TESTS=all pytest")
