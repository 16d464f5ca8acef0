"""A runner that does not stay up is started ever more slowly, and never given up for good."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

from runners.host.restarting import FIRST_REST, LONGEST_REST, MOST, WITHIN, Next, Restarts


def starts(seconds: float, lives: float = 0.0) -> tuple[list[float], list[float]]:
    """When a runner that lives this long each time is started and given up, looked at once a second."""
    found, started, given_up, dead_at, now = Restarts(), [], deque[float](), 0.0, 0.0
    while now < seconds:
        if now >= dead_at:
            match found.next(now):
                case Next.START:
                    started.append(now)
                    dead_at = now + lives
                case Next.GIVE_UP:
                    given_up.append(now)
                case Next.WAIT:
                    pass
        now += 1.0
    return started, list(given_up)


def test_a_runner_that_ends_at_once_rests_longer_each_time() -> None:
    started, given_up = starts(20_000)
    assert started[:MOST] == [0.0, 1.0, 2.0, 3.0, 4.0]
    rests = [after - before for before, after in zip(given_up, started[MOST:], strict=False)]
    assert rests[:6] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST, LONGEST_REST, LONGEST_REST]


def test_a_runner_that_ends_now_and_then_is_started_at_once() -> None:
    started, given_up = starts(5_000, lives=WITHIN / 4)
    assert given_up == []
    assert max(after - before for before, after in pairwise(started)) == WITHIN / 4


def test_a_runner_that_stays_up_after_a_rest_has_its_tries_back() -> None:
    found = Restarts()
    for now in range(MOST):
        assert found.next(now) is Next.START
    assert found.next(MOST) is Next.GIVE_UP
    assert found.next(MOST + FIRST_REST - 1) is Next.WAIT
    assert found.next(MOST + FIRST_REST) is Next.START
    late = MOST + FIRST_REST + WITHIN
    assert [found.next(late + n) for n in range(MOST + 1)] == [Next.START] * MOST + [Next.GIVE_UP]
    assert found.rest == FIRST_REST
