"""Codex at work: it edits and commits, asks, is denied, stopped, steered."""

from __future__ import annotations

import asyncio
import json

import pytest

from bot.wire.types import ALLOW, ALWAYS, DENY, Ability, QuestionKind
from runners.agents.base import Chosen, Text, ToolEnded, ToolStarted, UsageChanged
from tests.agents.codex.conftest import Opening, escalated, runs
from tests.agents.codex.model import Both, Calls, Says
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(60)]

PATCH = """apply_patch <<'EOF'
*** Begin Patch
*** Add File: NOTES.md
+# Notes
*** Update File: README.md
@@
-# thing
+# Thing
*** End Patch
EOF"""


COMMIT = runs("git add -A && git commit -q -m 'Add notes'")


async def test_it_edits_and_commits_in_a_linked_worktree_without_asking(open_stage: Opening) -> None:
    mixed = runs("echo x > x.txt && git add -A && git commit -q -m Mixed")
    replies = (runs(PATCH), mixed, runs("rm x.txt"), COMMIT, Says("Done: the notes are in."))
    async with open_stage(*replies) as stage:
        before = (stage.home / "config.toml").read_bytes()
        desk = RecordingDesk()
        agent, info = await stage.started(desk, rules="Ask before you push.")
        assert (info.title, info.version, info.model) == ("Codex", "0.166.0", "scripted")
        assert info.has_rules
        assert not info.resumed
        assert not info.held
        assert info.abilities >= {Ability.STEER, Ability.RESET, Ability.RESUME, Ability.BACKGROUND}
        ended = await agent.prompt("Write notes and commit them.")
        assert (ended.reason, ended.last_words) == ("done", "Done: the notes are in.")
        assert desk.asked == []
        assert stage.worktree.subjects() == ["Add notes"]
        assert "Read-only file system" in stage.model.tool_results()[1]  # only git alone is let out of the sandbox
        assert stage.worktree.read("NOTES.md") == "# Notes\n"
        assert stage.worktree.dirty() == ""
        assert any("Ask before you push." in words for words in stage.model.told("developer"))
        assert stage.model.told()[-1] == "Write notes and commit them."
        tools = desk.of(ToolStarted)
        assert ("edit", ("NOTES.md", "README.md")) in [(tool.kind, tool.paths) for tool in tools]
        assert "git add -A && git commit -q -m 'Add notes'" in [tool.title for tool in tools]
        assert desk.of(ToolEnded)[-1].ok
        usage = desk.of(UsageChanged)[-1]
        assert (usage.tokens, usage.context, usage.meter) == (600, 120, info.session)
        assert (stage.home / "config.toml").read_bytes() == before
        assert not (stage.home / "rules").exists()


QUESTION = {
    "id": "index",
    "header": "Index",
    "question": "Which index?",
    "options": [{"label": "FTS (Recommended)", "description": "shipped"}, {"label": "Tantivy", "description": "typos"}],
}
SECOND = {**QUESTION, "id": "name", "question": "Which name?", "options": [
    {"label": "Search", "description": ""}, {"label": "Find", "description": ""}]}  # fmt: skip


async def test_its_questions_stand_on_one_card_and_take_options_and_words(open_stage: Opening) -> None:
    call = Calls("request_user_input", {"questions": [QUESTION, SECOND]})
    async with open_stage(call, call, call, Says("Thanks.")) as stage:
        name = Chosen("option-1", options=("option-1",))
        desk = RecordingDesk([Chosen("option-2"), name, Text("fts"), name, Text("just grep"), name])
        agent, _ = await stage.started(desk)
        await agent.prompt("Go")
        group, *more = desk.groups
        assert len(more) == 2
        assert [asked.title for asked in group] == ["Which index?", "Which name?"]
        assert group[0].kind is QuestionKind.CHOICE
        assert [(o.label, o.description, o.recommended) for o in group[0].options] == [
            ("FTS", "shipped", True),
            ("Tantivy", "typos", False),
        ]
        assert len({asked.key for asked in desk.asked}) == 6
        told = ("Tantivy", "FTS (Recommended)", "user_note: just grep")
        for words, result in zip(told, stage.model.tool_results(), strict=True):
            assert json.loads(result)["answers"] == {"index": {"answers": [words]}, "name": {"answers": ["Search"]}}


async def test_a_command_is_shown_whole_and_allowed_for_once_or_for_the_session(open_stage: Opening) -> None:
    made = "long-" + "x" * 20_000
    command = f"echo {made} > ../made.txt"
    again = escalated("touch ../again.txt")
    async with open_stage(escalated(command, "To the parent"), again, again, Says("Done.")) as stage:
        desk = RecordingDesk([Chosen(ALLOW), Chosen(ALWAYS)])
        agent, _ = await stage.started(desk)
        await agent.prompt("Go")
        first, second = desk.asked
        assert first.kind is QuestionKind.PERMISSION
        assert first.detail == command
        assert first.context == "To the parent"
        assert first.title.startswith("Run echo long-xxx")
        assert [option.id for option in first.options] == [ALLOW, ALWAYS, DENY]
        assert second.detail == "touch ../again.txt"
        assert (stage.folder / "made.txt").read_text() == made + "\n"
        assert (stage.folder / "again.txt").exists()


