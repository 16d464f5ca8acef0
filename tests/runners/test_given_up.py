"""A runner that its host has given up, while the agent it left behind lives on: stopped, and taken up again."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    Prompt,
    QuestionWithdrawn,
    ResumeSession,
    SessionEnded,
    StopSession,
)
from bot.wire.types import ALLOW, Answer, Ending, Question, RunState
from runners.kept import end_kept, kept, started_at
from tests.runners.board import ANA, Board, running
from tests.runners.places import HOST, HOST_TOKEN
from tests.runners.scene import RUNNER, S
from tests.runners.test_host import Machine, changed, started
from tests.runners.test_host_trouble import host_here

FAKE = Path(__file__).parent.parent / "agents" / "claude" / "fake.py"


class Abandoned:
    """A session whose agent waits for an answer, and whose runner was killed and cannot start: its spool is spoiled."""

    def __init__(self, machine: Machine, board: Board) -> None:
        self._machine, self._board = machine, board
        self.folder = machine.data / "sessions" / S
        self._good: dict[Path, bytes] = {}

    async def come_about(self) -> Question:
        await started(self._board, agent="outliving")
        await changed(self._board, RunState.STOPPED)
        await self._board.tell(RUNNER, Prompt("ask 1", ANA))
        question = (await self._board.heard(Asked)).question
        pid = self._machine.runner()
        assert pid
        os.kill(pid, signal.SIGKILL)
        await self._machine.runner_gone(pid)
        for path in self.folder.glob("spool.db*"):
            self._good[path] = path.read_bytes()
            path.write_bytes(b"not a database at all, whatever its name says" * 100)
        await changed(self._board, RunState.FAILED)
        return question

    def living(self) -> frozenset[int]:
        return kept(self.folder)

    def put_right(self) -> None:
        for path in self.folder.glob("spool.db*"):
            path.unlink()
        for path, content in self._good.items():
            path.write_bytes(content)


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    found = Machine(tmp_path)
    command = json.dumps([sys.executable, str(FAKE)])
    env = f'XDG_STATE_HOME = "{tmp_path}", XDG_RUNTIME_DIR = "{tmp_path}"'
    found.configure(more=f'[agents.outliving]\nadapter = "claude"\ncommand = {command}\nenv = {{ {env} }}')
    yield found
    if pid := found.runner():
        os.kill(pid, signal.SIGKILL)  # it was started by this test
    end_kept(found.data / "sessions" / S)


@pytest.fixture
def board() -> Board:
    return Board(tokens={HOST_TOKEN: HOST})


async def test_stop_ends_the_agent_that_outlived_it(machine: Machine, board: Board) -> None:
    abandoned = Abandoned(machine, board)
    async with running(board) as bot, host_here(machine, bot, look_every=0.1):
        await abandoned.come_about()
        living = abandoned.living()
        assert len(living) == 2  # Claude Code, and its holder
        await board.tell(HOST, StopSession(S, ANA))
        ended = await board.heard(SessionEnded)
        assert (ended.ending, Path(ended.worktree).is_dir()) == (Ending.STOPPED, True)
        assert [pid for pid in living if started_at(pid)] == []


async def test_resume_takes_up_the_agent_with_the_question_it_waits_for(machine: Machine, board: Board) -> None:
    abandoned = Abandoned(machine, board)
    async with running(board) as bot, host_here(machine, bot, look_every=0.1):
        question = await abandoned.come_about()
        living = abandoned.living()
        abandoned.put_right()
        resumed = await board.tell(HOST, ResumeSession(ANA, S))
        assert await board.acknowledged(resumed) == ""
        await board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        applied = await board.heard(AnswerApplied)
        assert (applied.question, applied.applied) == (question.id, True)
        stopped = await changed(board, RunState.STOPPED, 2)
        assert "r0: allow" in stopped.last_words
        assert abandoned.living() == living
        assert ({asked.question.id for asked in board.all(Asked)}, board.all(QuestionWithdrawn)) == ({question.id}, [])
