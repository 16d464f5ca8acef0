"""Usage over many meters: never less than before, never counted twice, whatever restarts in between."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from runners.agents.base import UsageChanged
from runners.runner.usage import MOST_METERS, Usage, read

LIVES = st.lists(st.tuples(st.sampled_from("abc"), st.lists(st.integers(0, 10**6), max_size=6)), max_size=8)


def counted(*readings: UsageChanged) -> Usage:
    usage = Usage()
    for reading in readings:
        usage = read(usage, reading)
    return usage


@given(LIVES)
def test_each_life_of_a_meter_is_counted_once(lives: list[tuple[str, list[int]]]) -> None:
    """A meter counts up; it begins again under a new name each time, as after a reset or a kill."""
    usage, expected = Usage(), 0
    for number, (name, steps) in enumerate(lives):
        stands = 0
        for step in steps:
            stands += step
            usage = read(usage, UsageChanged(stands, stands / 1000, meter=f"{name}{number}"))
            usage = read(usage, UsageChanged(stands, stands / 1000, meter=f"{name}{number}"))  # said twice
        expected += sum(steps)
    assert (usage.tokens or 0) == expected
    assert math.isclose(usage.cost or 0.0, expected / 1000, abs_tol=1e-6)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(-5, 10**6)), max_size=30))
def test_a_sum_never_goes_down(readings: list[tuple[str, int]]) -> None:
    usage = Usage()
    for name, stands in readings:
        after = read(usage, UsageChanged(stands, None, meter=name))
        assert (after.tokens or 0) >= (usage.tokens or 0)
        usage = after


def test_a_meter_that_goes_down_has_begun_again() -> None:
    assert counted(UsageChanged(100), UsageChanged(30), UsageChanged(50)).tokens == 150


def test_what_an_agent_does_not_say_stays_unknown() -> None:
    usage = counted(UsageChanged(tokens=5, meter="a"), UsageChanged(context=10))
    assert (usage.tokens, usage.cost) == (5, None)
    assert counted(UsageChanged(cost=0.5, meter="a"), UsageChanged(tokens=5, meter="a")).cost == 0.5


def test_numbers_that_cannot_be_are_none() -> None:
    assert counted(UsageChanged(-1, math.nan), UsageChanged(None, math.inf), UsageChanged(-3, -1.0)) == Usage()
    assert counted(UsageChanged(10**40, 1e308), UsageChanged(None, 1e8)) == Usage()
    assert counted(UsageChanged(5, 1.0, meter="a"), UsageChanged(None, 1e308, meter="a")).cost == 1.0


def test_old_meters_are_forgotten() -> None:
    usage = counted(*(UsageChanged(1, meter=str(number)) for number in range(3 * MOST_METERS)))
    assert (usage.tokens, len(usage.meters)) == (3 * MOST_METERS, MOST_METERS)
