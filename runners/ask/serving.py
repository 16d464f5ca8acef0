"""Puts the door of one session together: what it serves, and whom it asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from runners.ask import protocol
from runners.ask.asking import Asker, Questions
from runners.ask.door import Door
from runners.ask.leaving import leave
from runners.ask.mcp import BEAT, Mcp
from runners.ask.routes import Routes


def door_for(
    folder: Path,
    desk: Questions,
    clock: Callable[[], datetime],
    *,
    comes: bool,
    told: float | None = None,
    beat: float = BEAT,
    gone: Callable[[str], None] | None = None,
) -> Door:
    """The door of the session in ``folder``; not open yet.

    ``comes``: an answer that is late reaches the agent as a message by itself, so a parked call may end its turn.
    ``told``: seconds the agent gives a tool, where its profile knows; an adapter that sets them says it in the
    address instead, as ``…/mcp?wait=3600``. ``gone``: of a script's session, for when
    its scripts have their answers.
    """
    protocol.software()  # looked up once, and not on the event loop's time
    asker = Asker(folder, desk, clock)
    door = Door(folder, beside=partial(leave, asker, clock, gone) if gone else None)
    Mcp(asker, clock, comes=comes, told=told, beat=beat).mount(door)
    Routes(asker, clock, comes=comes, beat=beat).mount(door)
    return door
