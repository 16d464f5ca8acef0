"""Tells people how a session gets on: at most once per interval, and only when something has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import Progressed
from bot.wire.types import Check, Snapshot
from runners.agents.base import Said, Update, UsageChanged
from runners.errors import RunnerError
from runners.repo import reviewing
from runners.runner import budget, progress, usage
from runners.runner.memory import Memory
from runners.runner.ticket import Ticket

log = structlog.get_logger()


class Reporter:
    """``reports`` is its long-lived task; all else may be called from any other. ``on_spent``: money was spent."""

    def __init__(
        self, ticket: Ticket, memory: Memory, clock: Callable[[], datetime], on_spent: Callable[[], None]
    ) -> None:
        self._ticket = ticket
        self._memory = memory
        self._clock = clock
        self._on_spent = on_spent
        self._touched = asyncio.Event()
        self._git_stale = True
        self._facts = progress.GitFacts()
        self.tally = progress.Tally()
        self.checks: tuple[Check, ...] = ()
        self._no_room = ""
        self._had_turn = False
        self._shown = self._snapshot()

    def take_note(self, update: Update) -> None:
        self.tally = progress.reduce(self.tally, update)
        if isinstance(update, UsageChanged):
            state = self._memory.state
            self._memory.save(replace(state, usage=usage.read(state.usage, update)))
            self._on_spent()
        if not isinstance(update, Said):
            self._git_stale = True
        self._touched.set()

    def begin_turn(self) -> None:
        self.tally = progress.new_turn(self.tally)
        self._touched.set()

    def agent_gone(self) -> None:
        self.tally = progress.agent_gone(self.tally)
        self.look_again()

    def in_trouble(self, words: str) -> None:
        self.tally = progress.in_trouble(self.tally, words)
        self._touched.set()

    def no_room(self, words: str) -> None:
        """Told at once, while it still can be; empty: there is room again."""
        self._no_room = words
        self.tell()

    def turn_ended(self) -> None:
        """By now an agent that reports what it costs has done so."""
        self._had_turn = True
        self._touched.set()

    def look_again(self) -> None:
        """The worktree may have changed."""
        self._git_stale = True
        self._touched.set()

    async def reports(self) -> None:
        """Send a snapshot when something changed, at most once per interval."""
        while True:
            await self._touched.wait()
            self._touched.clear()
            await self.report()
            await asyncio.sleep(self._ticket.report_every)

    async def report(self, *, always: bool = False) -> None:
        """Send what changed since the last snapshot; ``always`` sends it even if nothing did."""
        if self._git_stale:
            self._git_stale = False
            place = self._ticket.place
            try:
                self._facts = await asyncio.to_thread(reviewing.git_facts, Path(place.worktree), place.base_commit)
            except (RunnerError, OSError) as err:
                log.info("progress.no_git", error=str(err))
        self.tell(always=always)

    def tell(self, *, always: bool = False) -> None:
        """Send what is known, git's part as it was last looked at."""
        found = self._snapshot()
        if found != self._shown or always:
            self._shown = found
            self._memory.tell(Progressed(progress.stamped(found, self._clock())))

    def _snapshot(self) -> Snapshot:
        share, spent = self._ticket.place.share, self._memory.state.usage
        tally = self.tally
        if words := self._no_room or (not tally.trouble and self._unwatched()):
            tally = progress.in_trouble(tally, words)
        return progress.snapshot(tally, self._facts, self.checks, share, spent)

    def _unwatched(self) -> str:
        """Whoever gave a budget must know that nothing holds the agent to it."""
        state, most = self._memory.state, budget.limit(self._memory.state, self._ticket.spec.budget)
        if most is None or not self._had_turn or state.usage.cost is not None:
            return ""
        return f"its budget of ${most:.2f} is not watched: this agent does not say what it costs"
