"""A runner and its agent: what follows from turns, answers, reviews, verdicts, stops, crashes and restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    Merged,
    MergeRefused,
    MergeReview,
    Progressed,
    QuestionWithdrawn,
    ReportNow,
    ReviewOffered,
    ReviewWithdrawn,
    SendBack,
    SessionChanged,
    SessionEnded,
    StopSession,
)
from bot.wire.types import ALLOW, DENY, CheckState, Ending, QuestionKind, RunState, Share
from runners.config import AgentConfig
from runners.repo import git
from tests.runners.board import ANA
from tests.runners.places import save, spec
from tests.runners.scene import CHOICE, DONE, PERMISSION, RUNNER, TEXT, WORK, S, Scene, scene


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


async def states(stage: Scene, state: RunState, count: int = 1) -> SessionChanged:
    while True:
        heard = [change for change in stage.board.all(SessionChanged) if change.state is state]
        if len(heard) >= count:
            return heard[count - 1]
        await stage.board.heard(SessionChanged, len(stage.board.all(SessionChanged)) + 1)


# --- questions -------------------------------------------------------------------------------------------------------


async def test_answers_reach_the_agent_which_uses_them(stage: Scene) -> None:
    stage.script(CHOICE, TEXT, PERMISSION, {"say": "index={{index}} name={{name}} ok={{ok}}"}, {"end": "limit"})
    async with stage.runner():
        choice = (await stage.board.heard(Asked, 1)).question
        assert (choice.id, choice.kind, choice.title) == (f"{S}.q1", QuestionKind.CHOICE, "Which index?")
        assert [option.recommended for option in choice.options] == [True, False]
        await stage.answer(choice, option="tantivy")
        text = (await stage.board.heard(Asked, 2)).question
        assert text.kind is QuestionKind.TEXT
        await stage.answer(text, text="Bluebird")
        permission = (await stage.board.heard(Asked, 3)).question
        assert (permission.kind, permission.detail) == (QuestionKind.PERMISSION, "touch made.txt")
        await stage.answer(permission, option=ALLOW)
        stopped = await states(stage, RunState.STOPPED)
    assert "index=Tantivy name=Bluebird ok=allow" in stopped.last_words
    assert all(applied.applied for applied in stage.board.all(AnswerApplied))


async def test_text_never_grants_a_permission(stage: Scene) -> None:
    stage.script(PERMISSION, follow=[{"say": "ok={{ok}}"}, {"end": "limit"}])
    async with stage.runner():
        await stage.answer((await stage.board.heard(Asked)).question, text="allow")
        stopped = await states(stage, RunState.STOPPED)
    assert "ok=" in stopped.last_words
    assert "ok=allow" not in stopped.last_words


async def test_a_denial_reaches_the_agent_with_its_reason(stage: Scene) -> None:
    stage.script(PERMISSION, follow=[{"say": "[{{prompt}}]"}, {"end": "limit"}])
    async with stage.runner():
        await stage.answer((await stage.board.heard(Asked)).question, option=DENY, text="not today")
        stopped = await states(stage, RunState.STOPPED)
    assert "not today" in stopped.last_words


async def test_a_late_answer_is_told_that_the_session_moved_on(stage: Scene) -> None:
    stage.script(CHOICE, TEXT)
    async with stage.runner():
        first = (await stage.board.heard(Asked)).question
        await stage.answer(first, option="fts")
        await stage.answer(first, option="tantivy")
        late = await stage.board.heard(AnswerApplied, 2)
    assert not late.applied
    assert "moved on" in late.detail


@pytest.mark.parametrize("count", [0, 1, 30])
async def test_a_question_with_any_number_of_options_is_asked(stage: Scene, count: int) -> None:
    options = [{"id": f"o{n}", "label": "x " * 1500 if n == 0 else f"Option {n}"} for n in range(count)]
    stage.script(
        {"ask": "choice", "name": "c", "title": "Pick", "options": options}, {"say": "got {{c}}"}, {"end": "limit"}
    )
    async with stage.runner():
        asked = (await stage.board.heard(Asked)).question
        if asked.kind is QuestionKind.TEXT:
            assert asked.options == ()
            await stage.answer(asked, text="mine")
        else:
            assert len(asked.options) == count
            await stage.answer(asked, option=asked.options[-1].id)
        assert "got " in (await states(stage, RunState.STOPPED)).last_words


# --- turns -----------------------------------------------------------------------------------------------------------


async def test_a_turn_that_ends_in_prose_is_nudged_once_and_then_stopped(stage: Scene) -> None:
    stage.script({"say": "All good, what next?"}, follow=[{"say": "Heard: {{prompt}}"}])
    async with stage.runner():
        stopped = await states(stage, RunState.STOPPED)
        assert "neither a question nor a commit" in stopped.last_words
        await stage.prompt("And now?")
        assert (await states(stage, RunState.STOPPED, 2)).last_words == "Heard: And now?"
    assert stage.board.all(ReviewOffered) == []
    assert stage.board.all(Asked) == []


async def test_a_dirty_tree_is_sent_back_once_and_then_shown(stage: Scene) -> None:
    stage.script(*WORK, {"edit": "left.txt", "text": "x"}, {"say": "First."}, follow=[{"say": "No."}])
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
    assert review.dirty == ("left.txt",)
    assert review.summary == "No."


async def test_progress_tells_commits_files_and_steps(stage: Scene) -> None:
    plan = {"plan": ["Look", "Write"], "done": 1, "active": 2}
    stage.script(plan, *WORK, {"usage": 1200, "cost": 0.25}, {"edit": "b.txt", "text": "1\n2\n"}, TEXT)
    async with stage.runner():
        await stage.board.heard(Asked)
        await stage.board.tell(RUNNER, ReportNow())
        while (found := stage.board.all(Progressed)[-1].snapshot if stage.board.all(Progressed) else None) is None or (
            found.file_count < 2
        ):
            await stage.board.heard(Progressed, len(stage.board.all(Progressed)) + 1)
    assert [commit.subject for commit in found.commits] == ["Add search"]
    assert found.line == "Write"
    assert {file.path for file in found.files} == {"search.py", "b.txt"}
    assert found.cost == 0.25


# --- reviews ---------------------------------------------------------------------------------------------------------


async def test_a_finished_change_is_offered_at_its_commit_and_merged_by_the_approver(stage: Scene) -> None:
    stage.settings |= {"checks": (("echo", "2 tests"), ("false",)), "share": Share.FULL, "scope": ("docs/",)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        assert review.id == f"{S}.r1"
        assert review.summary == "Search works."
        assert review.commit == git.commit_of(stage.worktree, "HEAD")
        assert [check.state for check in review.checks] == [CheckState.PASSED, CheckState.FAILED]
        assert review.checks[0].tail == "2 tests"
        assert review.outside_scope == ("search.py",)
        assert review.diff is not None
        assert "+x = 1" in review.diff
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        merged = await stage.board.heard(Merged)
        ended = await stage.board.heard(SessionEnded)
    assert ended.ending is Ending.MERGED
    assert ended.look == merged.look == "git merge --ff-only switchboard/merged/search"
    assert not stage.worktree.exists()
    assert git.has_branch(stage.repo, "switchboard/search")


async def test_a_change_sent_back_is_offered_again_at_its_new_commit(stage: Scene) -> None:
    follow = [{"edit": "search.py", "text": "y = 2\n"}, {"commit": "Rename"}, {"say": "Did: {{prompt}}"}]
    stage.script(*WORK, DONE, follow=follow)
    async with stage.runner():
        first = (await stage.board.heard(ReviewOffered)).review
        await stage.board.tell(RUNNER, SendBack(first.id, "Call it y", ANA))
        second = (await stage.board.heard(ReviewOffered, 2)).review
        assert second.id == f"{S}.r2"
        assert "Call it y" in second.summary
        await stage.board.tell(RUNNER, MergeReview(first.id, first.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
    assert "outdated" in refused.problem
    assert refused.fix
    assert stage.board.all(Merged) == []


async def test_a_branch_that_moves_on_withdraws_its_review(stage: Scene) -> None:
    stage.script(*WORK, DONE, follow=[{"edit": "b.txt", "text": "b"}, {"commit": "More"}, DONE])
    async with stage.runner():
        first = (await stage.board.heard(ReviewOffered)).review
        await stage.prompt("More, please")
        withdrawn = await stage.board.heard(ReviewWithdrawn)
        assert withdrawn.review == first.id
        await stage.board.heard(ReviewOffered, 2)


async def test_a_verdict_on_a_branch_that_somebody_moved_is_refused(stage: Scene) -> None:
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        (stage.worktree / "by_hand.txt").write_text("x")
        moved = save(stage.worktree, "By hand")
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
    assert moved[:9] in refused.problem


async def test_a_conflict_is_on_the_card_and_refuses_the_merge(stage: Scene) -> None:
    stage.script({"edit": "README.md", "text": "theirs"}, {"commit": "Theirs"}, DONE)
    await stage.place()
    (stage.repo / "README.md").write_text("ours")
    save(stage.repo, "Ours")
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        assert review.conflicts == ("README.md",)
        assert review.file_count == 1
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        refused = await stage.board.heard(MergeRefused)
    assert "README.md" in refused.problem
    assert "Send it back" in refused.fix


@pytest.mark.parametrize("share", [Share.NONE, Share.STAT])
async def test_what_is_not_shared_does_not_leave(stage: Scene, share: Share) -> None:
    stage.settings |= {"share": share, "checks": (("ls",),), "scope": ("docs/",)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
    assert review.diff is None
    everything = repr((review, stage.board.all(Progressed)))
    assert ("search.py" in everything) is (share is Share.STAT)
    assert "x = 1" not in everything


# --- stopping --------------------------------------------------------------------------------------------------------


async def test_stop_keeps_the_branch_and_says_how_to_get_at_it(stage: Scene) -> None:
    stage.script(*WORK, CHOICE)
    async with stage.runner():
        await stage.board.heard(Asked)
        await stage.board.tell(RUNNER, StopSession(S, ANA))
        ended = await stage.board.heard(SessionEnded)
    assert stage.board.all(QuestionWithdrawn)[0].question == f"{S}.q1"
    assert (ended.ending, ended.branch, ended.worktree) == (Ending.STOPPED, "switchboard/search", "")
    assert ended.look == "git switch switchboard/search"
    assert git.commit_of(stage.repo, "switchboard/search") != git.commit_of(stage.repo, "main")
    assert not stage.worktree.exists()
    assert (stage.session / "ended").exists()


async def test_stop_never_deletes_a_dirty_worktree(stage: Scene) -> None:
    stage.script({"edit": "half.txt", "text": "x"}, {"hang": True})
    async with stage.runner():
        while not (stage.worktree / "half.txt").exists():
            await stage.board.heard(Progressed, len(stage.board.all(Progressed)) + 1)
        await stage.board.tell(RUNNER, StopSession(S, ANA))
        ended = await stage.board.heard(SessionEnded)
    assert ended.worktree == str(stage.worktree)
    assert ended.dirty == ("half.txt",)
    assert ended.look == f"cd {stage.worktree}"
    assert (stage.worktree / "half.txt").read_text() == "x"


# --- agents that go wrong --------------------------------------------------------------------------------------------


async def test_an_agent_that_crashes_fails_the_session_and_comes_back_with_a_message(stage: Scene) -> None:
    stage.script(*WORK, CHOICE, {"crash": 7}, follow=[{"say": "Back: {{prompt}}"}])
    async with stage.runner():
        await stage.answer((await stage.board.heard(Asked)).question, option="fts")
        failed = await states(stage, RunState.FAILED)
        assert "7" in failed.detail
        stage.script(*WORK, CHOICE, DONE)
        await stage.prompt("Try again")
        assert (await states(stage, RunState.WORKING, 2)).state is RunState.WORKING


@pytest.mark.parametrize("at_start", ["crash", "garbage", "huge"])
async def test_an_agent_that_does_not_speak_is_named(stage: Scene, at_start: str) -> None:
    stage.script(DONE, at_start=at_start)
    async with stage.runner():
        failed = await states(stage, RunState.FAILED)
    assert "demo" in failed.detail


async def test_an_agent_that_does_not_exist_is_named_with_the_fix(stage: Scene) -> None:
    stage.agent = AgentConfig("demo", ("no-such-agent", "--acp"))
    async with stage.runner():
        failed = await states(stage, RunState.FAILED)
        assert "no-such-agent" in failed.detail
        await stage.board.tell(RUNNER, StopSession(S, ANA))
        assert (await stage.board.heard(SessionEnded)).ending is Ending.STOPPED


async def test_an_agent_that_floods_is_heard_out(stage: Scene) -> None:
    stage.script({"flood": 3_000_000}, {"burst": 3000, "text": "words {n} "}, *WORK, DONE)
    async with stage.runner():
        assert (await stage.board.heard(ReviewOffered)).review.summary == "Search works."
    assert len(stage.board.all(Progressed)) < 100


async def test_a_secret_does_not_leave(stage: Scene) -> None:
    secret = "ghp" + "_" + "a1B2" * 9
    stage.settings |= {"share": Share.FULL, "checks": (("echo", secret),)}
    steps = [{"say": f"Found {secret}. "}, {"ask": "text", "name": "t", "title": f"Use {secret}?"}]
    stage.script(*steps, {"edit": "a.txt", "text": secret}, {"commit": f"Add {secret}"}, {"say": f"Used {secret}"})
    async with stage.runner():
        await stage.answer((await stage.board.heard(Asked)).question, text="yes")
        await stage.board.heard(ReviewOffered)
    assert secret not in stage.board.sent()
    assert "[github token removed]" in repr(stage.board.events)


async def test_a_task_of_100_kb_reaches_the_agent(stage: Scene) -> None:
    stage.script({"edit": "prompt.txt", "text": "{{prompt}}"}, {"end": "limit"})
    await stage.place(spec(stage.board, "playback", "Words " * 17_000 + "end"))
    async with stage.runner():
        await states(stage, RunState.STOPPED)
    assert (stage.worktree / "prompt.txt").read_text().endswith("Words end")


# --- restarts --------------------------------------------------------------------------------------------------------


async def test_a_choice_stays_open_across_a_restart_and_its_answer_is_used(stage: Scene) -> None:
    stage.script(CHOICE, {"say": "index={{index}}"}, {"end": "limit"})
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
    assert (await states(stage, RunState.PAUSED)).detail
    assert stage.board.all(QuestionWithdrawn) == []
    async with stage.runner():
        await stage.answer(question, option="tantivy")
        applied = await stage.board.heard(AnswerApplied)
        stopped = await states(stage, RunState.STOPPED)
    assert applied.applied
    assert applied.detail == "given to the agent as a message"
    assert "index=Tantivy" in stopped.last_words
    assert len(stage.board.all(Asked)) == 1


async def test_an_answer_given_while_the_runner_was_away_is_used_once(stage: Scene) -> None:
    stage.script(TEXT, {"say": "name={{name}}"}, {"end": "limit"})
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
    await stage.answer(question, text="Bluebird")
    async with stage.runner():
        stopped = await states(stage, RunState.STOPPED)
    assert stopped.last_words.count("name=Bluebird") == 1
    assert len(stage.board.all(AnswerApplied)) == 1


async def test_a_permission_is_withdrawn_at_a_restart_and_asked_again(stage: Scene) -> None:
    stage.script(PERMISSION, {"say": "ok={{ok}}"}, {"end": "limit"})
    async with stage.runner():
        first = (await stage.board.heard(Asked)).question
    withdrawn = await stage.board.heard(QuestionWithdrawn)
    assert withdrawn.question == first.id
    async with stage.runner():
        again = (await stage.board.heard(Asked, 2)).question
        assert again.id == f"{S}.q2"
        await stage.answer(again, option=ALLOW)
        assert "ok=allow" in (await states(stage, RunState.STOPPED)).last_words


async def test_a_review_stays_open_across_a_restart(stage: Scene) -> None:
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
    async with stage.runner():
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        await stage.board.heard(Merged)
        await stage.board.heard(SessionEnded)
    assert len(stage.board.all(ReviewOffered)) == 1


async def test_a_session_stopped_while_its_runner_was_away_is_stopped_when_it_is_back(stage: Scene) -> None:
    stage.script(CHOICE)
    async with stage.runner():
        await stage.board.heard(Asked)
    await stage.board.tell(RUNNER, StopSession(S, ANA))
    async with stage.runner():
        assert (await stage.board.heard(SessionEnded)).ending is Ending.STOPPED
    assert stage.board.all(QuestionWithdrawn)[0].question == f"{S}.q1"


async def test_a_runner_paused_during_its_checks_offers_the_change_when_it_is_back(stage: Scene) -> None:
    begun = stage.folder / "begun"
    stage.settings |= {"checks": (("sh", "-c", f"test -e {begun} || {{ touch {begun}; sleep 60; }}"),)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        async with asyncio.timeout(20):
            while not begun.exists():  # noqa: ASYNC110  (a file rings no bell)
                await asyncio.sleep(0.02)
    assert stage.board.all(ReviewOffered) == []
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
    assert review.checks[0].state is CheckState.PASSED
    assert review.summary == "Search works."


# --- a branch that moves while it is being offered -------------------------------------------------------------------


async def test_what_is_checked_is_what_is_offered(stage: Scene) -> None:
    """Somebody commits while the checks run: they are run again, on what is then offered."""
    more = "test -e ../moved || { touch ../moved; echo y > more.py; git add more.py; git commit -qm More; }"
    stage.settings |= {"checks": (("sh", "-c", f"git rev-parse HEAD; {more}"),)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        review = (await stage.board.heard(ReviewOffered)).review
        await stage.board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        await stage.board.heard(Merged)
    assert review.checks[0].tail == review.commit
    assert [commit.subject for commit in review.commits] == ["Add search", "More"]
    assert len(stage.board.all(ReviewOffered)) == 1


async def test_checks_that_never_leave_the_branch_alone_stop_the_session_with_the_reason(stage: Scene) -> None:
    stage.settings |= {"checks": (("git", "commit", "-q", "--allow-empty", "-m", "Checked"),)}
    stage.script(*WORK, DONE)
    async with stage.runner():
        stopped = await states(stage, RunState.STOPPED)
    assert "while its checks ran" in stopped.detail
    assert stage.board.all(ReviewOffered) == []
