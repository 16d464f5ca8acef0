"""A script's session leaves the board by itself, once its scripts have their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from runners.ask.asking import Asker

LOOK_EVERY = 20.0
"""Seconds between two looks."""
LINGERS = timedelta(minutes=1)
"""For the next question of the same Makefile."""
UNCOLLECTED = timedelta(hours=24)
"""An answer that its script has not come back for yet, or a session in which nothing was ever asked, waits so long."""
REASON = "its script has its answer"


async def leave(
    asker: Asker, clock: Callable[[], datetime], gone: Callable[[str], None], every: float = LOOK_EVERY
) -> None:
    """Until the session may end; then says so once."""
    while not await over(asker, clock()):  # noqa: ASYNC110  (it is time that changes this)
        await asyncio.sleep(every)
    gone(REASON)


async def over(asker: Asker, now: datetime) -> bool:
    """Nobody waits, nothing is open, and what was answered is collected or forgotten."""
    if asker.waiting or await asker.open():
        return False
    return now - asker.last >= (LINGERS if asker.collected else UNCOLLECTED)
