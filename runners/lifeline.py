"""A process that ends with whoever started it: they hold one end of a pipe, and nothing is ever written into it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


def watch_lifeline(fd: int, gone: Callable[[], None]) -> Callable[[], None]:
    """Call ``gone`` once the other end is closed; returns what stops the watching."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(fd, 1024):
            loop.remove_reader(fd)
            gone()

    os.set_blocking(fd, False)
    loop.add_reader(fd, readable)

    def forget() -> None:
        loop.remove_reader(fd)

    return forget
