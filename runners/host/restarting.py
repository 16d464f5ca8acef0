"""When a runner that ended may be started again: at once a few times, then ever more slowly, never not at all. Pure."""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

MOST, WITHIN = 5, 60.0
"""A runner that ends this often in so many seconds rests."""
FIRST_REST, LONGEST_REST = 300.0, 3600.0
"""Seconds of the first rest, and of the longest: each is twice the one before it."""


class Next(Enum):
    START = auto()
    WAIT = auto()
    GIVE_UP = auto()
    """It rests from now on: say so, and for how long."""


class Restarts:
    """One runner's starts. ``next`` is asked while it is not running; the answer START or GIVE_UP counts as done."""

    def __init__(self, first_rest: float = FIRST_REST) -> None:
        self.rest = first_rest
        """Seconds of the rest under way, or of the next one."""
        self._first_rest = first_rest
        self._starts: deque[float] = deque(maxlen=MOST)
        self._until: float | None = None
        self._tried: float | None = None

    def next(self, now: float) -> Next:
        if self._until is not None:
            if now < self._until:
                return Next.WAIT
            self._until, self._tried = None, now
            return Next.START
        if self._tried is not None:
            if now - self._tried < WITHIN:
                self.rest = min(2 * self.rest, LONGEST_REST)
                return self._give_up(now)
            self._tried, self.rest = None, self._first_rest
            self._starts.clear()
        if len(self._starts) == MOST and now - self._starts[0] < WITHIN:
            return self._give_up(now)
        self._starts.append(now)
        return Next.START

    def _give_up(self, now: float) -> Next:
        self._until, self._tried = now + self.rest, None
        return Next.GIVE_UP
