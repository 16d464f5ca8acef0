"""Turns of the real Claude Code: work, progress, words said meanwhile, a cleared context, a stop."""

from __future__ import annotations

import asyncio

import pytest

from bot.wire.types import Ability, PlanStep, StepState
from runners.agents.base import BackgroundChanged, Chosen, PlanChanged, ToolEnded, ToolStarted, UsageChanged
from tests.agents.claude.conftest import Stage
from tests.agents.claude.model import Call, Calls, Says, calls
from tests.contract.desk import RecordingDesk

pytestmark = pytest.mark.agents

WAIT = "while [ ! -e go ]; do sleep 0.05; done; echo bye"


def bash(command: str, **more: object) -> Calls:
    return calls("Bash", command=command, description="A step", **more)


async def test_it_edits_commits_and_tells_of_it(stage: Stage) -> None:
    todos = [{"content": "Write", "status": "in_progress", "activeForm": "Writing"}]
    write = calls("Write", "I begin.", file_path=str(stage.worktree.path / "a.txt"), content="one\n")
    commit = bash("git add a.txt && git commit -qm 'Add a'")
    model = await stage.model(calls("TodoWrite", todos=todos), write, commit, Says("Done: a.txt is there."))
    desk = RecordingDesk([Chosen("allow"), Chosen("allow")])
    agent = stage.agent(model, desk, rules="Stay on this branch, says SWITCHBOARD.")
    info = await agent.start()
    assert (info.title, info.resumed, info.held, info.has_rules) == ("Claude Code", False, False, True)
    assert {Ability.RESUME, Ability.STEER, Ability.RESET, Ability.BACKGROUND} <= info.abilities
    ended = await agent.prompt("Add a file")
    assert (ended.reason, ended.last_words) == ("done", "Done: a.txt is there.")
    assert stage.worktree.subjects() == ["Add a"]
    assert desk.of(PlanChanged)[0].steps == (PlanStep("Write", StepState.ACTIVE),)
    started = desk.of(ToolStarted)
    assert [(tool.kind, tool.paths) for tool in started] == [("edit", ("a.txt",)), ("execute", ())]
    assert [tool.ok for tool in desk.of(ToolEnded)] == [True, True]
    used = desk.of(UsageChanged)[-1]
    assert used.tokens == 480
    assert used.cost
    assert "Stay on this branch, says SWITCHBOARD." in model.system()
    assert "Claude Code" in model.system()
    await agent.prompt("Once more")
    assert desk.of(UsageChanged)[-1].tokens == 600


async def test_words_said_meanwhile_reach_the_turn_under_way(stage: Stage) -> None:
    model = await stage.model(bash("touch a"), Says("Heard."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    await agent.start()
    assert not await agent.steer("too early")
    turn = asyncio.create_task(agent.prompt("Begin"))
    question = await desk.question()
    assert await agent.steer("Use tabs, please.")
    question.answer.set_result(Chosen("allow"))
    assert (await turn).last_words == "Heard."
    assert len(model.requests) == 2
    assert "Use tabs, please." in str(model.requests[-1]["messages"])
    assert not await agent.steer("too late")


async def test_a_reset_clears_the_context_and_spares_background_work(stage: Stage) -> None:
    model = await stage.model(bash(WAIT, run_in_background=True), Says("It runs."), Says("It ended."), Says("Fresh."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    before = await agent.start()
    await agent.prompt("Remember the word PINEAPPLE")
    assert desk.of(BackgroundChanged)[-1].tasks == ("A step",)
    cleared = await agent.reset()
    assert cleared.survived == ("A step",)
    assert cleared.lost == ()
    assert cleared.session != before.session
    (stage.worktree.path / "go").touch()
    await desk.until(lambda: desk.stirs == 1)
    assert (await agent.rejoin()).last_words == "It ended."
    assert desk.of(BackgroundChanged)[-1].tasks == ()
    assert (await agent.prompt("Go on")).last_words == "Fresh."
    assert "PINEAPPLE" not in str(model.requests[-1])


async def test_a_stop_withdraws_what_is_open_and_spares_background_work(stage: Stage) -> None:
    model = await stage.model(bash(WAIT, run_in_background=True), bash("touch a"), Says("Again."), Says("It ended."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Begin"))
    question = await desk.question()
    await agent.cancel()
    assert (await turn).reason == "cancelled"
    assert question.withdrawn
    assert not (stage.worktree.path / "a").exists()
    await agent.cancel()
    assert (await agent.prompt("Again")).last_words == "Again."
    (stage.worktree.path / "go").touch()
    await desk.until(lambda: desk.stirs == 1)
    assert (await agent.rejoin()).last_words == "It ended."


async def test_a_persons_own_settings_apply(stage: Stage) -> None:
    (stage.worktree.path / "CLAUDE.md").write_text("Write British English, says PINEAPPLE.\n")
    settings = stage.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"permissions": {"allow": ["Bash(touch:*)"]}}')
    model = await stage.model(bash("touch a"), Says("Done."))
    desk = RecordingDesk()
    agent = stage.agent(model, desk)
    await agent.start()
    await agent.prompt("Begin")
    assert (stage.worktree.path / "a").exists()
    assert desk.asked == []
    assert "says PINEAPPLE" in str(model.requests[0])


async def test_a_clean_end_is_resumed_and_usage_goes_on_from_there(stage: Stage) -> None:
    model = await stage.model(Says("One."), Says("Two."))
    first = stage.agent(model, RecordingDesk())
    session = (await first.start()).session
    await first.prompt("The word is PINEAPPLE")
    await first.close()
    desk = RecordingDesk()
    second = stage.agent(model, desk)
    info = await second.start(resume=session)
    assert (info.resumed, info.session, info.held) == (True, session, False)
    assert desk.updates == []
    await second.prompt("Which word?")
    assert "PINEAPPLE" in str(model.requests[-1])
    assert desk.of(UsageChanged)[-1].tokens == 120  # of this life


async def test_what_cannot_be_resumed_starts_anew(stage: Stage) -> None:
    model = await stage.model(Says("Hello."))
    agent = stage.agent(model, RecordingDesk())
    lost = "11111111-2222-4333-8444-555555555555"
    info = await agent.start(resume=lost)
    assert not info.resumed
    assert info.session != lost
    assert (await agent.prompt("Hello")).last_words == "Hello."


async def test_two_calls_at_once_are_two_tools(stage: Stage) -> None:
    both = Calls((Call("Bash", {"command": "touch a"}), Call("Bash", {"command": "touch b"})))
    model = await stage.model(both, Says("Both."))
    desk = RecordingDesk([Chosen("allow"), Chosen("allow")])
    agent = stage.agent(model, desk)
    await agent.start()
    await agent.prompt("Both")
    assert len(desk.of(ToolStarted)) == len(desk.of(ToolEnded)) == 2
