"""How much of a repository leaves its host: what ``share`` says, on any way out; and secrets in no name either."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import (
    Asked,
    MergeRefused,
    MergeReview,
    Progressed,
    ReportNow,
    ReviewOffered,
    SessionEnded,
    StopSession,
)
from bot.wire.types import CheckState, Share
from runners.errors import SetupFailed
from tests.runners.board import ANA
from tests.runners.places import save
from tests.runners.scene import CHOICE, DONE, RUNNER, WORK, S, Scene, scene

SECRET = "ghp" + "_" + "a1B2" * 9


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


def edit(**more: str) -> dict[str, object]:
    diff = {"path": "secret_plan.py", "old": "a = 1\n", "new": "SECRET_ALGO = 2\n"}
    return {"ask": "permission", "name": "ok", "title": "Edit secret_plan.py", "diff": diff, **more}


@pytest.mark.parametrize(
    ("share", "detail"), [(Share.NONE, "1 file, +1 −1"), (Share.STAT, "secret_plan.py +1 −1"), (Share.FULL, "+SECRET")]
)
async def test_a_permission_to_edit_shows_what_is_shared_and_where_to_see_all(
    stage: Scene, share: Share, detail: str
) -> None:
    stage.settings |= {"share": share}
    stage.script(edit())
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
        assert detail in question.detail
        assert ("SECRET_ALGO" in stage.board.sent()) is (share is Share.FULL)
        assert ("secret_plan" in stage.board.sent()) is (share is not Share.NONE)
        if share is Share.FULL:
            return
        kept = stage.session / "asked" / f"{question.id}.txt"
        assert question.context.endswith(f"It is shown whole on its host, in {kept}")
        while not kept.exists():
            await stage.board.tell(RUNNER, ReportNow())
            await stage.board.heard(Progressed, len(stage.board.all(Progressed)) + 1)
        assert "+SECRET_ALGO = 2" in kept.read_text()
        assert kept.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("share", "dirty"), [(Share.NONE, "1 path (names not shared)"), (Share.STAT, "half.txt")])
async def test_what_kept_a_worktree_is_named_where_names_are_shared(stage: Scene, share: Share, dirty: str) -> None:
    stage.settings |= {"share": share}
    stage.script({"edit": "half.txt", "text": "x"}, CHOICE)
    async with stage.runner():
        await stage.board.heard(Asked)
        await stage.board.tell(RUNNER, StopSession(S, ANA))
        ended = await stage.board.heard(SessionEnded)
    assert ended.dirty == (dirty,)
    assert ended.worktree == str(stage.worktree)


@pytest.mark.parametrize("share", [Share.NONE, Share.STAT])
async def test_a_refused_merge_names_conflicts_where_names_are_shared(stage: Scene, share: Share) -> None:
    stage.settings |= {"share": share}
    stage.script({"edit": "README.md", "text": "theirs"}, {"commit": "Theirs"}, DONE)
    await stage.place()
    (stage.repo / "README.md").write_text("ours")
    save(stage.repo, "Ours")
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
    assert ("README.md" in refused.problem) is (share is Share.STAT)
    assert ("README.md" in stage.board.sent()) is (share is Share.STAT)
    assert "conflicts in" in refused.problem


async def test_what_git_says_of_a_failed_merge_stays_here_where_no_names_are_shared(stage: Scene) -> None:
    """Git names the file that is in its way."""
    stage.settings |= {"share": Share.NONE, "fast_forward": True}
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        (stage.repo / ".git" / "index.lock").touch()
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
    assert refused.problem.startswith("git could not merge switchboard/search into main")
    assert "index.lock" not in stage.board.sent()


async def test_the_output_of_commands_stays_here_where_no_names_are_shared(stage: Scene) -> None:
    stage.settings |= {"share": Share.NONE, "checks": (("sh", "-c", "cat app.py; exit 1"),)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
    assert (review.checks[0].state, review.checks[0].tail) == (CheckState.FAILED, "")
    assert "hello" not in stage.board.sent()


@pytest.mark.parametrize("share", [Share.NONE, Share.STAT])
async def test_a_set_up_that_fails_tells_its_output_where_names_are_shared(stage: Scene, share: Share) -> None:
    stage.settings |= {"share": share, "setup": (("sh", "-c", "cat app.py; exit 3"),)}
    with pytest.raises(SetupFailed, match="status 3") as caught:
        await stage.place()
    assert ("hello" in caught.value.problem) is (share is Share.STAT)


async def test_a_secret_in_the_name_of_a_file_does_not_leave(stage: Scene) -> None:
    stage.settings |= {"share": Share.FULL, "scope": ("docs/",)}
    steps = [{"edit": f"{SECRET}.txt", "text": "x"}, {"commit": "Add"}, {"edit": f"{SECRET}.md", "text": "x"}, DONE]
    stage.script(*steps, follow=[DONE])
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        await stage.board.tell(RUNNER, StopSession(S, ANA))
        await stage.board.heard(SessionEnded)
    assert review.stat[0].path == review.outside_scope[0] == "[github token removed].txt"
    assert review.dirty == ("[github token removed].md",)
    assert SECRET not in stage.board.sent()
