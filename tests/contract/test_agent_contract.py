"""What every ``Agent`` must do, whatever is behind it. Real processes; the demo agent plays the part by script."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, ALWAYS, DENY, Ability, QuestionKind, StepState
from runners.agents.base import Chosen, PlanChanged, Said, Text, ToolEnded, ToolStarted, UsageChanged
from runners.errors import AgentConfused, AgentDied, AgentError, AgentLoginNeeded, AgentMissing
from tests.contract.conftest import Kit
from tests.contract.desk import RecordingDesk

CHOICE = {
    "ask": "choice",
    "name": "index",
    "title": "Which index?",
    "context": "FTS: shipped. Tantivy: typo tolerance.",
    "options": [
        {"id": "fts", "label": "FTS", "description": "shipped", "recommended": True},
        {"id": "tantivy", "label": "Tantivy"},
    ],
}
TEXT = {"ask": "text", "name": "name", "title": "What is it called?"}
PERMISSION = {"ask": "permission", "name": "ok", "title": "Touch", "command": "touch made.txt"}
TOLD = {"say": "index={{index}} name={{name}} ok={{ok}}"}


async def play(kit: Kit, desk: RecordingDesk, *steps: dict, prompt: str = "Do it"):
    agent = kit.agent(desk, {"step": list(steps)})
    await agent.start()
    return agent, await agent.prompt(prompt)


# --- start ----------------------------------------------------------------------------------------------------------


async def test_start_tells_what_the_agent_is(kit: Kit) -> None:
    info = await kit.agent(RecordingDesk()).start()
    assert info.title == "Demo agent"
    assert info.version
    assert info.session
    assert info.can_resume
    assert not info.resumed
    assert info.abilities >= {Ability.PROMPT, Ability.CANCEL, Ability.RESUME}


async def test_a_session_is_resumed_without_telling_its_history_again(kit: Kit) -> None:
    script = {"step": [{"say": "one"}, {"end": "done"}, {"say": "two"}]}
    first = kit.agent(RecordingDesk(), script)
    session = (await first.start()).session
    await first.prompt("Begin")
    await first.close()

    desk = RecordingDesk()
    second = kit.agent(desk, script)
    info = await second.start(resume=session)
    assert info.resumed
    assert info.session == session
    assert desk.updates == []
    ended = await second.prompt("Go on")
    assert ended.last_words.endswith("two")
    assert "one" not in desk.words


async def test_what_cannot_be_resumed_starts_anew(kit: Kit) -> None:
    info = await kit.agent(RecordingDesk()).start(resume="demo-000000000000")
    assert not info.resumed
    assert info.session != "demo-000000000000"


# --- turns ----------------------------------------------------------------------------------------------------------


async def test_updates_come_in_the_order_in_which_they_were_sent(kit: Kit) -> None:
    desk = RecordingDesk()
    await play(kit, desk, {"burst": 2000, "text": "{n},"})
    assert desk.words == "".join(f"{n}," for n in range(2000))


async def test_plan_tools_and_usage_are_told(kit: Kit) -> None:
    desk = RecordingDesk()
    steps = [
        {"plan": ["Look", "Write"], "done": 1, "active": 2},
        {"edit": "a.txt", "text": "a\n"},
        {"run": "exit 3", "name": "r"},
        {"usage": 1200, "cost": 0.25},
    ]
    await play(kit, desk, *steps)
    plan = desk.of(PlanChanged)[0]
    assert [(step.title, step.state) for step in plan.steps] == [("Look", StepState.DONE), ("Write", StepState.ACTIVE)]
    started = desk.of(ToolStarted)
    assert [(tool.kind, tool.paths) for tool in started] == [("edit", ("a.txt",)), ("execute", ())]
    assert [(tool.id, tool.ok) for tool in desk.of(ToolEnded)] == [(started[0].id, True), (started[1].id, False)]
    (usage,) = desk.of(UsageChanged)
    assert (usage.context, usage.cost) == (1200, 0.25)
    assert usage.meter


async def test_the_last_words_are_those_after_the_last_tool(kit: Kit) -> None:
    steps = [{"say": "I begin."}, {"edit": "a.txt", "text": "a"}, {"say": "Done"}, {"say": " with a.txt."}]
    _, ended = await play(kit, RecordingDesk(), *steps)
    assert ended.reason == "done"
    assert ended.last_words == "Done with a.txt."


@pytest.mark.parametrize(("said", "reason"), [("refused", "refused"), ("limit", "limit"), ("done", "done")])
async def test_a_turn_says_why_it_ended(kit: Kit, said: str, reason: str) -> None:
    _, ended = await play(kit, RecordingDesk(), {"end": said})
    assert ended.reason == reason


@pytest.mark.parametrize(
    ("said", "reason"), [("the service is overloaded", "failed"), ("rate limit reached, try again in 5m", "asleep")]
)
async def test_a_turn_that_its_service_fails_says_so(kit: Kit, said: str, reason: str) -> None:
    desk = RecordingDesk()
    agent, ended = await play(kit, desk, {"say": "so far"}, {"fail": said}, {"say": "again"})
    assert ended.reason == reason
    assert said in ended.detail
    assert (ended.until is not None) == (reason == "asleep")
    assert (await agent.prompt("Try again")).last_words.endswith("again")


async def test_tokens_are_counted_over_turns(kit: Kit) -> None:
    desk = RecordingDesk()
    steps = [{"usage": 1, "tokens": 100}, {"end": "done"}, {"usage": 1, "tokens": 50}]
    agent, _ = await play(kit, desk, *steps)
    await agent.prompt("On")
    told = [usage for usage in desk.of(UsageChanged) if usage.tokens is not None]
    assert [usage.tokens for usage in told] == [100, 150]
    assert len({usage.meter for usage in told}) == 1


async def test_prompts_are_worked_off_one_after_another(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"say": "story "}], "follow": [{"say": "[{{prompt}}] "}]})
    await agent.start()
    await asyncio.gather(agent.prompt("Begin"), agent.prompt("two"), agent.prompt("three"))
    assert desk.words.split() == ["story", "[two]", "[three]"]


async def test_rejoin_gives_the_turn_that_has_ended_meanwhile(kit: Kit) -> None:
    agent, ended = await play(kit, RecordingDesk(), {"say": "all of it"})
    assert await agent.rejoin() == ended


async def test_rejoin_waits_for_the_turn_under_way(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [TEXT, {"say": "{{name}}"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    question = await desk.question()
    again = asyncio.create_task(agent.rejoin())
    question.answer.set_result(Text("x"))
    assert await turn == await again


async def test_steer_says_nothing_where_no_turn_is_under_way(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk())
    assert not await agent.steer("too early")
    await agent.start()
    assert not await agent.steer("still too early")


async def test_a_reset_forgets_the_context(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"say": "story "}], "follow": [{"say": "more "}]})
    session = (await agent.start()).session
    await agent.prompt("Begin")
    await agent.prompt("More")
    cleared = await agent.reset()
    assert cleared.session != session
    await agent.prompt("Begin again")
    assert desk.words.split() == ["story", "more", "story"]


async def test_detach_never_raises(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk())
    await agent.start()
    await agent.detach()
    await agent.close()


# --- questions ------------------------------------------------------------------------------------------------------


async def test_a_choice_is_asked_and_its_answer_used(kit: Kit) -> None:
    desk = RecordingDesk([Chosen("tantivy")])
    await play(kit, desk, CHOICE, TOLD)
    (asked,) = desk.asked
    assert asked.kind is QuestionKind.CHOICE
    assert asked.title == "Which index?"
    assert asked.context == "FTS: shipped. Tantivy: typo tolerance."
    assert [(o.id, o.label, o.description, o.recommended) for o in asked.options] == [
        ("fts", "FTS", "shipped", True),
        ("tantivy", "Tantivy", "", False),
    ]
    assert "index=Tantivy" in desk.words


async def test_words_of_ones_own_answer_a_choice(kit: Kit) -> None:
    desk = RecordingDesk([Text("neither: use grep")])
    await play(kit, desk, CHOICE, TOLD)
    assert "index=neither: use grep" in desk.words


async def test_words_that_name_an_option_are_that_option(kit: Kit) -> None:
    desk = RecordingDesk([Text("tantivy")])
    await play(kit, desk, CHOICE, TOLD)
    assert "index=Tantivy" in desk.words


async def test_a_text_is_asked_and_its_answer_used(kit: Kit) -> None:
    desk = RecordingDesk([Text("Playback „α“ 🎧")])
    await play(kit, desk, TEXT, TOLD)
    assert desk.asked[0].kind is QuestionKind.TEXT
    assert desk.asked[0].options == ()
    assert "name=Playback „α“ 🎧" in desk.words


async def test_a_permission_shows_the_exact_command(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(ALLOW)])
    await play(kit, desk, PERMISSION, TOLD)
    (asked,) = desk.asked
    assert asked.kind is QuestionKind.PERMISSION
    assert asked.detail == "touch made.txt"
    assert [(option.id, option.label) for option in asked.options] == [
        (ALLOW, "Allow"),
        (ALWAYS, "Always allow"),
        (DENY, "Deny"),
    ]
    assert not asked.allow_text
    assert "ok=allow" in desk.words


async def test_always_is_offered_only_where_the_agent_offers_it(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(ALWAYS), Chosen(ALLOW)])
    once = {**PERMISSION, "name": "name", "kinds": ["allow_once", "reject_once"]}
    await play(kit, desk, PERMISSION, once, {"say": "{{ok.option}} {{name.option}}"})
    assert [option.id for option in desk.asked[1].options] == [ALLOW, DENY]
    assert desk.words == "always yes"


async def test_a_denial_goes_back_and_its_reason_follows(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(DENY, "Use a folder of your own.")])
    agent = kit.agent(desk, {"step": [PERMISSION, TOLD], "follow": [{"say": " told: {{prompt}}"}]})
    await agent.start()
    ended = await agent.prompt("Do it")
    assert ended.reason == "done"
    assert "ok=deny" in desk.words
    assert "told: You asked: “Run touch made.txt?” The answer was no. Use a folder of your own." in desk.words


async def test_a_reason_follows_even_where_a_denial_ends_the_agents_turn(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(DENY, "Ask Ben.")])
    agent = kit.agent(desk, {"step": [PERMISSION, {"end": "cancelled"}, {"say": "told"}]})
    await agent.start()
    ended = await agent.prompt("Do it")
    assert ended.reason == "done"
    assert ended.last_words.endswith("told")


async def test_a_turn_that_the_agent_itself_breaks_off_was_not_cancelled_by_us(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(DENY)])
    _, ended = await play(kit, desk, PERMISSION, {"end": "cancelled"})
    assert ended.reason == "done"


async def test_a_denial_can_end_the_turn(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(DENY, "Not today.", then_stop=True)])
    agent = kit.agent(desk, {"step": [PERMISSION, {"hang": True}], "follow": [{"say": "{{prompt}}"}]})
    await agent.start()
    assert (await agent.prompt("Do it")).reason == "cancelled"


async def test_permission_options_are_chosen_by_kind(kit: Kit) -> None:
    desk = RecordingDesk([Chosen(ALLOW), Chosen(ALLOW)])
    only_always = {**PERMISSION, "name": "index", "kinds": ["allow_always", "reject_once"]}
    await play(kit, desk, PERMISSION, only_always, TOLD)
    assert "index=allow name={{name}} ok=allow" in desk.words


async def test_a_plan_is_approved_or_revised(kit: Kit) -> None:
    plan = {"ask": "plan", "name": "ok", "detail": "1. Look\n2. Leap"}
    desk = RecordingDesk([Chosen("revise", "Look twice."), Chosen("approve")])
    agent = kit.agent(desk, {"step": [plan, TOLD], "follow": [{"say": " told: {{prompt}} "}, plan, TOLD]})
    await agent.start()
    await agent.prompt("Do it")
    assert [asked.kind for asked in desk.asked] == [QuestionKind.PLAN, QuestionKind.PLAN]
    assert desk.asked[0].detail == "1. Look\n2. Leap"
    assert [option.id for option in desk.asked[0].options] == ["approve", "revise"]
    assert "told: Your plan was not approved yet. Revise it: Look twice." in desk.words
    assert desk.words.endswith("ok=approve")


async def test_questions_may_be_open_at_the_same_time(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"parallel": [CHOICE, TEXT, PERMISSION]}, TOLD]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.question(3)
    answers = {QuestionKind.CHOICE: Chosen("fts"), QuestionKind.TEXT: Text("x"), QuestionKind.PERMISSION: Chosen(ALLOW)}
    for question in reversed(desk.open):
        question.answer.set_result(answers[question.inquiry.kind])
    assert (await turn).last_words == "index=FTS name=x ok=allow"


async def test_a_question_waits_while_others_are_asked_and_answered(kit: Kit) -> None:
    desk = RecordingDesk()
    many = [{**TEXT, "name": f"n{n}", "title": f"Question {n}?"} for n in range(20)]
    agent = kit.agent(desk, {"step": [{"parallel": many}, {"say": "{{n0}} {{n19}}"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.question(20)
    for question in desk.open:
        question.answer.set_result(Text(question.inquiry.title.split()[1]))
    assert (await turn).last_words == "0? 19?"


async def test_a_form_is_asked_on_one_card_and_again_only_what_does_not_fit(kit: Kit) -> None:
    size = {"type": "integer", "title": "How many?", "minimum": 1}
    form = {"type": "object", "properties": {"size": size, "deep": {"type": "boolean", "title": "Deep?"}}}
    desk = RecordingDesk([Text("many"), Chosen("yes"), Text("3")])
    await play(kit, desk, {"form": form, "message": "Set up", "name": "got"}, {"say": "{{got}}"})
    assert [[asked.title for asked in group] for group in desk.groups] == [["How many?", "Deep?"]]
    assert [asked.title for asked in desk.asked] == ["How many?", "Deep?", "How many?"]
    assert desk.asked[2].context == "“many” does not fit. A whole number is needed.\nSet up"
    assert desk.words == '{"action": "accept", "deep": true, "size": 3}'


COLOURS = {
    "type": "array",
    "title": "Which colours?",
    "items": {"anyOf": [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green, dark"}]},
}


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (Chosen("r", options=("r", "g")), ["r", "g"]),
        (Chosen("", options=()), []),
        (Text("green, dark"), ["g"]),
        (Text("Red; r"), ["r"]),
    ],
)
async def test_several_may_be_chosen(kit: Kit, answer: Chosen | Text, sent: list[str]) -> None:
    form = {"type": "object", "properties": {"colours": COLOURS}}
    desk = RecordingDesk([answer])
    await play(kit, desk, {"form": form, "message": "Paint", "name": "got"}, {"say": "{{got}}"})
    assert desk.asked[0].multiple
    assert json.loads(desk.words) == {"action": "accept", "colours": sent}


async def test_none_of_these_on_one_of_two_questions_tells_the_agent_both_answers(kit: Kit) -> None:
    form = {
        "type": "object",
        "properties": {"colours": COLOURS, "deep": {"type": "boolean", "title": "Deep?"}},
    }
    desk = RecordingDesk([Text("something blue"), Chosen("yes")])
    steps = [{"form": form, "message": "Paint", "name": "got"}, {"say": "{{got}}"}]
    agent = kit.agent(desk, {"step": steps, "follow": [{"say": " {{prompt}}"}]})
    await agent.start()
    await agent.prompt("Do it")
    assert desk.words == (
        '{"action": "decline"} You asked: “Which colours?” None of your options; the answer is: something blue '
        "You asked: “Deep?” Yes"
    )


@pytest.mark.parametrize(("answer", "action"), [(Chosen(ALLOW), "accept"), (Chosen(DENY), "decline")])
async def test_a_form_without_fields_is_a_permission(kit: Kit, answer: Chosen, action: str) -> None:
    desk = RecordingDesk([answer])
    form = {"type": "object", "properties": {}}
    await play(kit, desk, {"form": form, "message": "Call the tool?", "name": "got"}, {"say": "{{got}}"})
    assert (desk.asked[0].kind, desk.asked[0].title) == (QuestionKind.PERMISSION, "Call the tool?")
    assert desk.words == f'{{"action": "{action}"}}'


async def test_words_that_a_form_cannot_take_follow_as_a_prompt(kit: Kit) -> None:
    form = {"type": "object", "properties": {"x": {"type": "string", "enum": ["a", "b"]}}}
    desk = RecordingDesk([Text("neither")])
    steps = [{"form": form, "message": "Which?", "name": "got"}, {"say": "{{got}}"}]
    agent = kit.agent(desk, {"step": steps, "follow": [{"say": " {{prompt}}"}]})
    await agent.start()
    await agent.prompt("Do it")
    assert desk.words == '{"action": "decline"} You asked: “Which?” None of your options; the answer is: neither'


async def test_an_agent_may_wait_for_somebody_else(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"say": "waiting"}, {"wait": "go"}, {"say": " gone"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.until(lambda: desk.words == "waiting")
    (kit.worktree.path / "go").touch()
    assert (await turn).last_words == "waiting gone"


# --- cancel, close, death -------------------------------------------------------------------------------------------


async def test_cancel_closes_open_questions_and_ends_the_turn(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"parallel": [CHOICE, PERMISSION]}, {"run": "touch ran.txt"}, {"say": "x"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.question(2)
    await agent.cancel()
    assert (await turn).reason == "cancelled"
    assert all(question.withdrawn for question in desk.open)
    assert not (kit.worktree.path / "ran.txt").exists()


async def test_after_a_cancel_the_next_prompt_asks_again(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [CHOICE, TOLD]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.question()
    await agent.cancel()
    await turn
    again = asyncio.create_task(agent.prompt("Please go on"))
    (await desk.question(2)).answer.set_result(Chosen("fts"))
    assert "index=FTS" in (await again).last_words


async def test_cancel_without_a_turn_and_twice_does_nothing(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"hang": True}]})
    await agent.cancel()
    await agent.start()
    await agent.cancel()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await asyncio.sleep(0)
    await asyncio.gather(agent.cancel(), agent.cancel())
    assert (await turn).reason == "cancelled"


async def test_close_ends_a_running_turn_and_may_be_called_twice(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [CHOICE]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    question = await desk.question()
    await asyncio.gather(agent.close(), agent.close())
    with pytest.raises(AgentDied, match="was stopped"):
        await turn
    assert question.withdrawn
    await agent.close()


async def test_close_before_start_is_fine(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk())
    await agent.close()


async def test_close_ends_an_agent_that_ignores_it(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"hang": "deaf"}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    await desk.until(lambda: "I hear nothing" in desk.words)
    await agent.cancel()
    assert not turn.done()
    await agent.close()
    with pytest.raises(AgentDied):
        await turn


async def test_close_does_not_wait_for_a_grandchild_and_ends_it(kit: Kit) -> None:
    desk = RecordingDesk()
    agent, _ = await play(kit, desk, {"spawn": "trap '' TERM; exec sleep 1000"}, {"say": "{{spawned}}"})
    pid = int(desk.words)
    os.kill(pid, 0)
    async with asyncio.timeout(10):
        await agent.close()
        await gone(pid)


async def test_an_agent_that_dies_says_how(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"say": "so far"}, {"crash": 7}]})
    await agent.start()
    with pytest.raises(AgentDied) as died:
        await agent.prompt("Do it")
    assert died.value.exit_status == 7
    assert "the demo agent crashes (7)" in died.value.last_words
    assert "demo" in str(died.value)
    assert "exit status 7" in str(died.value)
    assert desk.of(Said)
    with pytest.raises(AgentDied):
        await agent.prompt("Again")


async def test_an_agent_that_is_killed_withdraws_its_questions(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"parallel": [CHOICE, {**TEXT, "title": "Die?"}]}, {"crash": -9}]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    for question in ((await desk.question(1)), (await desk.question(2))):
        question.answer.set_result(Text("yes"))
    with pytest.raises(AgentDied, match="killed by SIGKILL"):
        await turn


async def test_an_agent_whose_grandchild_holds_its_output_is_dead_all_the_same(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), {"step": [{"spawn": "exec sleep 1000"}, {"crash": 4}]})
    await agent.start()
    async with asyncio.timeout(10):
        with pytest.raises(AgentDied, match="exit status 4"):
            await agent.prompt("Do it")


async def test_a_flooded_log_neither_blocks_nor_fills_the_disk(kit: Kit) -> None:
    _, ended = await play(kit, RecordingDesk(), {"flood": 5_000_000}, {"say": "dry again"})
    assert ended.last_words == "dry again"
    logs = list(kit.folder.glob("agent.log*"))
    assert 0 < sum(log.stat().st_size for log in logs) < 3_000_000


# --- not an agent at all --------------------------------------------------------------------------------------------


async def test_a_command_that_does_not_exist(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), argv=("no-such-agent-here",))
    with pytest.raises(AgentMissing, match=r"“no-such-agent-here” was not found.*Install it"):
        await agent.start()


async def test_a_folder_that_does_not_exist(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), cwd=Path("/no/such/worktree"))
    with pytest.raises(AgentMissing, match="/no/such/worktree does not exist"):
        await agent.start()


async def test_a_command_that_ends_at_once(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), argv=("sh", "-c", "echo no licence >&2; exit 9"))
    with pytest.raises(AgentDied, match="exit status 9") as died:
        await agent.start()
    assert died.value.last_words == "no licence"


async def test_a_command_that_ends_without_a_word(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), argv=("true", "--quiet"))
    with pytest.raises(AgentDied, match=r"ended with exit status 0 without a word\. Run “true --quiet” by hand.*--acp"):
        await agent.start()


async def test_a_command_that_prints_its_usage(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), argv=("sh", "-c", "echo usage: agent --acp; exit 2"))
    with pytest.raises(AgentConfused, match=r"“usage: agent --acp” instead of JSON-RPC.*exit status 2.*--acp"):
        await agent.start()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("garbage", "“Welcome! This is no JSON-RPC.” and the like instead of JSON-RPC"),
        ("huge", "a line of more than 32 MB"),
        ("version", "speaks ACP version 99, Switchboard speaks version 1"),
    ],
)
async def test_an_agent_that_does_not_speak_its_protocol(kit: Kit, fault: str, words: str) -> None:
    agent = kit.agent(RecordingDesk(), {"at_start": fault})
    with pytest.raises(AgentConfused, match=words):
        await agent.start()


async def test_an_agent_that_never_answers(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), {"at_start": "hang"}, start_timeout=1.5)
    with pytest.raises(AgentConfused, match=r"did not answer within 1.5 s"):
        await agent.start()


async def test_an_agent_that_wants_a_login(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), {"at_start": "login"}, login_hint="Run `demo login`.")
    with pytest.raises(AgentLoginNeeded, match=r"log in on this machine first\. Run `demo login`"):
        await agent.start()


async def test_a_login_hint_is_made_from_what_the_agent_offers(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), {"at_start": "login"})
    with pytest.raises(AgentError, match="it offers: Demo login: only in this script"):
        await agent.start()


@pytest.mark.parametrize("what", ["mode", "model"])
async def test_a_mode_or_a_model_that_it_does_not_have(kit: Kit, what: str) -> None:
    agent = kit.agent(RecordingDesk(), **{what: "gpt-0"})
    with pytest.raises(AgentConfused, match=rf"has no {what} “gpt-0”.*Correct {what} under \[agents.demo\]"):
        await agent.start()


async def test_an_agent_that_dies_with_a_question_open_withdraws_it(kit: Kit) -> None:
    desk = RecordingDesk()
    agent = kit.agent(desk, {"step": [{"spawn": "sleep 0.5; kill -9 $PPID"}, CHOICE]})
    await agent.start()
    turn = asyncio.create_task(agent.prompt("Do it"))
    question = await desk.question()
    with pytest.raises(AgentDied, match="killed by SIGKILL"):
        await turn
    assert question.withdrawn


async def test_a_few_stray_lines_do_no_harm(kit: Kit) -> None:
    desk = RecordingDesk([Text("fine")])
    _, ended = await play(kit, desk, {"garbage": "npm notice", "times": 20}, TEXT, {"say": "{{name}}"})
    assert ended.last_words == "fine"


async def test_a_huge_line_in_the_middle_ends_it_with_a_clear_word(kit: Kit) -> None:
    agent = kit.agent(RecordingDesk(), {"step": [{"huge": 50_000_000}, {"hang": True}]})
    await agent.start()
    with pytest.raises(AgentConfused, match="a line of more than 32 MB"):
        await agent.prompt("Do it")


# --- odd questions --------------------------------------------------------------------------------------------------


async def test_a_choice_without_options_is_a_text(kit: Kit) -> None:
    desk = RecordingDesk([Text("anything")])
    await play(kit, desk, {**CHOICE, "options": []}, TOLD)
    assert desk.asked[0].kind is QuestionKind.TEXT


@pytest.mark.parametrize("count", [1, 30])
async def test_any_number_of_options(kit: Kit, count: int) -> None:
    options = [{"id": f"o{n}", "label": f"Option {n}"} for n in range(count)]
    desk = RecordingDesk([Chosen(f"o{count - 1}")])
    await play(kit, desk, {**CHOICE, "options": options}, TOLD)
    assert len(desk.asked[0].options) == count
    assert f"index=Option {count - 1}" in desk.words


async def test_an_option_of_3000_characters_keeps_its_words(kit: Kit) -> None:
    label = "long " * 599 + "label"
    desk = RecordingDesk([lambda inquiry: Chosen(inquiry.options[0].id)])
    await play(kit, desk, {**CHOICE, "options": [{"id": "x" * 3000, "label": label}]}, TOLD)
    assert desk.asked[0].options[0].label == label
    assert len(desk.asked[0].options[0].id) <= 64
    assert "index=long" in desk.words


async def test_hostile_text_cannot_hide_what_a_command_does(kit: Kit) -> None:
    command = "echo \x1b[2K\x1b[1A safe\u202e && rm -rf x\x00"
    desk = RecordingDesk([Chosen(DENY)])
    await play(kit, desk, {**PERMISSION, "command": command, "context": "<!channel> \x1b[31mred\x1b[0m ```"})
    (asked,) = desk.asked
    assert asked.detail == "echo ⟨U+001B⟩[2K⟨U+001B⟩[1A safe⟨U+202E⟩ && rm -rf x⟨U+0000⟩"
    assert "\x1b" not in asked.title + asked.context
    assert asked.context == "<!channel> red ```"
    assert "&& rm -rf x" in asked.title


async def gone(pid: int) -> None:
    """Wait for a process that is no child of ours."""
    while True:
        try:
            if "(sleep) Z" in Path(f"/proc/{pid}/stat").read_text():
                return
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return
        await asyncio.to_thread(os.sched_yield)
