"""Forms, the runner's own tool, what runs beside the turns, a cleared context, planning first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.wire.types import ALWAYS, APPROVE, REVISE, QuestionKind
from runners import kept
from runners.agents.base import AskDoor, BackgroundChanged, Chosen, Text
from tests.agents.codex.conftest import Opening, runs
from tests.agents.codex.mcp import mcp_server
from tests.agents.codex.model import Calls, Says
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(60)]


async def test_the_runners_own_tool_needs_no_permission(open_stage: Opening) -> None:
    call = Calls("ask_human", {"question": "Which?"}, "mcp__switchboard")
    async with open_stage(call, Says("Done.")) as stage, mcp_server() as door:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk, ask=AskDoor(door.url, "s3cret"))
        await agent.prompt("Go")
        assert desk.asked == []
        assert "answer to Which?" in stage.model.tool_results()[0]
        assert door.tokens == {"Bearer s3cret"}
        assert door.queries == {"wait=86400"}


async def test_a_session_does_not_begin_without_the_runners_tool(open_stage: Opening) -> None:
    async with open_stage(Says("Done.")) as stage:
        agent = stage.agent(RecordingDesk(), ask=AskDoor("http://127.0.0.1:1/mcp", "x"))
        with pytest.raises(Exception, match=r"could not open a session.*switchboard"):
            await agent.start()


FORM = {
    "type": "object",
    "properties": {
        "colour": {"type": "string", "enum": ["red", "blue"], "description": "The colour"},
        "count": {"type": "integer", "minimum": 1},
    },
    "required": ["colour"],
}


async def test_another_servers_tool_is_a_permission_and_its_form_is_filled_in(open_stage: Opening) -> None:
    call = Calls("paint", {"question": "wall"}, "mcp__other")
    async with open_stage(call, call, Says("Done.")) as stage, mcp_server("paint", FORM) as other:
        config = stage.home / "config.toml"
        config.write_text(f'{config.read_text()}\n[mcp_servers.other]\nurl = "{other.url}"\nrequired = true\n')
        desk = RecordingDesk([Chosen(ALWAYS), Chosen("option-2"), Text("none"), Text("3"), Text("red"), Text("4")])
        agent, _ = await stage.started(desk)
        await agent.prompt("Go")
        permission, colour, count, again, *_ = desk.asked
        assert permission.kind is QuestionKind.PERMISSION
        assert permission.title == "Use paint of other?"
        assert permission.detail == "question: wall"
        assert [option.label for option in colour.options] == ["red", "blue"]
        assert again.context.startswith("“none” does not fit. A whole number is needed.")
        assert again.key not in ("", count.key)  # under its old name it would have its old answer
        first, second = stage.model.tool_results()
        assert '{"colour": "blue", "count": 3}' in first
        assert '{"colour": "red", "count": 4}' in second


async def test_shells_outlive_turns_and_a_reset_but_not_a_stop(open_stage: Opening) -> None:
    replies = (runs("sleep 3000", yield_time_ms=250), Says("It runs."), Says("Who?"))
    async with open_stage(*replies) as stage:
        desk = RecordingDesk()
        agent, info = await stage.started(desk)
        await agent.prompt("Remember the milk")
        await desk.until(lambda: BackgroundChanged(("sleep 3000",)) in desk.updates)
        cleared = await agent.reset()
        assert cleared.survived == ("sleep 3000",)
        assert cleared.session != info.session
        assert (await agent.prompt("Who are you?")).last_words == "Who?"
        assert "Remember the milk" not in "".join(stage.model.told())
        (pid,) = await asyncio.to_thread(kept.kept, stage.folder / "session")
        assert any("sleep" in words for words in await asyncio.to_thread(commands, pid))
        await agent.close()


def commands(pid: int) -> list[str]:
    found = []
    for one in kept.under(frozenset((pid,))):
        path = Path(f"/proc/{one}/cmdline")
        found.append(path.read_text().replace("\0", " ") if path.exists() else "sleep")
    return found


async def test_a_stopped_turn_ends_the_shells_it_began(open_stage: Opening) -> None:
    first = (runs("sleep 3001", yield_time_ms=250), Says("It runs."))
    second = (runs("sleep 3002", yield_time_ms=250), Calls("exec_command", {"cmd": "sleep 3003"}))
    async with open_stage(*first, *second) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        await agent.prompt("Go")
        turn = asyncio.create_task(agent.prompt("Go on"))
        await stage.model.asked(4)
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert await agent.conversation.background.look() == ("sleep 3001",)


async def test_a_plan_is_withdrawn_by_a_stop(open_stage: Opening) -> None:
    async with open_stage(Says("<proposed_plan>\n1. Leap\n</proposed_plan>")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk, mode="plan")
        turn = asyncio.create_task(agent.prompt("Go"))
        question = await desk.question()
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert question.withdrawn


async def test_a_plan_is_revised_and_approved(open_stage: Opening) -> None:
    plans = [Says(f"<proposed_plan>\n{words}\n</proposed_plan>") for words in ("1. Leap", "1. Look\n2. Leap")]
    async with open_stage(*plans, Says("Leapt.")) as stage:
        desk = RecordingDesk([Chosen(REVISE, "Look first."), Chosen(APPROVE)])
        agent, _ = await stage.started(desk, mode="plan")
        ended = await agent.prompt("Go")
        assert [asked.detail for asked in desk.asked] == ["1. Leap", "1. Look\n2. Leap"]
        assert all(asked.kind is QuestionKind.PLAN for asked in desk.asked)
        assert ended.last_words == "Leapt."
        told = stage.model.told()
        assert any("Revise it: Look first." in words for words in told)
        assert told[-1] == "Implement the plan."