async def test_a_denial_goes_on_and_the_model_gets_the_words(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../evil"), Says("Understood.")) as stage:
        desk = RecordingDesk([Chosen(DENY, "Leave that folder to me.")])
        agent, _ = await stage.started(desk)
        ended = await agent.prompt("Go")
        assert (ended.reason, ended.last_words) == ("done", "Understood.")
        assert len(stage.model.requests) == 2  # it heard both at once
        assert "rejected by user" in stage.model.tool_results()[0]
        assert stage.model.told()[-1].endswith("The answer was no. Leave that folder to me.")
        assert not (stage.folder / "evil").exists()


async def test_a_denial_can_end_the_turn_and_its_words_come_with_the_next_message(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../evil"), Says("Understood.")) as stage:
        desk = RecordingDesk([Chosen(DENY, "Not today.", then_stop=True)])
        agent, _ = await stage.started(desk)
        assert (await agent.prompt("Go")).reason == "cancelled"
        assert len(stage.model.requests) == 1
        ended = await agent.prompt("Do something else.")
        assert ended.last_words == "Understood."
        assert "The answer was no. Not today.\n\nDo something else." in stage.model.told()[-1]
        assert not (stage.folder / "evil").exists()


async def test_a_file_change_is_asked_with_its_diff(open_stage: Opening) -> None:
    async with open_stage(runs(PATCH), Says("Done.")) as stage:
        desk = RecordingDesk([Chosen(ALLOW)])
        agent, _ = await stage.started(desk, mode="read-only")
        await agent.prompt("Go")
        (asked,) = desk.asked
        assert asked.title == "Edit NOTES.md, README.md?"
        assert "+++ b/NOTES.md\n+# Notes" in asked.detail
        assert "-# thing\n+# Thing" in asked.detail
        assert asked.stat is not None
        assert asked.stat.detail == "NOTES.md +1 −0\nREADME.md +1 −1"
        assert asked.none is not None
        assert (asked.none.title, asked.none.detail) == ("Edit 2 files?", "2 files, +2 −1")
        assert stage.worktree.read("README.md").startswith("# Thing")


async def test_a_stop_withdraws_what_is_asked_and_nothing_runs(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../evil"), Says("Next.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Go"))
        question = await desk.question()
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert question.withdrawn
        assert (await agent.prompt("Go on")).last_words == "Next."
        assert not (stage.folder / "evil").exists()


async def test_a_stop_comes_in_time_even_while_a_turn_begins(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../evil"), Says("Next.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Go"))
        await asyncio.sleep(0)
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert not (stage.folder / "evil").exists()


async def test_two_questions_at_once_are_answered_in_any_order(open_stage: Opening) -> None:
    both = Both((escalated("touch ../one"), escalated("touch ../two")))
    async with open_stage(both, Says("Done.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Go"))
        first = await desk.question(1)
        if len(desk.open) < 2:  # Codex may put them one after another
            first.answer.set_result(Chosen(ALLOW))
        second = await desk.question(2)
        second.answer.set_result(Chosen(DENY))
        if not first.answer.done():
            first.answer.set_result(Chosen(ALLOW))
        assert (await turn).last_words == "Done."
        assert first.inquiry.key != second.inquiry.key
        assert (stage.folder / first.inquiry.detail.removeprefix("touch ../")).exists()
        assert not (stage.folder / second.inquiry.detail.removeprefix("touch ../")).exists()


async def test_words_reach_it_within_a_turn(open_stage: Opening) -> None:
    async with open_stage(escalated("true"), Says("Heard.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        assert not await agent.steer("too early")
        turn = asyncio.create_task(agent.prompt("Go"))
        question = await desk.question()
        assert await agent.steer("And mind the gap.")
        question.answer.set_result(Chosen(ALLOW))
        assert (await turn).last_words == "Heard."
        assert stage.model.told()[-1] == "And mind the gap."
        assert not await agent.steer("too late")


async def test_a_mode_says_what_is_asked(open_stage: Opening) -> None:
    harmless, outside = runs("touch here.txt"), escalated("touch ../there.txt")
    async with open_stage(harmless, Says("One."), outside, Says("Two.")) as stage:
        desk = RecordingDesk([Chosen(DENY)])
        agent, _ = await stage.started(desk, mode="untrusted")
        assert (await agent.prompt("Go")).last_words == "One."
        assert [asked.detail for asked in desk.asked] == ["touch here.txt"]
        await agent.close()
        agent, _ = await stage.started(desk, mode="full-access")
        assert (await agent.prompt("Go")).last_words == "Two."
        assert len(desk.asked) == 1
