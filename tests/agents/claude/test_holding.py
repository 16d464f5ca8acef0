"""The holder and the adapter, with something else in Claude Code's place: nothing needs to be installed."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, DENY
from runners.agents.base import Answered, Chosen, Inquiry, Launch, UsageChanged
from runners.agents.claude import held, holder
from runners.agents.claude.adapter import ClaudeAgent
from runners.agents.claude.program import program
from runners.errors import AgentDied, AgentError, AgentMissing
from runners.files import FOLDER
from runners.kept import started_at, under
from runners.leftovers import end_leftovers
from tests.agents.claude import fake
from tests.agents.claude.conftest import soon
from tests.contract.desk import RecordingDesk

Open = Callable[[RecordingDesk], ClaudeAgent]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    agents: list[ClaudeAgent] = []
    argv = (sys.executable, str(Path(fake.__file__)))

    def opening(desk: RecordingDesk) -> ClaudeAgent:
        env = {"HOME": str(tmp_path), FOLDER: str(tmp_path)}
        launch = Launch("claude", argv, tmp_path, tmp_path / "agent.log", env=env, adapter="claude", folder=tmp_path)
        agents.append(ClaudeAgent(launch, desk))
        return agents[-1]

    yield opening
    for agent in agents:
        await agent.close()


async def test_a_turn_and_its_usage(opened: Open) -> None:
    desk = RecordingDesk()
    agent = opened(desk)
    info = await agent.start()
    assert (info.version, info.held, info.busy) == ("2.1.999", False, False)
    assert (await agent.prompt("hello")).last_words == "heard hello"
    assert [used.context for used in desk.of(UsageChanged) if used.context] == [7]
    assert (desk.of(UsageChanged)[-1].tokens, desk.of(UsageChanged)[-1].cost) == (15, 0.5)


async def test_questions_outlive_a_runner_that_lets_go(opened: Open) -> None:
    first = RecordingDesk()
    agent = opened(first)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt("ask 2"))
    await first.question(2)
    first.open[0].answer.set_result(Chosen(ALLOW))
    await first.until(lambda: "r0: allow" in first.words)
    await agent.detach()
    with pytest.raises(AgentDied):
        await turn
    desk = RecordingDesk()
    info = await (again := opened(desk)).start(resume=session)
    assert (info.held, info.busy) == (True, True)
    assert [question.inquiry.key for question in desk.open] == ["tr1"]
    desk.open[0].answer.set_result(Chosen(DENY, "No."))
    ended = await again.rejoin()
    assert ended.last_words.endswith("r1: deny")
    assert (await again.rejoin()).reason == "done"
    assert not (await again.steer("now?"))


async def test_a_stray_line_does_not_keep_the_next_runner_from_a_healthy_agent(opened: Open, tmp_path: Path) -> None:
    first = RecordingDesk()
    agent = opened(first)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt("stray 1"))
    await first.question()
    await agent.detach()
    with pytest.raises(AgentDied):
        await turn
    again = opened(desk := RecordingDesk())
    async with asyncio.timeout(10):
        assert (await again.start(resume=session)).held
    desk.open[0].answer.set_result(Chosen(ALLOW))
    assert (await again.rejoin()).last_words.endswith("r0: allow")
    assert "a stray line" in (tmp_path / "agent.log").read_text()


async def test_the_newest_runner_is_the_one_that_is_heard(opened: Open) -> None:
    first = opened(RecordingDesk())
    session = (await first.start()).session
    await first.prompt("hello")
    second = opened(RecordingDesk())
    assert (await second.start(resume=session)).held
    with pytest.raises(AgentDied):
        await first.prompt("and me?")
    assert (await second.prompt("you")).last_words == "heard you"


async def test_what_is_kept_for_an_absent_runner_is_bounded(opened: Open, tmp_path: Path) -> None:
    agent = opened(RecordingDesk())
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt("flood 400"))
    await soon(lambda: agent.busy)
    await agent.detach()
    with pytest.raises(AgentDied):
        await turn
    pid = json.loads((tmp_path / held.PAPER).read_text())["holder"]
    desk = RecordingDesk()
    again = opened(desk)
    assert (await again.start(resume=session)).held
    ended = await again.rejoin()
    assert ended.reason == "done"
    assert "399 xxx" in desk.words
    if sys.platform == "linux":
        peak = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
        assert int(peak.split()[1]) < 120_000


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_background_work_whose_shell_has_ended_outlives_a_runner_and_ends_with_its_session(
    opened: Open, tmp_path: Path
) -> None:
    agent = opened(RecordingDesk())
    session = (await agent.start()).session
    await agent.prompt(f"orphan sleep 60 & echo $! > {tmp_path}/pid")
    orphan = int((tmp_path / "pid").read_text())
    await agent.detach()
    assert await asyncio.to_thread(end_leftovers, tmp_path) == []
    assert started_at(orphan)
    again = opened(RecordingDesk())
    assert (await again.start(resume=session)).held
    await again.close()
    await soon(lambda: not started_at(orphan))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_a_killed_agent_leaves_nothing_that_nobody_knows_of(opened: Open, tmp_path: Path) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    await agent.prompt(f"orphan sleep 60 & echo $! > {tmp_path}/pid")
    os.kill(json.loads((tmp_path / held.PAPER).read_text())["cli"], signal.SIGKILL)
    await soon(lambda: not started_at(int((tmp_path / "pid").read_text())))


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_a_killed_holder_leaves_nothing_that_nobody_knows_of(opened: Open, tmp_path: Path) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    await agent.prompt(f"orphan sleep 60 & echo $! > {tmp_path}/pid")
    os.kill(json.loads((tmp_path / held.PAPER).read_text())["holder"], signal.SIGKILL)
    await soon(lambda: not started_at(int((tmp_path / "pid").read_text())))


async def test_its_end_is_told_though_something_holds_its_pipes(opened: Open) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    async with asyncio.timeout(15):
        with pytest.raises(AgentDied, match=r"exit status 3"):
            await agent.prompt("holding 3")
        await agent.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
async def test_what_has_ended_in_the_background_leaves_no_zombies(opened: Open, tmp_path: Path) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    await agent.prompt("orphan for each in 1 2 3 4 5; do (sleep 0.05 &) ; done")
    paper = json.loads((tmp_path / held.PAPER).read_text())
    await soon(lambda: under([paper["holder"]]) == {paper["cli"]})


async def test_a_very_long_line_is_one_line(opened: Open) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    ended = await agent.prompt(f"line {holder.LONGEST // 4}")
    assert ended.reason == "done"
    assert ended.last_words.startswith("yyy")


async def test_what_it_should_not_say_ends_nothing(opened: Open) -> None:
    desk = RecordingDesk()
    agent = opened(desk)
    await agent.start()
    ended = await agent.prompt("noise")
    assert ended.last_words == "error: Switchboard does not know “dance”."
    assert desk.asked == []


async def test_a_question_that_cannot_be_put_ends_the_wait(opened: Open) -> None:
    class Full(RecordingDesk):
        async def ask(self, inquiry: Inquiry) -> Answered:
            raise OSError(28, "No space left on device")

    agent = opened(Full())
    await agent.start()
    with pytest.raises(AgentError, match=r"could not ask its question: .*No space left"):
        await agent.prompt("ask 1")


async def test_a_turn_that_follows_at_once_is_not_lost(opened: Open) -> None:
    desk = RecordingDesk()
    agent = opened(desk)
    session = (await agent.start()).session
    await agent.prompt("hello")
    await agent.detach()
    again = opened(later := RecordingDesk())
    info = await again.start(resume=session)
    assert (info.held, info.busy) == (True, True)  # that end was told, but nobody has said so
    assert (await again.rejoin()).last_words == "heard hello"
    assert later.stirs == 0
    assert (await again.prompt("more")).last_words == "heard more"


async def test_its_end_is_told_with_its_status(opened: Open) -> None:
    agent = opened(RecordingDesk())
    await agent.start()
    with pytest.raises(AgentDied, match=r"ended \(exit status 3\)") as died:
        await agent.prompt("exit 3")
    assert died.value.exit_status == 3


async def test_papers_of_a_dead_holder_are_no_holder(opened: Open, tmp_path: Path) -> None:
    words = {"socket": str(tmp_path / "claude.sock"), "holder": os.getpid(), "cli": 1, "started": "never"}
    for paper in (json.dumps(words), "{", "[]", '{"socket": 5}'):
        (tmp_path / held.PAPER).write_text(paper)
        assert await held.join(tmp_path) is None
    info = await opened(RecordingDesk()).start(resume=fake.SESSION)
    assert (info.resumed, info.held) == (True, False)


async def test_only_its_user_may_speak_to_the_holder(opened: Open, tmp_path: Path) -> None:
    await opened(RecordingDesk()).start()
    for name in ("claude.sock", held.PAPER, "kept.json"):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0


async def test_a_deep_folder_has_its_socket_elsewhere(opened: Open, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    launch = Launch(
        "claude", (sys.executable, str(Path(fake.__file__))), deep, deep / "agent.log",
        env={"HOME": str(tmp_path)}, adapter="claude", folder=deep,
    )  # fmt: skip
    agent = ClaudeAgent(launch, RecordingDesk())
    await agent.start()
    path = json.loads((deep / held.PAPER).read_text())["socket"]
    assert len(path) <= held.LONGEST_SOCKET
    assert (await agent.prompt("hello")).last_words == "heard hello"
    await agent.close()
    assert not Path(path).exists()


def test_without_claude_code_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])  # as if the package were not installed
    monkeypatch.delitem(sys.modules, "claude_agent_sdk", raising=False)
    launch = Launch("claude", ("claude",), tmp_path, tmp_path / "log", env={"PATH": str(tmp_path)}, adapter="claude")
    with pytest.raises(AgentMissing, match=r"is not installed on this machine\. Install it: pip install"):
        program(launch)
