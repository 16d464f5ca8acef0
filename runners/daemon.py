"""The runner: one process beside one worktree. Takes commands, drives the agent, reports; pauses on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import assert_never

import structlog
from msgspec.structs import replace

from bot.wire import codec
from bot.wire.messages import (
    AnswerApplied,
    DeliverAnswer,
    EventBody,
    Merged,
    MergeRefused,
    MergeReview,
    Prompt,
    ReportNow,
    ReviewWithdrawn,
    SendBack,
    SessionChanged,
    SessionEnded,
    StartSession,
    StopSession,
)
from bot.wire.types import Ending, RunState
from runners import git, merging, reviewing, session, ticket, worktrees
from runners.driver import Driver, OpenAgent
from runners.errors import MergeProblem, RunnerError, disk_problem
from runners.leftovers import end_leftovers
from runners.link import Address, Link
from runners.memory import Memory
from runners.merging import MergeOrder
from runners.spool import Spool, Waiting
from runners.ticket import Ticket
from runners.waiting import FOLDER as MERGES

log = structlog.get_logger()

BOT_FILE = "bot"
"""In the host's data folder: the bot's address, which a living runner must learn when it changes."""
TURN_GRACE = 5.0
"""Seconds an agent has to end its turn when the session is stopped."""
PAUSE_DRAIN = 2.0


@dataclass(frozen=True)
class Over:
    """The session ends for good."""

    ending: Ending
    look: str = ""


@dataclass(frozen=True)
class Pausing:
    """The process ends, the session goes on later."""


def _refusal(waiting: Waiting, err: Exception) -> tuple[EventBody, ...]:
    """What the person who waits for this command hears of its failure."""
    words = f"{type(err).__name__}: {err}"
    match codec.command_body(waiting.type, waiting.body):
        case MergeReview(review):
            return (
                MergeRefused(
                    review, f"The merge broke off: {words}.", "Press Merge again; the runner's log says more."
                ),
            )
        case DeliverAnswer(answer):
            return (AnswerApplied(answer.question, applied=False, detail=f"it could not be given: {words}"),)
    return ()


def utc_now() -> datetime:
    return datetime.now(UTC)


class Runner:
    """Owns the session's spool, link and driver. ``run`` returns when the session is over or paused."""

    def __init__(self, folder: Path, paper: Ticket, spool: Spool, memory: Memory, open_agent: OpenAgent) -> None:
        self._folder = folder
        self._ticket = paper
        self._spool = spool
        self._memory = memory
        self._driver = Driver(folder, paper, memory, open_agent, utc_now)
        self._outcome: asyncio.Future[Over | Pausing] = asyncio.get_running_loop().create_future()
        self._link = Link(
            "runner",
            paper.spec.session,
            lambda: Address((folder.parent.parent / BOT_FILE).read_text().strip(), paper.spec.token),
            spool,
            sessions=lambda: (paper.spec.session,),
        )

    def pause(self) -> None:
        self._decide(Pausing())

    def look_again(self) -> None:
        """The host left word in the session's folder."""
        self._link.arrived.set()

    def _decide(self, outcome: Over | Pausing) -> None:
        if not self._outcome.done():
            self._outcome.set_result(outcome)

    async def run(self) -> None:
        state = self._memory.state
        if state.stopping is not None:
            self._decide(Over(Ending.STOPPED))
        async with asyncio.TaskGroup() as tasks:
            link = tasks.create_task(self._link.run(), name="link")
            disk = tasks.create_task(self._watch_disk(), name="spool.watch")
            if not state.ended:
                work = [
                    tasks.create_task(job, name=name)
                    for name, job in (
                        ("turns", self._driver.turns()),
                        ("commands", self._commands()),
                        ("reports", self._driver.reports()),
                    )
                ]
                outcome = await self._outcome
                turns, *others = work
                await self._wind_up(outcome, turns)
                for task in others:
                    task.cancel()
                await asyncio.wait(work)
                await self._close(outcome)
            await self._drain()
            disk.cancel()
            link.cancel()

    async def _drain(self) -> None:
        """A session that is over has nothing left to do but to be heard; a paused one says so if it can."""
        if not self._memory.state.ended:
            await self._link.drained(PAUSE_DRAIN)
            return
        # A bot that has everything accepts the token no more: its acknowledgement was lost, not the news.
        while not await self._link.drained(5.0) and self._link.refusal is None:
            pass
        await asyncio.to_thread(ticket.write_atomic, self._folder / ticket.ENDED, b"")

    async def _watch_disk(self) -> None:
        while self._spool.failure is None:
            await self._spool.broken.wait()
        raise RunnerError(
            f"{self._folder / ticket.SPOOL} cannot be written: {self._spool.failure}.", "Free some disk space."
        )

    # --- commands ----------------------------------------------------------------------------------------------------

    async def _commands(self) -> None:
        while True:
            self._link.arrived.clear()
            if (asked := await asyncio.to_thread(ticket.stop_asked, self._folder)) is not None:
                self._stop(asked, None)
            for waiting in await self._spool.waiting():
                try:
                    await self._do(waiting)
                except Exception as err:
                    # One command's boundary: it must not come again at every start and end the runner each time.
                    log.exception("command.failed", id=waiting.id, type=waiting.type)
                    self._memory.save(self._memory.state, *_refusal(waiting, err), done=waiting.id)
            await self._link.arrived.wait()

    async def _do(self, waiting: Waiting) -> None:
        body = codec.command_body(waiting.type, waiting.body)
        log.info("command", id=waiting.id, type=waiting.type)
        state = self._memory.state
        match body:
            case DeliverAnswer(answer):
                self._driver.desk.answer(answer, waiting.id)
            case Prompt(text):
                self._memory.save(session.prompted(state, text), done=waiting.id)
            case SendBack(review, text):
                self._send_back(review, text, waiting.id)
            case MergeReview():
                await self._merge(body, waiting.id)
            case StopSession():
                self._stop(body, waiting.id)
            case ReportNow():
                await self._driver.report(always=True)
                self._memory.save(state, done=waiting.id)
            case StartSession():
                self._memory.save(state, done=waiting.id)  # a host's to do; refused by nobody, wanted by nobody
            case _:
                assert_never(body)
        self._driver.wake()

    def _send_back(self, review: str, text: str, done: int) -> None:
        state = self._memory.state
        message = session.sent_back_words(text)
        current = None if state.review and state.review.id == review else state.review
        self._memory.save(session.prompted(replace(state, review=current), message), done=done)

    def _stop(self, body: StopSession, done: int | None) -> None:
        self._memory.save(replace(self._memory.state, stopping=body.by), done=done)
        self._decide(Over(Ending.STOPPED))

    async def _merge(self, body: MergeReview, done: int) -> None:
        place, spec, state = self._ticket.place, self._ticket.spec, self._memory.state
        try:
            self._check_verdict(body, await asyncio.to_thread(git.commit_of, Path(self._ticket.repo), place.branch))
            order = MergeOrder(
                repo=Path(self._ticket.repo),
                name=spec.name,
                branch=place.branch,
                commit=body.commit,
                base=place.base,
                by=body.by,
                records=self._folder.parent.parent / MERGES,
                share=place.share,
                summary=state.review.summary if state.review else "",
                fast_forward=self._ticket.fast_forward,
            )
            landed = await asyncio.to_thread(merging.merge, order)
        except (RunnerError, OSError) as err:
            problem = disk_problem(err, "press Merge again") if isinstance(err, OSError) else err
            log.warning("review.merge_refused", error=str(err))
            self._memory.save(self._memory.state, MergeRefused(body.review, problem.problem, problem.fix), done=done)
            return
        log.info("review.merged", commit=landed.commit[:9], landed_on=landed.branch)
        self._memory.save(
            replace(self._memory.state, review=None),
            Merged(body.review, landed.commit, landed.branch, landed.look),
            done=done,
        )
        self._decide(Over(Ending.MERGED, landed.look))

    def _check_verdict(self, body: MergeReview, head: str | None) -> None:
        state = self._memory.state
        if self._driver.busy:
            raise MergeProblem("The agent is working on this branch right now.", "Merge when its turn has ended.")
        if state.review is None or state.review.id != body.review or state.review.commit != body.commit:
            raise MergeProblem(
                f"This review of {body.commit[:9]} is outdated.", "Look at the newest review of this session."
            )
        if head != body.commit:
            moved = f"moved on to {head[:9]}" if head else "is gone"
            raise MergeProblem(
                f"The branch {self._ticket.place.branch} {moved} since this review of {body.commit[:9]}.",
                "Ask the agent to offer its change again.",
            )

    # --- ending ------------------------------------------------------------------------------------------------------

    async def _wind_up(self, outcome: Over | Pausing, turns: asyncio.Task[None]) -> None:
        desk = self._driver.desk
        if isinstance(outcome, Pausing):
            desk.hold = True
            desk.close_momentary("the runner is shutting down; the agent asks again when it is back")
            # The turn is cut off on purpose: what it was about is on disk, and taken up again.
            turns.cancel()
            await asyncio.wait({turns})
            await self._driver.close_agent()
            return
        self._driver.closing = True
        desk.close_all("the session ended")
        if self._driver.busy:
            await self._driver.cancel_turn()
            await asyncio.wait({turns}, timeout=TURN_GRACE)
        turns.cancel()
        await asyncio.wait({turns})
        await self._driver.close_agent()

    async def _close(self, outcome: Over | Pausing) -> None:
        state = self._memory.state
        match outcome:
            case Pausing():
                await self._memory.tell(SessionChanged(RunState.PAUSED, detail="its machine is shutting down"))
            case Over(ending, look):
                gone = () if state.review is None else (ReviewWithdrawn(state.review.id, "the session ended"),)
                ended = await asyncio.to_thread(self._left, ending, look)
                late = await self._unheard()
                await self._memory.save(replace(state, review=None, inbox=(), ended=True), *gone, *late, ended)
                log.info("session.ended", ending=ending, branch=ended.branch, worktree=ended.worktree)
            case _:
                assert_never(outcome)

    async def _unheard(self) -> list[AnswerApplied]:
        """Answers accepted by the link that nobody will apply any more."""
        bodies = [codec.command_body(waiting.type, waiting.body) for waiting in await self._spool.waiting()]
        return [
            AnswerApplied(body.answer.question, applied=False, detail="the session has ended")
            for body in bodies
            if isinstance(body, DeliverAnswer)
        ]

    def _left(self, ending: Ending, look: str) -> SessionEnded:
        """Remove the worktree where nothing would be lost; say what is left and how to get at it. Blocking."""
        place, repo = self._ticket.place, Path(self._ticket.repo)
        worktree = Path(place.worktree)
        try:
            dirty = worktrees.remove_if_clean(worktree, repo, self._ticket.copied)
        except (RunnerError, OSError) as err:
            log.warning("worktree.kept", error=str(err))
            dirty = ("(the worktree could not be looked at)",)
        kept = str(worktree) if dirty else ""
        return SessionEnded(
            ending=ending,
            branch=place.branch,
            worktree=kept,
            dirty=reviewing.named(dirty, place.share),
            look=look or (f"cd {kept}" if kept else f"git switch {place.branch}"),
        )


async def run(folder: Path, open_agent: OpenAgent) -> None:
    """Run the session in ``folder`` until it is over or paused. The caller holds the folder's lock."""
    paper = await asyncio.to_thread(ticket.read, folder)
    structlog.contextvars.bind_contextvars(session=paper.spec.session)
    async with AsyncExitStack() as stack:
        spool = await stack.enter_async_context(Spool(folder / ticket.SPOOL, utc_now))
        if ended := await asyncio.to_thread(end_leftovers, folder):
            log.warning("runner.leftovers_ended", pids=ended)
        memory = await Memory.load(spool, paper.spec.session)
        runner = Runner(folder, paper, spool, memory, open_agent)
        on_signals(runner.pause)
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, runner.look_again)
        log.info("runner.started", worktree=paper.place.worktree)
        await runner.run()
        log.info("runner.ended", ended=memory.state.ended)


def on_signals(call: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, call)
