"""`switchboard attach -- claude` with the real Claude Code, a real host and its runner: relayed, adopted, returned."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.wire.messages import (
    AgentDescribed,
    Asked,
    AttachAsked,
    DeliverAnswer,
    Prompt,
    PromptGiven,
    SessionChanged,
    SessionEnded,
    StartSession,
)
from bot.wire.types import ALLOW, Ability, Answer, Ending, PromptId, RunState
from runners import files
from runners.repo import git
from runners.runner import ticket
from tests.agents.attach.terminal import Terminal, bundled, claude_env, terminal
from tests.agents.claude.model import Model, Says, calls, serve_model
from tests.runners.board import ANA, Board, running
from tests.runners.places import HOST, HOST_TOKEN, host_process, make_repo, spec
from tests.runners.scene import RUNNER

pytestmark = [pytest.mark.agents, pytest.mark.timeout(180)]


@dataclass
class Machine:
    """A host, a worktree that a person made, and a model."""

    folder: Path
    worktree: Path
    board: Board
    model: Model
    env: dict[str, str]

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def switchboard(self, *words: str) -> list[str]:
        verb, *rest = words
        return [sys.executable, "-m", "bot.cli", verb, "--data-dir", str(self.data), *rest]

    async def run(self, *words: str) -> str:
        ran = await asyncio.to_thread(
            subprocess.run, self.switchboard(*words), cwd=self.worktree, env=self.env,
            capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    @asynccontextmanager
    async def claude(self) -> AsyncIterator[Terminal]:
        argv = self.switchboard("attach", "--", str(bundled()), "--permission-mode", "manual")
        async with terminal(argv, self.worktree, self.env) as screen:
            await screen.shows("? for shortcuts")
            asked = await self.board.heard(AttachAsked)
            await self.board.tell(HOST, StartSession(spec(self.board, asked.repo, "By hand", attach=asked.attach)))
            await self.board.heard(AgentDescribed)
            yield screen

    async def stopped(self, words: str) -> None:
        while not any(
            each.state is RunState.STOPPED and each.last_words == words for each in self.board.all(SessionChanged)
        ):
            await self.board.heard(SessionChanged, len(self.board.all(SessionChanged)) + 1)

    async def allowed(self, number: int, detail: str) -> None:
        question = (await self.board.heard(Asked, number)).question
        assert question.detail == detail
        await self.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))


@asynccontextmanager
async def machine(folder: Path, *replies: object) -> AsyncIterator[Machine]:
    if bundled() is None:
        pytest.skip("claude-agent-sdk is not installed (pip install 'switchboard-slack[claude]')")
    repo = make_repo(folder / "playback")
    worktree = folder / "by-hand"
    git.run(repo, "worktree", "add", "--quiet", "-b", "by-hand", str(worktree))
    board = Board(tokens={HOST_TOKEN: HOST})
    async with serve_model(replies) as model, running(board) as bot:  # type: ignore[arg-type]
        env = claude_env(folder, worktree, model.url) | {"PYTHONPATH": str(Path(__file__).parents[3])}
        found = Machine(folder, worktree, board, model, env)
        try:
            async with host_process(found.data, bot.url, "--repo", str(repo), env=env):
                await board.connected(HOST)
                yield found
        finally:
            for session in (found.data / "sessions").glob("*"):
                if pid := ticket.holder(session / files.LOCK):
                    os.kill(pid, signal.SIGTERM)  # each of these was started by this test


async def test_a_session_in_a_terminal_is_relayed_and_detached_without_a_trace(tmp_path: Path) -> None:
    async with (
        machine(tmp_path, calls("Bash", command="touch made.txt", description="Make a file"), Says("Made.")) as here,
        here.claude() as screen,
    ):
        abilities = here.board.all(AgentDescribed)[-1].abilities
        assert Ability.ADOPT in abilities
        assert Ability.PROMPT not in abilities
        await screen.say("make a file")
        await here.allowed(1, "touch made.txt")
        await here.stopped("Made.")
        assert (here.worktree / "made.txt").exists()
        assert "Off the board" in await here.run("detach")
        assert (await here.board.heard(SessionEnded)).ending is Ending.DETACHED
        here.model.then(Says("Still here."))
        await screen.say("are you there")
        await screen.shows("Still here.")
        assert len(here.board.all(AttachAsked)) == 1
        assert sorted(p.name for p in here.worktree.iterdir()) == [".git", "README.md", "app.py", "made.txt"]
        await screen.say("/exit")
        assert await screen.ended() == 0


async def test_a_session_is_adopted_goes_on_in_its_thread_and_comes_back(tmp_path: Path) -> None:
    async with machine(tmp_path, Says("The word is heron.")) as here:
        async with here.claude() as screen:
            await screen.say("remember a word")
            await here.stopped("The word is heron.")
            assert "runs under a runner now" in await here.run("adopt")
            moved = [each.detail for each in here.board.all(SessionChanged) if each.state is RunState.PAUSED]
            assert moved == ["it moves from its terminal to a runner"]
            await screen.ended()
        here.model.then(Says("It was heron."), Says("Nothing is left to do."))
        await here.board.tell(RUNNER, Prompt("which word was it?", ANA, PromptId("p1")))
        await here.board.heard(PromptGiven)
        assert Ability.PROMPT in here.board.all(AgentDescribed)[-1].abilities
        await here.stopped("Nothing is left to do.")
        assert "remember a word" in json.dumps(here.model.requests[-1])  # the same session, with all it knew
        assert here.board.all(SessionEnded) == []

        line = await here.run("adopt", "--back")
        assert "--resume" in line
        moved = [each.detail for each in here.board.all(SessionChanged) if each.state is RunState.PAUSED]
        assert moved[1:] == ["it moves back to its terminal"]
        here.model.then(Says("Heron again."))
        async with terminal(["/bin/sh", "-c", line], here.worktree, here.env) as screen:
            await screen.shows("? for shortcuts")
            await screen.say("and once more")
            await here.stopped("Heron again.")
            assert "which word was it?" in json.dumps(here.model.requests[-1])
            assert here.board.all(SessionEnded) == []
            assert len(here.board.all(AttachAsked)) == 1
            await screen.say("/exit")
            await screen.ended()
        assert (await here.board.heard(SessionEnded)).ending is Ending.DETACHED
