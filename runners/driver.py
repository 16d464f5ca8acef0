"""Drives one agent: turns in order, what follows from each, failures. Knows the agent only by its port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import Progressed, QuestionWithdrawn, ReviewOffered, ReviewWithdrawn, SessionChanged
from bot.wire.types import Check, RunState
from runners import checks, git, progress, reviewing, session, standing, worktrees
from runners.agents.base import Agent, Desk, Launch, Said, TurnEnded, Update
from runners.errors import AgentDied, RunnerError, disk_problem
from runners.launch import agent_env, command_env
from runners.memory import Memory
from runners.questions import QuestionDesk
from runners.ticket import AGENT_LOG, Ticket

log = structlog.get_logger()

MOST_OFFERS = 3
"""Times a change is checked anew because its branch moved meanwhile."""

OpenAgent = Callable[[Launch, Desk], Agent]


class Driver:
    """One per runner. ``turns`` and ``reports`` are its long-lived tasks; all else may be called from any other."""

    def __init__(
        self, folder: Path, ticket: Ticket, memory: Memory, open_agent: OpenAgent, clock: Callable[[], datetime]
    ) -> None:
        self._ticket = ticket
        self._memory = memory
        self._clock = clock
        self._worktree = Path(ticket.place.worktree)
        self._folder = folder
        self._open_agent = open_agent
        self.desk = QuestionDesk(memory, self._take_note, self._tell, ticket.place.share, folder / "asked")
        self._agent: Agent | None = None
        self._wake = asyncio.Event()
        self._touched = asyncio.Event()
        self._git_stale = True
        self._tally = progress.Tally()
        self._facts = progress.GitFacts()
        self._checks: tuple[Check, ...] = ()
        self._shown = progress.snapshot(self._tally, self._facts, (), ticket.place.share)
        self.busy = False
        """A turn, or the checks after it, is under way."""
        self.closing = False
        """Set when the session ends: the turn under way is the last."""

    # --- turns -------------------------------------------------------------------------------------------------------

    async def turns(self) -> None:
        """Work off the messages, one turn each, for as long as the session lives."""
        self._recover()
        await self._settle()
        while not self.closing:
            while not self._memory.state.inbox:
                self._wake.clear()
                await self._wake.wait()
            self.busy = True
            try:
                await self._turn()
            except (RunnerError, OSError) as err:
                self._wake.clear()
                await self._failed(err)
                self.busy = False
                await self._wake.wait()  # a person's message brings the agent back
            finally:
                self.busy = False

    def wake(self) -> None:
        """There is a message, or a reason to try again."""
        self._wake.set()

    def _recover(self) -> None:
        state = self._memory.state
        if not state.introduced:
            if not state.inbox:
                self._memory.save(replace(state, inbox=(self._preamble(),)), SessionChanged(RunState.STARTING))
            return
        back = session.resumed(state)
        lost = "the session was restarted; the agent asks again if it still needs this"
        self._memory.save(
            back.state,
            *(QuestionWithdrawn(question.id, lost) for question in back.withdrawn),
            SessionChanged(back.state.run, detail=back.state.detail),
        )

    def _preamble(self, *more: str) -> str:
        place, spec = self._ticket.place, self._ticket.spec
        return session.preamble(
            spec.task,
            branch=place.branch,
            base=place.base,
            scope=place.scope,
            ports=place.ports,
            notes=(*self._ticket.notes, *more),
        )

    async def _turn(self) -> None:
        agent, fresh = await self._ready()
        state = self._memory.state
        first, *rest = state.inbox
        message = session.said_with_open(state, first)
        if fresh and state.introduced:
            # The agent could not take up its old session: it needs to be told everything again.
            message = self._preamble("", "Work on this was begun before; look at the branch first.", message)
        await self._memory.save(
            replace(state, inbox=tuple(rest), turn=message, introduced=True, run=RunState.WORKING, detail=""),
            *(() if state.run is RunState.WORKING else (SessionChanged(RunState.WORKING),)),
        )
        self._tally = progress.new_turn(self._tally)
        self._touched.set()
        ended = await agent.prompt(message)
        log.info("turn.ended", reason=ended.reason)
        if self.closing:
            return
        settling = session.Settling(ended.reason, progress.last_words(ended.last_words, reviewing.SUMMARY))
        self._memory.save(replace(self._memory.state, turn="", told=(), settling=settling))
        await self._settle()

    async def _settle(self) -> None:
        """What follows from a turn that has ended, perhaps in an earlier life of this runner."""
        settling = self._memory.state.settling
        if settling is None:
            return
        self.busy = True
        self._git_stale = True
        try:
            await self.report()
            await self._follow(TurnEnded(settling.reason, settling.last_words))
        except (RunnerError, OSError) as err:
            await self._not_followed(err, settling)
        self._memory.save(replace(self._memory.state, settling=None))
        self.busy = False

    async def _not_followed(self, err: RunnerError | OSError, settling: session.Settling) -> None:
        """Git or the disk refuses what must come of a turn: told once, with the way on; the agent is well."""
        log.warning("turn.not_followed", error=str(err))
        detail = progress.last_words(_words(err))
        await self._memory.save(
            replace(self._memory.state, settling=None, run=RunState.FAILED, detail=detail),
            SessionChanged(RunState.FAILED, detail=detail, last_words=progress.last_words(settling.last_words)),
        )

    async def _ready(self) -> tuple[Agent, bool]:
        """The agent, and whether it knows nothing of this session yet."""
        await asyncio.to_thread(standing.check_worktree, self._ticket.place, Path(self._ticket.repo))
        if self._agent is not None:
            return self._agent, False
        state = self._memory.state
        launch = Launch(
            name=self._ticket.agent,
            argv=self._ticket.argv,
            cwd=self._worktree,
            log=self._folder / AGENT_LOG,
            env=agent_env(self._ticket, self._folder),
            login_hint=self._ticket.login,
            start_timeout=self._ticket.start_timeout,
            adapter=self._ticket.adapter,
            profile=self._ticket.profile,
            folder=self._folder,
            rules=self._ticket.rules,
            model=self._ticket.model,
            mode=self._ticket.mode,
        )
        agent = self._open_agent(launch, self.desk)
        try:
            info = await agent.start(resume=state.agent_session)
        except BaseException:
            await asyncio.shield(agent.close())
            raise
        self._agent = agent
        log.info("agent.started", agent=info.title, version=info.version, resumed=info.resumed)
        self._memory.save(replace(self._memory.state, agent_session=info.session))
        return agent, not info.resumed

    async def _follow(self, ended: TurnEnded, offers: int = 1) -> None:
        place, repo = self._ticket.place, Path(self._ticket.repo)
        await asyncio.to_thread(standing.check_worktree, place, repo)
        head = await asyncio.to_thread(git.commit_of, self._worktree, "HEAD") or ""
        dirty = await asyncio.to_thread(self._dirty)
        self._withdraw_outdated(head)
        state = self._memory.state
        match session.after_turn(state, ended, session.Facts(head, place.base_commit, dirty)):
            case session.Send(text, why):
                flags = {"asked_to_commit": True} if why == "dirty" else {"nudged": True}
                self._memory.save(replace(state, settling=None, inbox=(*state.inbox, text), **flags))
            case session.Offer():
                await asyncio.to_thread(standing.check_reviewable, place, repo)
                await self._offer(head, ended, dirty, offers)
            case session.Rest():
                self._rest(ended, "" if ended.reason == "done" else f"the turn ended: {ended.reason}")
            case session.GoOn():
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
        self._checks = await checks.run_checks(
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
                checks=self._checks,
                dirty=dirty,
            )
        )
        await self.report()
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

    async def _failed(self, err: RunnerError | OSError) -> None:
        log.warning("agent.failed", error=str(err))
        words = err.last_words if isinstance(err, AgentDied) else ""
        self.desk.close_all("the agent is gone")
        await self.close_agent()
        self._git_stale = True
        await self.report()  # ahead of the news, as before a question
        detail = progress.last_words(_words(err))
        self._memory.save(
            replace(session.resumed(self._memory.state).state, run=RunState.FAILED, detail=detail),
            SessionChanged(RunState.FAILED, detail=detail, last_words=progress.last_words(words or self._tally.said)),
        )

    # --- ending ------------------------------------------------------------------------------------------------------

    async def cancel_turn(self) -> None:
        if self._agent is not None:
            try:
                await self._agent.cancel()
            except RunnerError as err:
                log.info("agent.cancel_failed", error=str(err))

    async def close_agent(self) -> None:
        agent, self._agent = self._agent, None
        if agent is not None:
            await agent.close()

    # --- progress ----------------------------------------------------------------------------------------------------

    def _take_note(self, update: Update) -> None:
        self._tally = progress.reduce(self._tally, update)
        if not isinstance(update, Said):
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
            try:
                self._facts = await asyncio.to_thread(
                    reviewing.git_facts, self._worktree, self._ticket.place.base_commit
                )
            except (RunnerError, OSError) as err:
                log.info("progress.no_git", error=str(err))
        self._tell(always=always)

    def _tell(self, *, always: bool = False) -> None:
        """Send what is known, git's part as it was last looked at."""
        found = progress.snapshot(self._tally, self._facts, self._checks, self._ticket.place.share)
        if found != self._shown or always:
            self._shown = found
            self._memory.tell(Progressed(progress.stamped(found, self._clock())))


def _words(err: RunnerError | OSError) -> str:
    return str(disk_problem(err, "reply here") if isinstance(err, OSError) else err)
