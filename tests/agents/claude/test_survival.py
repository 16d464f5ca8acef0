"""Whatever is killed with a question open: the answer is applied once, or the question's loss is clear."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, APPROVE, DENY, QuestionKind
from runners.agents.base import BackgroundChanged, Chosen, Said, UsageChanged
from runners.agents.claude import held
from runners.errors import AgentDied, AgentError
from runners.kept import end_kept, kept, started_at
from runners.leftovers import end_leftovers
from tests.agents.claude.conftest import Stage, soon
from tests.agents.claude.model import Model, Says, calls
from tests.agents.claude.test_asking import INDEX, ask
from tests.agents.claude.test_turns import WAIT, bash
from tests.contract.desk import RecordingDesk

pytestmark = pytest.mark.agents

ROOT = Path(__file__).parent.parent.parent.parent


class Killable:
    """A runner's side in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, stage: Stage, model: Model, prompt: str, questions: int = 1, mode: str = "") -> Killable:
        launch = stage.launch(model)
        words = {
            "name": launch.name, "cwd": str(launch.cwd), "log": str(launch.log), "folder": str(launch.folder),
            "env": launch.env, "start_timeout": 30.0, "mode": mode,
        }  # fmt: skip
        module = ("-m", "tests.agents.claude.runner_side")
        process = await asyncio.create_subprocess_exec(
            sys.executable, *module, json.dumps(words), prompt, str(questions), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        return cls(process)

    async def line(self, word: str) -> list[str]:
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while line := (await self._process.stdout.readline()).decode().split():
                if line[0] == word:
                    return line[1:]
        raise AssertionError(f"it ended before it said {word}")

    async def kill(self) -> None:
        self._process.kill()
        await self._process.communicate()


async def pids(stage: Stage) -> tuple[int, int]:
    paper = json.loads((stage.session / held.PAPER).read_text())
    return paper["holder"], paper["cli"]


async def gone(pid: int) -> None:
    await soon(lambda: not started_at(pid))


async def test_a_killed_runner_loses_neither_question_nor_background_work(stage: Stage) -> None:
    model = await stage.model(bash(WAIT, run_in_background=True), bash("touch a"), Says("Done."), Says("It ended."))
    runner = await Killable.start(stage, model, "Begin")
    (session,) = await runner.line("session")
    (key,) = await runner.line("asked")
    await runner.kill()
    assert await asyncio.to_thread(end_leftovers, stage.session) == []

    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    info = await agent.start(resume=session)
    assert (info.session, info.resumed, info.held, info.busy) == (session, True, True, True)
    assert [question.inquiry.key for question in desk.open] == [key]
    assert desk.of(BackgroundChanged)[-1].tasks == ("A step",)
    turn = asyncio.create_task(agent.rejoin())
    desk.open[0].answer.set_result(Chosen(DENY, "Not a, b."))
    assert (await turn).last_words == "Done."
    assert model.results()[-1] == "Not a, b."
    assert len(model.requests) == 3
    assert "interrupted by user" not in stage.transcripts()
    (stage.worktree.path / "go").touch()
    await desk.until(lambda: desk.stirs == 1)
    assert (await agent.rejoin()).last_words == "It ended."
    assert len(desk.asked) == 1


async def test_a_plan_outlives_a_killed_runner_and_is_approved(stage: Stage) -> None:
    model = await stage.model(calls("ExitPlanMode", plan="1. Look\n2. Leap"), Says("Off."))
    runner = await Killable.start(stage, model, "Plan", mode="plan")
    (session,) = await runner.line("session")
    (key,) = await runner.line("asked")
    await runner.kill()
    desk = RecordingDesk()
    agent = stage.agent(model, desk, mode="plan")
    info = await agent.start(resume=session)
    assert (info.held, info.busy) == (True, True)
    question = await desk.question()
    assert (question.inquiry.kind, question.inquiry.key) == (QuestionKind.PLAN, key)
    assert question.inquiry.detail == "1. Look\n2. Leap"
    turn = asyncio.create_task(agent.rejoin())
    question.answer.set_result(Chosen(APPROVE))
    assert (await turn).last_words == "Off."
    assert "approved" in model.results()[-1]
    assert len(desk.asked) == 1


async def test_a_turn_that_ended_while_nobody_listened_is_told(stage: Stage) -> None:
    finish = asyncio.Event()
    model = await stage.model(Says("Done meanwhile.", once=finish), Says("More."))
    runner = await Killable.start(stage, model, "Begin", questions=0)
    (session,) = await runner.line("session")
    await soon(lambda: model.requests)
    await runner.kill()
    finish.set()
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    info = await agent.start(resume=session)
    assert (info.held, info.busy) == (True, True)
    ended = await agent.rejoin()
    assert (ended.reason, ended.last_words) == ("done", "Done meanwhile.")
    assert desk.words == "Done meanwhile."
    assert desk.of(UsageChanged)[-1].tokens == 120
    assert (await agent.prompt("More")).last_words == "More."
    await agent.detach()

    third = stage.agent(model, later := RecordingDesk())
    info = await third.start(resume=session)
    assert info.held
    assert later.of(Said) == [Said("More.")]


async def test_a_killed_agent_is_told_with_its_end_and_resumes(stage: Stage) -> None:
    model = await stage.model(ask(INDEX), Says("Thanks."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt("The word is PINEAPPLE"))
    question = await desk.question()
    await soon(lambda: "Which index?" in stage.transcripts())  # it is written a moment later
    holder, cli = await pids(stage)
    os.kill(cli, signal.SIGKILL)
    with pytest.raises(AgentDied, match="was killed \\(signal 9\\)"):
        await turn
    assert question.withdrawn
    await gone(holder)
    await agent.close()
    again = stage.agent(model, RecordingDesk())
    info = await again.start(resume=session)
    assert (info.resumed, info.held) == (True, False)
    await again.prompt('You asked: "Which index?". Ana answered: FTS')
    assert "Ana answered: FTS" in model.prompts()
    assert "PINEAPPLE" in model.prompts()
    assert "doesn't want to proceed" not in str(model.requests[-1])


async def test_a_killed_holder_takes_the_agent_along_and_it_resumes(stage: Stage) -> None:
    model = await stage.model(bash(WAIT, run_in_background=True), ask(INDEX), Says("Thanks."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt("Begin"))
    question = await desk.question()
    await soon(lambda: "Which index?" in stage.transcripts())  # it is written a moment later
    holder, cli = await pids(stage)
    os.kill(holder, signal.SIGKILL)
    with pytest.raises(AgentDied, match="the process that holds Claude Code was killed"):
        await turn
    assert question.withdrawn
    await gone(cli)
    assert await asyncio.to_thread(kept, stage.session) == frozenset()
    assert "interrupted by user" not in stage.transcripts()
    await agent.close()
    again = stage.agent(model, RecordingDesk())
    info = await again.start(resume=session)
    assert (info.resumed, info.held) == (True, False)
    assert (await again.prompt("Ana answered: FTS")).last_words == "Thanks."


async def test_the_end_leaves_nothing_running(stage: Stage) -> None:
    model = await stage.model(bash(f"echo $$ > pid; {WAIT}", run_in_background=True), Says("It runs."))
    agent = stage.agent(model, RecordingDesk([Chosen(ALLOW)]))
    await agent.start()
    await agent.prompt("Begin")
    found = stage.worktree.path / "pid"
    await soon(lambda: found.exists() and found.read_text().strip())
    running = int(found.read_text())
    holder, cli = await pids(stage)
    await agent.close()
    for pid in (holder, cli, running):
        await gone(pid)
    assert not (stage.session / held.PAPER).exists()
    assert not (stage.session / "claude.sock").exists()


async def test_a_host_ends_what_a_dead_runner_left(stage: Stage) -> None:
    model = await stage.model(bash("touch a"))
    runner = await Killable.start(stage, model, "Begin")
    await runner.line("asked")
    holder, cli = await pids(stage)
    await runner.kill()
    assert await asyncio.to_thread(end_kept, stage.session) == sorted((holder, cli))
    await gone(holder)
    await gone(cli)


async def test_it_ends_when_its_sessions_folder_vanishes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_HOLDER_LOOK", "0.1")
    model = await stage.model(Says("Hello."))
    agent = stage.agent(model, RecordingDesk())
    await agent.start()
    holder, cli = await pids(stage)
    await agent.detach()
    shutil.rmtree(stage.session)
    await gone(cli)
    await gone(holder)


async def test_two_never_work_on_one_session(stage: Stage, tmp_path: Path) -> None:
    model = await stage.model(Says("One."))
    first = stage.agent(model, RecordingDesk())
    session = (await first.start()).session
    await first.prompt("Begin")
    other = tmp_path / "other"
    other.mkdir()
    second = stage.agent(model, RecordingDesk(), folder=other)
    with pytest.raises(AgentError, match="another process on this machine works on Claude Code's session"):
        await second.start(resume=session)
