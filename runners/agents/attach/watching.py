"""Looks at a hand-run session's terminal: one that is closed tells nobody, nor does a worktree that is moved away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import structlog

from runners.attach.record import Record, why_gone

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two looks."""


class Watch:
    """``gone`` is called once, with the reason. ``more`` looks at what else there is; its words are a reason too."""

    def __init__(
        self,
        folder: Path,
        cwd: Path,
        known: Callable[[], Record | None],
        gone: Callable[[str], None],
        more: Callable[[], Awaitable[str]],
    ) -> None:
        self._folder, self._cwd = folder, cwd
        self._known, self._on_gone, self._more = known, gone, more
        self._now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.gone = False

    def begin(self) -> None:
        self._task = asyncio.create_task(self._run(), name="terminal")

    def look(self) -> None:
        """At once, and not in a second."""
        self._now.set()

    def leave(self, why: str) -> None:
        if not self.gone:
            self.gone = True
            log.info("terminal.gone", why=why)
            self._on_gone(why)

    async def end(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _run(self) -> None:
        while not self.gone:
            self._now.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._now.wait()
            try:
                why = await asyncio.to_thread(why_gone, self._folder, self._known(), self._cwd) or await self._more()
            except OSError as err:
                log.warning("terminal.not_seen", error=str(err))
                continue
            if why:
                self.leave(why)
