"""Does what follows from a turn that has ended: checks, a review, a word to the agent, rest. Taken up after a crash."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import ReviewOffered, ReviewWithdrawn, SessionChanged
from bot.wire.types import RunState
from runners.agents.base import TurnEnded
from runners.errors import RunnerError, in_words
from runners.repo import checks, git, reviewing, standing, worktrees
from runners.runner import outcome, progress, session
from runners.runner.launch import command_env
from runners.runner.memory import Memory
from runners.runner.reporting import Reporter
from runners.runner.session import Message, Settling
from runners.runner.ticket import Ticket

log = structlog.get_logger()

MOST_OFFERS = 3
"""Times a change is checked anew because its branch moved meanwhile."""


class Aftermath:
    """``prompts`` says whether the agent can be told anything now."""

    def __init__(self, folder: Path, ticket: Ticket, memory: Memory, reporter: Reporter) -> None:
        self._folder = folder
        self._ticket = ticket
        self._memory = memory
        self._reporter = reporter
        self._worktree = Path(ticket.place.worktree)
        self.prompts = True

    async def settle(self) -> None:
        """What follows from a turn that has ended, perhaps in an earlier life of this runner."""
        settling = self._memory.state.settling
        if settling is None:
            return
        self._reporter.look_again()
        try:
            await self._reporter.report()
            await self._follow(TurnEnded(settling.reason, settling.last_words))
        except (RunnerError, OSError) as err:
            await self._not_followed(err, settling)
        self._memory.save(replace(self._memory.state, settling=None))

    async def _not_followed(self, err: RunnerError | OSError, settling: Settling) -> None:
        """Git or the disk refuses what must come of a turn: told once, with the way on; the agent is well."""
        log.warning("turn.not_followed", error=str(err))
        detail = progress.last_words(in_words(err))
        await self._memory.save(
            replace(self._memory.state, settling=None, run=RunState.FAILED, detail=detail),
            SessionChanged(RunState.FAILED, detail=detail, last_words=progress.last_words(settling.last_words)),
        )

    async def _follow(self, ended: TurnEnded, offers: int = 1) -> None:
        place, repo = self._ticket.place, Path(self._ticket.repo)
        await asyncio.to_thread(standing.check_worktree, place, repo)
        head = await asyncio.to_thread(git.commit_of, self._worktree, "HEAD") or ""
        dirty = await asyncio.to_thread(self._dirty)
        self._withdraw_outdated(head)
        state = self._memory.state
        facts = outcome.Facts(head, place.base_commit, dirty, reviewable=place.branch != place.base)
        match outcome.after_turn(state, ended, facts, prompts=self.prompts):
            case outcome.Send(text, why):
                flags = {"asked_to_commit": True} if why == "dirty" else {"nudged": True}
                self._memory.save(replace(state, settling=None, inbox=(*state.inbox, Message(text)), **flags))
            case outcome.Offer():
                await asyncio.to_thread(standing.check_reviewable, place, repo)
                await self._offer(head, ended, dirty, offers)
            case outcome.Rest():
                self._rest(ended, "" if ended.reason == "done" else f"the turn ended: {ended.reason}")
            case outcome.GoOn():
                pass

    def _rest(self, ended: TurnEnded, detail: str) -> None:
        words = progress.last_words(ended.last_words)
        self._memory.save(
            replace(self._memory.state, settling=None, run=RunState.STOPPED, detail=detail),
            SessionChanged(RunState.STOPPED, detail=detail, last_words=words),
        )

    def _dirty(self) -> tuple[str, ...]:
        return worktrees.left_behind(self._worktree, Path(self._ticket.repo), self._ticket.copied)

    def _withdraw_outdated(self, head: str) -> None:
        state = self._memory.state
        if state.review is not None and head not in ("", state.review.commit):
            reason = f"the branch moved on to {head[:9]}"
            self._memory.save(replace(state, review=None), ReviewWithdrawn(state.review.id, reason))

    async def _offer(self, head: str, ended: TurnEnded, dirty: tuple[str, ...], offers: int) -> None:
        ticket = self._ticket
        found_checks = self._reporter.checks = await checks.run_checks(
            ticket.checks, cwd=self._worktree, env=command_env(ticket, self._folder), timeout=ticket.check_timeout
        )
        if await asyncio.to_thread(git.commit_of, self._worktree, "HEAD") != head:
            # What was checked is not what is there: offer anew, unless the checks themselves keep moving it.
            if offers < MOST_OFFERS:
                await self._follow(ended, offers + 1)
            else:
                self._rest(ended, f"the branch moved {offers} times while its checks ran; no review was offered")
            return
        number = session.review_id(self._memory.session_id, self._memory.state.next_review)
        found = await asyncio.to_thread(
            lambda: reviewing.review(
                number,
                ticket.place,
                Path(ticket.repo),
                head=head,
                summary=ended.last_words,
                checks=found_checks,
                dirty=dirty,
            )
        )
        await self._reporter.report()
        state = self._memory.state
        self._memory.save(
            replace(
                state,
                # The diff went out with the event; a state that is written often must stay small.
                review=replace(found, diff=None),
                next_review=state.next_review + 1,
                settling=None,
                offered=head,
                asked_to_commit=False,
            ),
            ReviewOffered(found),
        )
        log.info("review.offered", review=number, commit=found.commit[:9])
