"""What git refuses after a turn fails the session in words, with a way on; it ends no runner and comes back no more."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import MergeRefused, MergeReview, ReviewOffered, SessionChanged, SessionEnded, StopSession
from bot.wire.types import Ending, RunState
from runners import files
from runners.link.spool import Spool
from runners.repo import git
from runners.runner import session
from runners.runner.daemon import utc_now
from tests.runners.board import ANA
from tests.runners.scene import DONE, RUNNER, WORK, Scene, scene
from tests.runners.test_runner import states

ORPHAN = "git checkout -q --orphan elsewhere && git commit -q --allow-empty -m z"
UNBORN = "git checkout -q --orphan elsewhere"


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


def shell(line: str) -> dict[str, object]:
    return {"run": ["sh", "-c", line]}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (ORPHAN, "shares no history with main"),
        (UNBORN, "has no commit"),
        ('rm -rf "$PWD"', "is gone"),
        ("git update-ref -d HEAD", "has no commit"),
    ],
    ids=["orphan", "unborn", "no-worktree", "no-branch"],
)
async def test_a_turn_that_leaves_no_reviewable_branch_fails_in_words(stage: Scene, line: str, words: str) -> None:
    stage.script(shell(line), DONE, follow=[DONE])
    async with stage.runner():
        failed = await states(stage, RunState.FAILED)
        assert words in failed.detail
        assert "switchboard/search" in failed.detail  # what to do about it
        assert failed.last_words == "Search works."
    async with Spool(stage.session / files.SPOOL, utc_now) as spool:
        assert session.decode(await spool.state("session")).settling is None
    async with stage.runner():  # the same trouble does not come again by itself
        await stage.board.tell(RUNNER, StopSession(stage.board.hellos[-1].sessions[0], ANA))
        assert (await stage.board.heard(SessionEnded)).ending is Ending.STOPPED


async def test_a_branch_put_right_is_offered_after_a_message(stage: Scene) -> None:
    stage.script(*WORK, shell(ORPHAN), DONE, follow=[shell("git checkout -q switchboard/search"), DONE])
    async with stage.runner():
        await states(stage, RunState.FAILED)
        await stage.prompt("Go back to your branch.")
        review = (await stage.board.heard(ReviewOffered)).review
    assert [commit.subject for commit in review.commits] == ["Add search"]


async def test_a_worktree_put_back_is_worked_in_again(stage: Scene) -> None:
    stage.script(*WORK, DONE, follow=[DONE])
    async with stage.runner():
        await stage.board.heard(ReviewOffered)
        shutil.rmtree(stage.worktree)
        await stage.prompt("Go on.")
        failed = await states(stage, RunState.FAILED)
        assert f"git -C {stage.repo} worktree" in failed.detail
        git.run(stage.repo, "worktree", "prune")
        git.run(stage.repo, "worktree", "add", "--quiet", str(stage.worktree), "switchboard/search")
        await stage.prompt("It is back.")
        await states(stage, RunState.STOPPED)


async def test_a_merge_that_breaks_is_refused_in_words(stage: Scene) -> None:
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        stage.repo.rename(stage.folder / "elsewhere")
        stage.repo.write_text("not a repository")
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
        assert refused.problem
        stage.repo.unlink()
        (stage.folder / "elsewhere").rename(stage.repo)
    assert [change.state for change in stage.board.all(SessionChanged)][-1] is RunState.PAUSED
