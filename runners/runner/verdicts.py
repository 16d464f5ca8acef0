"""A person's verdict on a review: merged exactly as it was shown, or refused in words."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import Merged, MergeRefused, MergeReview
from bot.wire.types import Ending
from runners.errors import MergeProblem, RunnerError, disk_problem
from runners.repo import git, merging
from runners.repo.merging import MergeOrder
from runners.repo.waiting import FOLDER as MERGES
from runners.runner.ending import Over
from runners.runner.memory import Memory
from runners.runner.session import State
from runners.runner.ticket import Ticket

log = structlog.get_logger()


async def merge(
    body: MergeReview, folder: Path, ticket: Ticket, memory: Memory, *, busy: bool, done: int
) -> Over | None:
    """What the session comes to; None: nothing moved, the person was told why."""
    place, spec, state = ticket.place, ticket.spec, memory.state
    try:
        head = await asyncio.to_thread(git.commit_of, Path(ticket.repo), place.branch)
        _check(body, state, head, place.branch, busy=busy)
        order = MergeOrder(
            repo=Path(ticket.repo),
            name=spec.name,
            branch=place.branch,
            commit=body.commit,
            base=place.base,
            by=body.by,
            records=folder.parent.parent / MERGES,
            share=place.share,
            summary=state.review.summary if state.review else "",
            fast_forward=ticket.fast_forward,
        )
        landed = await asyncio.to_thread(merging.merge, order)
    except (RunnerError, OSError) as err:
        problem = disk_problem(err, "press Merge again") if isinstance(err, OSError) else err
        log.warning("review.merge_refused", error=str(err))
        memory.save(memory.state, MergeRefused(body.review, problem.problem, problem.fix), done=done)
        return None
    log.info("review.merged", commit=landed.commit[:9], landed_on=landed.branch)
    memory.save(
        replace(memory.state, review=None),
        Merged(body.review, landed.commit, landed.branch, landed.look),
        done=done,
    )
    return Over(Ending.MERGED, landed.look)


def _check(body: MergeReview, state: State, head: str | None, branch: str, *, busy: bool) -> None:
    """Raises MergeProblem unless this verdict is on what is there."""
    if busy:
        raise MergeProblem("The agent is working on this branch right now.", "Merge when its turn has ended.")
    if state.review is None or state.review.id != body.review or state.review.commit != body.commit:
        raise MergeProblem(
            f"This review of {body.commit[:9]} is outdated.", "Look at the newest review of this session."
        )
    if head != body.commit:
        moved = f"moved on to {head[:9]}" if head else "is gone"
        raise MergeProblem(
            f"The branch {branch} {moved} since this review of {body.commit[:9]}.",
            "Ask the agent to offer its change again.",
        )
