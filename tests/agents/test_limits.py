"""A usage limit in a service's words, and when it is lifted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from runners.agents.limits import is_limit, lifted_at

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "words",
    ["Rate limit reached for gpt", "You've hit your limit · resets 1:20am", "429 Too Many Requests", "Quota exceeded"],
)
def test_limits_are_known(words: str) -> None:
    assert is_limit(words)


@pytest.mark.parametrize("words", ["Internal error", "model overloaded", "connection limited by proxy"])
def test_other_troubles_are_none(words: str) -> None:
    assert not is_limit(words)


@pytest.mark.parametrize(
    ("words", "after"),
    [
        ("try again in 5m", timedelta(minutes=5)),
        ("Please retry in 1 hour 20 minutes.", timedelta(hours=1, minutes=20)),
        ("retry in 41.5s", timedelta(seconds=41.5)),
        ("resets 2026-03-02T13:20:00Z", timedelta(hours=1, minutes=20)),
        (f"usage limit reached|{int(NOW.timestamp()) + 600}", timedelta(minutes=10)),
    ],
)
def test_the_moment_is_read(words: str, after: timedelta) -> None:
    assert lifted_at(words, NOW) == NOW + after


@pytest.mark.parametrize("words", ["later", "resets 1:20am", "reset 2020-01-01T00:00:00Z", "in 400 days"])
def test_what_names_no_moment_names_none(words: str) -> None:
    assert lifted_at(words, NOW) is None
