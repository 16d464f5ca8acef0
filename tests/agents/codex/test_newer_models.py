"""Models from gpt-5.6 on: they run their tools from scripts, leave questions behind, and have helpers."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.wire.types import ALLOW, QuestionKind
from runners.agents.base import Chosen, Text
from tests.agents.codex.conftest import Opening
from tests.agents.codex.model import Calls, Says, Scripts
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(60)]

MODEL = "gpt-6.1-sol"


def script(tool: str, **arguments: object) -> Scripts:
    return Scripts(f"text(JSON.stringify(await tools.{tool}({json.dumps(arguments)})))")


async def test_a_script_waits_for_its_permission(open_stage: Opening) -> None:
    run = script("exec_command", cmd="touch ../made", sandbox_permissions="require_escalated", justification="May I?")
    async with open_stage(run, Says("Done.")) as stage:
        desk = RecordingDesk([Chosen(ALLOW)])
        agent, info = await stage.started(desk, model=MODEL)
        assert info.model == MODEL
        ended = await agent.prompt("Go")
        assert ended.last_words == "Done."
        assert [asked.detail for asked in desk.asked] == ["touch ../made"]
        assert (stage.folder / "made").exists()


LATER = Calls(
    "request_user_input_async",
    {"questions": [{"title": "Which index?", "options": ["FTS", "Tantivy"]}, {"title": "Which name?"}]},
    "functions",
)


async def test_a_question_left_behind_is_answered_within_the_turn(open_stage: Opening) -> None:
    run = script("exec_command", cmd="true", sandbox_permissions="require_escalated", justification="May I?")
    async with open_stage(LATER, run, Says("Thanks.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk, model=MODEL)
        turn = asyncio.create_task(agent.prompt("Go"))
        await desk.until(lambda: len(desk.open) >= 3)
        questions = {question.inquiry.title: question for question in desk.open}
        index, name = questions["Which index?"], questions["Which name?"]
        assert (index.inquiry.kind, name.inquiry.kind) == (QuestionKind.CHOICE, QuestionKind.TEXT)
        assert [option.recommended for option in index.inquiry.options] == [True, False]
        index.answer.set_result(Chosen("option-2"))
        name.answer.set_result(Text("Search"))
        words = "You asked: “Which index?” The answer: Tantivy\nYou asked: “Which name?” The answer: Search"
        permission = next(question for question in desk.open if question.inquiry.kind is QuestionKind.PERMISSION)
        await asyncio.gather(*agent.conversation.asking.later)  # the answer is in the turn
        permission.answer.set_result(Chosen(ALLOW))
        assert (await turn).last_words == "Thanks."
        assert words in stage.model.told()


async def test_a_question_left_behind_begins_a_turn_once_it_is_answered(open_stage: Opening) -> None:
    async with open_stage(LATER, Says("I go on."), Says("Thanks.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk, model=MODEL)
        assert (await agent.prompt("Go")).last_words == "I go on."
        assert desk.stirs == 0
        for question in desk.open:
            question.answer.set_result(Text("Search"))
        await desk.until(lambda: desk.stirs == 1)
        assert (await agent.rejoin()).last_words == "Thanks."
        assert "You asked: “Which name?” The answer: Search" in stage.model.told()[-1]
