"""How often to say that the bot does not answer: at once, then ever more seldom, and anew after it has answered."""

from __future__ import annotations

FIRST_GAP = 60.0
LONGEST_GAP = 3600.0


class Complaints:
    """Times are seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._gap = FIRST_GAP
        self._next: float | None = None

    def due(self, now: float) -> bool:
        """Whether this failure is to be told. The wait until the next one doubles each time."""
        if self._next is not None and now < self._next:
            return False
        self._gap = FIRST_GAP if self._next is None else min(2 * self._gap, LONGEST_GAP)
        self._next = now + self._gap
        return True

    def over(self) -> None:
        self._next = None
