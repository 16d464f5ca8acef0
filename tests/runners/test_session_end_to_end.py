"""A host, its runner and the demo agent as real processes; a person's part is played through the wire."""

from __future__ import annotations

from pathlib import Path

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    Merged,
    MergeReview,
    ReviewOffered,
    SessionEnded,
    SessionPlaced,
    StartSession,
)
from bot.wire.types import ALLOW, Answer, Ending, QuestionKind, SessionId
from runners.repo import git
from tests.runners.board import ANA, Board, RunnerPeer, running
from tests.runners.places import HOST, HOST_TOKEN, host_process, make_repo, spec

S = SessionId("s1234567a")
RUNNER = RunnerPeer(S)


async def answer_all(board: Board, count: int) -> None:
    """Answer so many questions as a person would who likes what is recommended."""
    for number in range(1, count + 1):
        question = (await board.heard(Asked, number)).question
        match question.kind:
            case QuestionKind.TEXT:
                answer = Answer(question.id, ANA, text="Bluebird")
            case QuestionKind.PERMISSION:
                answer = Answer(question.id, ANA, option=ALLOW)
            case _:
                answer = Answer(question.id, ANA, option=question.options[0].id)
        await board.tell(RUNNER, DeliverAnswer(answer))
        assert (await board.heard(AnswerApplied, number)).applied


async def test_a_task_is_started_asked_about_reviewed_and_merged(tmp_path: Path) -> None:
    repo = make_repo(tmp_path / "playback")
    board = Board(tokens={HOST_TOKEN: HOST})
    async with (
        running(board) as bot,
        host_process(tmp_path / "data", bot.url, "--repo", str(repo), env={"SWITCHBOARD_DEMO_PACE": "0"}),
    ):
        await board.tell(HOST, StartSession(spec(board, "playback", "Add search")))
        placed = await board.heard(SessionPlaced)
        assert Path(placed.place.worktree).is_dir()
        await answer_all(board, 3)
        review = (await board.heard(ReviewOffered)).review
        assert review.commits
        await board.tell(RUNNER, MergeReview(review.id, review.commit, ANA))
        merged = await board.heard(Merged)
        ended = await board.heard(SessionEnded)
    assert ended.ending is Ending.MERGED
    assert not Path(placed.place.worktree).exists()
    assert merged.landed_on == "switchboard/merged/search"
    assert git.run(repo, "log", "-1", "--format=%an %cn", merged.commit).strip() == "Ana Switchboard"
    assert git.run(repo, "status", "--porcelain") == ""
