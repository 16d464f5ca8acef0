"""`switchboard attach -- codex` with the real Codex, a real host and its runner: answered, prompted, taken off."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    AttachAsked,
    DeliverAnswer,
    Prompt,
    SessionChanged,
    SessionEnded,
    StartSession,
)
from bot.wire.types import ALLOW, Ability, Answer, Ending, PromptId, RunState
from runners import files
from runners.repo import git
from runners.runner import ticket
from tests.agents.attach.codex_terminal import APPROVAL, READY, codex_env, in_turn, place
from tests.agents.attach.terminal import terminal
from tests.agents.codex.conftest import codex, escalated
from tests.agents.codex.model import Says, serving
from tests.runners.board import ANA, Board, running
from tests.runners.places import HOST, HOST_TOKEN, host_process, make_repo, spec
from tests.runners.scene import RUNNER

pytestmark = [pytest.mark.agents, pytest.mark.timeout(120)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with place() as made:
        yield made
        for session in (made / "data" / "sessions").glob("*"):
            if pid := ticket.holder(session / files.LOCK):
                os.kill(pid, signal.SIGKILL)  # started by this test


async def stopped(board: Board, words: str) -> None:
    while not any(each.state is RunState.STOPPED and each.last_words == words for each in board.all(SessionChanged)):
        await board.heard(SessionChanged, len(board.all(SessionChanged)) + 1)


async def test_codex_is_put_on_the_board_answered_and_prompted_there_and_leaves_without_a_trace(folder: Path) -> None:
    repo, worktree, data = make_repo(folder / "playback"), folder / "by-hand", folder / "data"
    git.run(repo, "worktree", "add", "--quiet", "-b", "by-hand", str(worktree))
    board = Board(tokens={HOST_TOKEN: HOST})
    replies, _ = in_turn(escalated("touch made.txt"), Says("Made."), Says("Said."), Says("Still here."))
    async with serving(replies) as model, running(board) as bot:
        env = codex_env(folder, worktree, model.url) | {"PYTHONPATH": str(Path(__file__).parents[3])}
        switchboard = [sys.executable, "-m", "bot.cli"]
        attach = [*switchboard, "attach", "--data-dir", str(data), "--", *codex()]
        async with host_process(data, bot.url, "--repo", str(repo)):
            await board.connected(HOST)
            async with terminal(attach, worktree, env) as screen:
                asked = await board.heard(AttachAsked)
                assert (asked.agent, asked.worktree) == ("codex", str(worktree))
                await board.tell(HOST, StartSession(spec(board, asked.repo, "By hand", attach=asked.attach)))
                assert Ability.PROMPT in (await board.heard(AgentDescribed)).abilities
                await screen.shows(READY)

                await screen.say("make a file")
                question = (await board.heard(Asked)).question
                assert question.detail == "touch made.txt"
                await screen.shows(APPROVAL)  # the dialog stands in the terminal all the same
                await board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
                assert (await board.heard(AnswerApplied)).applied
                await screen.shows("Made.")
                await stopped(board, "Made.")
                assert (worktree / "made.txt").exists()

                await board.tell(RUNNER, Prompt("and say something", ANA, PromptId("p1")))
                await screen.shows("and say something")
                await stopped(board, "Said.")

                detach = [*switchboard, "detach", "--data-dir", str(data)]
                left = await asyncio.to_thread(
                    subprocess.run, detach, cwd=worktree, env=env, capture_output=True, text=True, check=False
                )
                assert "Off the board" in left.stdout, left.stderr
                assert (await board.heard(SessionEnded)).ending is Ending.DETACHED
                await screen.say("are you there")
                await screen.shows("Still here.")
                assert sorted(each.name for each in worktree.iterdir()) == [".git", "README.md", "app.py", "made.txt"]
                assert git.dirty_paths(worktree) == ("made.txt",)
                await screen.say("/quit")
                assert await screen.ended() == 0
