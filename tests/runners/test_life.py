"""A session's life: crashes, pauses, limits, failed turns, resets, budgets; with a question open, and over restarts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    ContextReset,
    DeliverAnswer,
    PauseSession,
    Progressed,
    Prompt,
    PromptDropped,
    PromptGiven,
    QuestionWithdrawn,
    ResetContext,
    ResumeSession,
    SessionChanged,
    SessionEnded,
    SteerPrompt,
    StopSession,
    WakeAtReset,
    WithdrawPrompt,
)
from bot.wire.types import (
    ALLOW,
    ALWAYS,
    DENY,
    Ability,
    Answer,
    Ending,
    Option,
    Person,
    PersonId,
    PromptId,
    QuestionKind,
    RunState,
    Urgency,
)
from runners import kept
from runners.agents.base import BackgroundChanged, Chosen, Inquiry, Text
from runners.leftovers import end_leftovers
from runners.runner import budget, lifecycle
from tests.runners.actor import ALL, Actor, kept_process
from tests.runners.board import ANA
from tests.runners.clock import NOON
from tests.runners.places import spec
from tests.runners.scene import CHOICE, RUNNER, S, Scene, scene

BEN = Person(PersonId("U2BEN"), "Ben")
INDEX = Inquiry(QuestionKind.CHOICE, "Which index?", options=(Option("fts", "FTS"), Option("tantivy", "Tantivy")))
TOUCH = Inquiry(
    QuestionKind.PERMISSION,
    "Touch",
    detail="touch made.txt",
    options=(Option(ALLOW, "Allow"), Option(ALWAYS, "Always"), Option(DENY, "Deny")),
)
ASSUMED = Inquiry(**{**vars(INDEX), "urgency": Urgency.ASSUMED, "default": "fts"})


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


@pytest.fixture
def actor(stage: Scene) -> Actor:
    found = Actor()
    stage.open_agent = found.open
    return found


async def heard_of(stage: Scene, text: str) -> Progressed:
    while True:
        found = [each for each in stage.board.all(Progressed) if text in repr(each)]
        if found:
            return found[0]
        await stage.board.heard(Progressed, len(stage.board.all(Progressed)) + 1)


# --- what an agent is -------------------------------------------------------------------------------------------------


async def test_an_agent_is_described_at_each_start(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        described = await stage.board.heard(AgentDescribed)
        assert (described.title, described.version, described.model) == ("Actor", "1.0", "small")
        assert set(described.abilities) == ALL
        await actor.prompted()
        actor.die()
        await stage.board.heard(AgentDescribed, 2)
    assert actor.launches[0].folder == stage.session
    assert "branch switchboard/search" in actor.launches[0].rules
    assert actor.prompts[0].endswith("Task:\nAdd search")


# --- dead agents -----------------------------------------------------------------------------------------------------


async def test_an_agent_that_dies_goes_on_by_itself_twice_and_is_then_a_decision(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        for count in (1, 2, 3):
            await actor.prompted(count)
            actor.die(-9, "Out of memory")
        failed = await stage.state(RunState.FAILED)
        assert (failed.exit_status, failed.last_words) == (-9, "Out of memory")
        starting = [each for each in stage.board.all(SessionChanged) if each.state is RunState.STARTING]
        assert "try 1 of 2" in starting[1].detail
        assert "try 2 of 2" in starting[2].detail
        assert actor.starts == ["", "a1", "a1"]
        await stage.tell(ResumeSession(ANA))
        assert lifecycle.GO_ON in await actor.prompted(4)
        actor.die()  # its count began anew
        await actor.prompted(5)
        actor.end("limit")
        await stage.state(RunState.STOPPED)
    assert len([each for each in stage.board.all(SessionChanged) if each.state is RunState.FAILED]) == 1


async def test_a_turn_that_ends_well_forgets_earlier_deaths(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        for count in (1, 2):
            await actor.prompted(count)
            actor.die()
        await actor.prompted(3)
        actor.end("limit")
        await stage.state(RunState.STOPPED)
        for count in (4, 5):
            await stage.prompt("More") if count == 4 else None
            await actor.prompted(count)
            actor.die()
        await actor.prompted(6)
    assert all(each.state is not RunState.FAILED for each in stage.board.all(SessionChanged))


async def test_what_a_dead_agent_may_not_have_read_is_said_again(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.end("limit")
        await stage.prompt("Call it Bluebird")
        await actor.prompted(2)
        actor.die()
        assert "Call it Bluebird" in await actor.prompted(3)


async def test_words_and_corrections_said_within_a_turn_are_said_again_when_the_agent_dies_in_it(
    stage: Scene, actor: Actor
) -> None:
    async with stage.runner() as runner:
        await actor.prompted()
        await stage.told(Prompt("Use FTS, not Tantivy", ANA, PromptId(f"{S}.p1"), now=True))
        await stage.board.heard(PromptGiven)
        await runner.driver.desk.post([ASSUMED], "call-1")
        await stage.answer((await stage.board.heard(Asked)).question, option="tantivy")
        await actor.until(lambda: len(actor.asides) == 2)
        actor.die()
        again = await actor.prompted(2)
    assert again.count("Use FTS, not Tantivy") == 1
    assert again.count("Ana says instead: Tantivy") == 1


async def test_an_answer_that_a_dying_agent_may_not_have_read_is_said_again(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.ask(INDEX)
        question = (await stage.board.heard(Asked)).question
        actor.die()
        await stage.state(RunState.STARTING, 2)
        await stage.answer(question, option="tantivy")
        await actor.prompted(2)
        actor.die()
        assert "Ana answered: Tantivy" in await actor.prompted(3)


async def test_a_question_outlives_its_agent_and_its_answer_is_given_once(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.ask(INDEX)
        question = (await stage.board.heard(Asked)).question
        actor.die()
        await stage.state(RunState.STARTING, 2)
        await stage.answer(question, option="tantivy")
        assert (await stage.board.heard(AnswerApplied)).applied
        assert (await actor.prompted(2)).count("Ana answered: Tantivy") == 1
    assert stage.board.all(QuestionWithdrawn) == []


async def test_a_permission_ends_with_its_agent_which_is_told(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.ask(TOUCH)
        question = (await stage.board.heard(Asked)).question
        actor.die()
        assert (await stage.board.heard(QuestionWithdrawn)).question == question.id
        await stage.answer(question, option=ALLOW)
        assert not (await stage.board.heard(AnswerApplied)).applied
        again = await actor.prompted(2)
    assert "Ana answered" not in again


async def test_a_question_that_the_agent_lets_go_of_is_withdrawn(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        asking = actor.ask(INDEX)
        await stage.board.heard(Asked)
        asking.cancel()
        assert "no longer waits" in (await stage.board.heard(QuestionWithdrawn)).reason
        other = actor.ask(INDEX)
        await stage.board.heard(Asked, 2)
        other.cancel("answered in the terminal")
        assert (await stage.board.heard(QuestionWithdrawn, 2)).reason == "answered in the terminal"


async def test_a_real_agent_killed_with_a_question_open_gets_the_answer_once(stage: Scene) -> None:
    stage.script(CHOICE, {"say": "index={{index}}"}, {"end": "limit"})
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
        assert await asyncio.to_thread(end_leftovers, stage.session)
        again = await stage.state(RunState.STARTING, 2)
        assert "try 1 of 2" in again.detail
        await stage.answer(question, option="tantivy")
        assert (await stage.board.heard(AnswerApplied)).applied
        assert (await stage.state(RunState.STOPPED)).last_words == "index=Tantivy"
    assert stage.board.all(QuestionWithdrawn) == []
    assert len(stage.board.all(Asked)) == 1


# --- agents that outlive their runner --------------------------------------------------------------------------------


@pytest.fixture
async def holder(stage: Scene, actor: Actor) -> AsyncIterator[None]:
    actor.holds = True
    await stage.place()
    async with kept_process(stage.session):
        yield


@pytest.mark.usefixtures("holder")
async def test_a_held_agent_asks_again_under_the_same_card_and_is_not_told_it_was_interrupted(
    stage: Scene, actor: Actor
) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(Inquiry(**{**vars(TOUCH), "key": "tool-1"}))
        question = (await stage.board.heard(Asked)).question
    async with stage.runner():
        await actor.until(lambda: actor.rejoined == 1)
        assert (await stage.board.heard(Asked, 2)).question.id == question.id
        await stage.answer(question, option=ALWAYS)
        assert (await stage.board.heard(AnswerApplied)).detail == ""
        assert actor.agent is not None
        assert await actor.agent.asking[0] == (Chosen(ALWAYS),)
        actor.end("limit")
        await stage.state(RunState.STOPPED)
    assert len(actor.prompts) == 1
    assert stage.board.all(QuestionWithdrawn) == []


@pytest.mark.usefixtures("holder")
async def test_an_answer_that_came_while_the_runner_was_dead_is_given_to_the_held_agent(
    stage: Scene, actor: Actor
) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(*(Inquiry(**{**vars(INDEX), "title": title, "key": "tool-1"}) for title in ("One?", "Two?")))
        first, second = (await stage.board.heard(Asked)).question, (await stage.board.heard(Asked, 2)).question
        assert first.group == second.group == first.id
        await stage.answer(first, option="fts")
        await stage.board.heard(AnswerApplied)
    await stage.answer(second, option="tantivy")
    async with stage.runner():
        assert (await stage.board.heard(AnswerApplied, 2)).applied
        assert actor.agent is not None
        await actor.until(lambda: len(actor.starts) == 2)
        async with asyncio.timeout(20):
            assert await actor.agent.asking[0] == (Chosen("fts"), Chosen("tantivy"))
        actor.end("limit")
        await stage.state(RunState.STOPPED)
    assert len(actor.prompts) == 1


@pytest.mark.usefixtures("holder")
async def test_what_a_held_agent_does_not_ask_again_is_withdrawn_or_becomes_a_message(
    stage: Scene, actor: Actor
) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(Inquiry(**{**vars(TOUCH), "key": "tool-1"}))
        actor.ask(Inquiry(**{**vars(INDEX), "key": "tool-2"}))
        touch, index = (await stage.board.heard(Asked)).question, (await stage.board.heard(Asked, 2)).question
    actor.pending.clear()
    async with stage.runner():
        assert (await stage.board.heard(QuestionWithdrawn)).question == touch.id
        await stage.answer(index, option="fts")
        assert (await stage.board.heard(AnswerApplied)).detail == "given to the agent as a message"
        actor.end("done")
        assert "Ana answered: FTS" in await actor.prompted(2)


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("count", [1, 2])
async def test_words_that_were_about_to_be_given_when_the_runner_was_killed_are_given_once(
    stage: Scene, actor: Actor, count: int
) -> None:
    actor.keeps_ends = True
    async with stage.killed_runner():
        if count == 2:
            await actor.prompted()
            actor.end("limit")
            await stage.state(RunState.STOPPED)
        actor.listening.clear()
        await stage.told(Prompt("Add typo tolerance", ANA, PromptId(f"{S}.p1")))
        if count == 2:
            await stage.board.heard(PromptGiven)  # on disk, and not yet on its way
        else:
            await stage.state(RunState.WORKING)
    actor.listening.set()
    async with stage.runner():
        words = await actor.prompted(count)
        actor.die()
        again = await actor.prompted(count + 1)
    assert ("Task:\nAdd search" if count == 1 else "Add typo tolerance") in words
    assert count == 1 or "Add typo tolerance" in again


@pytest.mark.usefixtures("holder")
async def test_stop_ends_what_outlived_a_runner(stage: Scene, actor: Actor) -> None:
    async with stage.killed_runner():
        await actor.prompted()
        actor.ask(TOUCH)
        await stage.board.heard(Asked)
    await stage.tell(StopSession(S, ANA))
    async with stage.runner():
        assert (await stage.board.heard(SessionEnded)).ending is Ending.STOPPED
    assert stage.board.all(QuestionWithdrawn)[0].reason == "the session ended"
    assert kept.kept(stage.session) == frozenset()


# --- a person's pause ------------------------------------------------------------------------------------------------


async def test_a_pause_keeps_a_question_open_and_survives_restarts(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.ask(INDEX)
        actor.ask(TOUCH)
        index, touch = (await stage.board.heard(Asked)).question, (await stage.board.heard(Asked, 2)).question
        await stage.tell(PauseSession(ANA))
        assert (await stage.state(RunState.PAUSED)).detail == "paused by Ana"
        assert (await stage.board.heard(QuestionWithdrawn)).question == touch.id
        assert actor.closed == 1
        await stage.answer(index, option="fts")
        await stage.board.heard(AnswerApplied)
    async with stage.runner():
        await stage.told(Prompt("And then rest", BEN, PromptId("p1")))
        await stage.tell(ResumeSession(BEN))
        assert (await stage.state(RunState.STARTING, 2)).detail == "resumed by Ben"
        assert "Ana answered: FTS" in await actor.prompted(2)
    assert len([each for each in stage.board.all(SessionChanged) if each.state is RunState.PAUSED]) == 2
    assert len(stage.board.all(QuestionWithdrawn)) == 1


async def test_resume_twice_is_resumed_once(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        await stage.tell(PauseSession(ANA))
        await stage.state(RunState.PAUSED)
        await stage.tell(ResumeSession(ANA))
        await stage.tell(ResumeSession(BEN))
        assert lifecycle.GO_ON in await actor.prompted(2)
        actor.end("limit")
        await stage.state(RunState.STOPPED)
        await stage.tell(PauseSession(ANA))
        await stage.state(RunState.PAUSED, 2)
        await stage.tell(ResumeSession(ANA))
        await stage.state(RunState.STOPPED, 2)  # nothing was cut off: nothing is said
    assert len(actor.prompts) == 2


async def test_an_agent_that_does_not_end_its_turn_is_ended(stage: Scene, actor: Actor) -> None:
    actor.deaf = True
    async with stage.runner() as runner:
        runner.driver.grace = 0.1
        await actor.prompted()
        await stage.tell(PauseSession(ANA))
        await stage.state(RunState.PAUSED)
    assert all(each.state is not RunState.FAILED for each in stage.board.all(SessionChanged))


# --- limits and failing services -------------------------------------------------------------------------------------


async def test_a_limited_session_wakes_at_the_reset_over_a_restart(stage: Scene, actor: Actor) -> None:
    reset = NOON + timedelta(hours=5)
    async with stage.runner():
        await actor.prompted()
        actor.ask(INDEX)
        question = (await stage.board.heard(Asked)).question
        actor.end("asleep", "I stop.", until=reset, detail="5-hour limit reached")
        limited = await stage.state(RunState.LIMITED)
        assert (limited.until, limited.wakes, limited.detail) == (reset, True, "5-hour limit reached")
    async with stage.runner():
        await stage.answer(question, option="fts")
        await stage.board.heard(AnswerApplied)
        stage.time.set(reset - timedelta(minutes=10))
        assert len(actor.prompts) == 1
        stage.time.set(reset + timedelta(minutes=1))
        assert "Ana answered: FTS" in await actor.prompted(2)
        actor.end("limit")
        assert "limit that stopped you is lifted" in await actor.prompted(3)
    assert stage.board.all(QuestionWithdrawn) == []
    assert [each.state for each in stage.board.all(SessionChanged)].count(RunState.LIMITED) == 1


async def test_a_session_told_to_stay_asleep_does(stage: Scene, actor: Actor) -> None:
    reset = NOON + timedelta(hours=1)
    async with stage.runner():
        await actor.prompted()
        actor.end("asleep", until=reset)
        await stage.state(RunState.LIMITED)
        await stage.tell(WakeAtReset(on=False, by=ANA))
        assert not (await stage.state(RunState.LIMITED, 2)).wakes
        stage.time.set(reset + timedelta(hours=1))
        await stage.told(Prompt("Later", ANA, PromptId("p1")))
        assert len(actor.prompts) == 1
        await stage.tell(ResumeSession(ANA))
        await actor.prompted(2)


async def test_a_limit_of_unknown_end_is_tried_ever_more_seldom(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        for count, minutes in ((1, 5), (2, 10), (3, 20)):
            await actor.prompted(count)
            actor.end("asleep")
            assert (await stage.state(RunState.LIMITED, count)).until is None
            stage.time.on(timedelta(minutes=minutes))
        await actor.prompted(4)


async def test_a_service_that_fails_is_trouble_then_a_decision(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        for count in (1, 2, 3):
            await actor.prompted(count)
            actor.end("failed", detail="529 overloaded")
        failed = await stage.state(RunState.FAILED)
        assert failed.detail == "529 overloaded"
        assert failed.exit_status is None
        await stage.prompt("Try again")
        await actor.prompted(4)
    assert "try 1 of 2" in (await heard_of(stage, "529 overloaded")).snapshot.trouble


# --- resets ----------------------------------------------------------------------------------------------------------


async def test_a_reset_waits_for_the_turn_and_then_everything_is_said_again(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        await stage.told(ResetContext(ANA))
        assert actor.resets == 0
        actor.end("limit")
        assert (await stage.board.heard(ContextReset)).survived == ("npm run dev",)
        await stage.prompt("Go on with the tests")
        words = await actor.prompted(2)
    assert "begun before" in words
    assert "Go on with the tests" in words
    assert words.endswith("Task:\nAdd search")
    assert actor.starts == [""]


async def test_an_agent_that_cannot_clear_its_context_is_replaced_and_what_is_lost_is_said(
    stage: Scene, actor: Actor
) -> None:
    actor.abilities = frozenset({Ability.PROMPT, Ability.RESUME})
    async with stage.runner():
        await actor.prompted()
        assert actor.agent is not None
        actor.agent.desk.update(BackgroundChanged(("npm run dev",)))
        actor.end("limit")
        await stage.state(RunState.STOPPED)
        await stage.tell(ResetContext(ANA))
        reset = await stage.board.heard(ContextReset)
        assert (reset.survived, reset.lost, reset.problem) == ((), ("npm run dev",), "")
        await stage.prompt("Go on")
        await actor.prompted(2)
    assert actor.starts == ["", ""]


# --- money -----------------------------------------------------------------------------------------------------------


async def test_a_spent_budget_ends_the_turn_and_asks(stage: Scene, actor: Actor) -> None:
    await stage.place(spec(stage.board, "playback", "Add search", budget=5.0))
    async with stage.runner():
        await actor.prompted()
        actor.spend(4.99)
        actor.spend(5.5)
        question = (await stage.board.heard(Asked)).question
        assert "$5.50" in question.title
        assert [option.id for option in question.options] == [budget.MORE, budget.UNLIMITED, budget.STOP]
    async with stage.runner():
        assert len(actor.prompts) == 1
        await stage.answer(question, option=budget.MORE)
        await actor.prompted(2)
        actor.spend(10.4)
        actor.spend(10.5)
        again = (await stage.board.heard(Asked, 2)).question
        await stage.answer(again, option=budget.STOP)
        assert (await stage.board.heard(SessionEnded)).ending is Ending.STOPPED
    assert all(applied.applied for applied in stage.board.all(AnswerApplied))


async def test_a_budget_that_an_agent_cannot_be_held_to_is_said(stage: Scene, actor: Actor) -> None:
    await stage.place(spec(stage.board, "playback", "Add search", budget=5.0))
    async with stage.runner():
        await actor.prompted()
        actor.end("limit")
        words = await heard_of(stage, "its budget of $5.00 is not watched")
        await stage.prompt("More")
        await actor.prompted(2)
        actor.spend(1.0)
        while "is not watched" in repr(stage.board.all(Progressed)[-1]):
            await stage.board.heard(Progressed, len(stage.board.all(Progressed)) + 1)
    assert words.snapshot.trouble.startswith("its budget")


async def test_a_held_permission_and_a_parked_call_wait_through_a_quarter_of_an_hour_and_a_kill(
    stage: Scene, actor: Actor
) -> None:
    actor.holds = True
    await stage.place()
    quarter = timedelta(minutes=15)
    async with kept_process(stage.session):
        async with stage.killed_runner() as runner:
            await actor.prompted()
            actor.ask(Inquiry(**{**vars(TOUCH), "key": "tool-1"}))
            touch = (await stage.board.heard(Asked)).question
            ids = await runner.driver.desk.post([INDEX], "call-1")
            index = (await stage.board.heard(Asked, 2)).question
            assert await runner.driver.desk.wait(ids, 0.01) is None  # the agent's own tool limit
            stage.time.on(quarter)
        stage.time.on(quarter)
        async with stage.runner():
            await actor.until(lambda: actor.rejoined == 1)
            stage.time.on(quarter)
            assert actor.agent is not None
            (call,) = actor.agent.asking
            assert not call.done()
            await stage.answer(touch, option=ALLOW)
            assert await call == (Chosen(ALLOW),)
            await stage.answer(index, option="tantivy")
            await stage.board.heard(AnswerApplied, 2)
            actor.end("done")
            assert (await actor.prompted(2)).count("Ana answered: Tantivy") == 1
    assert stage.board.all(QuestionWithdrawn) == []
    assert [applied.applied for applied in stage.board.all(AnswerApplied)] == [True, True]


async def test_a_budget_question_is_the_sessions_own_and_blocks_no_review(stage: Scene, actor: Actor) -> None:
    await stage.place(spec(stage.board, "playback", "Add search", budget=1.0))
    async with stage.runner():
        await actor.prompted()
        actor.spend(2.0)
        question = (await stage.board.heard(Asked)).question
        await stage.answer(question, option=budget.UNLIMITED)
        await actor.prompted(2)
        actor.spend(200.0)
        actor.end("limit")
        await stage.state(RunState.STOPPED)
    assert len(stage.board.all(Asked)) == 1


async def test_usage_adds_up_over_agents(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.spend(1.0, 100, "a")
        actor.spend(1.5, 150, "a")
        actor.die()
        await actor.prompted(2)
        actor.spend(0.5, 50, "b")
        await heard_of(stage, "tokens=200")
    async with stage.runner():
        await stage.prompt("More")
        await actor.prompted(3)
        actor.spend(0.75, 75, "b")
        assert (await heard_of(stage, "tokens=225")).snapshot.cost == 2.25


# --- follow-ups ------------------------------------------------------------------------------------------------------


async def test_follow_ups_are_told_given_steered_and_dropped(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        await stage.told(Prompt("first", ANA, PromptId("p1")))
        await stage.told(Prompt("second", ANA, PromptId("p2")))
        await stage.tell(Prompt("at once", BEN, PromptId("p3"), now=True))
        given = await stage.board.heard(PromptGiven)
        assert (given.prompt, given.steered) == ("p3", True)
        assert actor.asides == ["at once"]
        await stage.tell(WithdrawPrompt(PromptId("p1")))
        assert (await stage.board.heard(PromptDropped)).prompt == "p1"
        await stage.tell(SteerPrompt(PromptId("p2")))
        assert (await stage.board.heard(PromptGiven, 2)).steered
        await stage.tell(WithdrawPrompt(PromptId("p2")))
        assert (await stage.board.heard(PromptGiven, 3)).prompt == "p2"  # too late
        await stage.told(Prompt("third", ANA, PromptId("p4")))
        await stage.tell(StopSession(S, ANA))
        await stage.board.heard(SessionEnded)
    dropped = stage.board.all(PromptDropped)
    assert [(each.prompt, each.reason) for each in dropped] == [("p1", "withdrawn"), ("p4", "the session ended first")]


async def test_an_agent_that_cannot_be_steered_gets_it_as_its_next_message(stage: Scene, actor: Actor) -> None:
    actor.hears = False
    async with stage.runner():
        await actor.prompted()
        await stage.told(Prompt("at once", ANA, PromptId("p1"), now=True))
        actor.end("limit")
        assert await actor.prompted(2) == "at once"
        assert not (await stage.board.heard(PromptGiven)).steered
    assert actor.asides == []


async def test_a_follow_up_withdrawn_just_as_it_is_given_has_been_given(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.ear.clear()
        await stage.tell(Prompt("at once", ANA, PromptId("p1"), now=True))
        await actor.until(lambda: actor.steering == 1)
        await stage.told(WithdrawPrompt(PromptId("p1")))
        actor.ear.set()
        await stage.board.heard(PromptGiven, 2)
    assert [each.steered for each in stage.board.all(PromptGiven)] == [True, False]
    assert stage.board.all(PromptDropped) == []
    assert actor.asides == ["at once"]


async def test_a_veto_reaches_the_agent_within_its_turn_and_the_deadline_its_people(stage: Scene, actor: Actor) -> None:
    until = NOON + timedelta(minutes=30)
    assumed = Inquiry(**{**vars(INDEX), "urgency": Urgency.ASSUMED, "default": "fts", "until": until})
    async with stage.runner() as runner:
        await actor.prompted()
        (first,) = await runner.driver.desk.post([assumed], "call-1")
        await stage.board.heard(Asked)
        await stage.board.tell(RUNNER, DeliverAnswer(Answer(first, ANA, option="tantivy")))
        await actor.until(lambda: len(actor.asides) == 1)
        assert actor.asides[0].endswith("Ana says instead: Tantivy")
        (second,) = await runner.driver.desk.post([assumed], "call-2")
        await stage.board.heard(Asked, 2)
    async with stage.runner():
        stage.time.set(until)
        withdrawn = await stage.board.heard(QuestionWithdrawn)
    assert (withdrawn.question, withdrawn.reason) == (second, "went on with “FTS”: nobody objected")


async def test_a_parked_answer_is_the_next_message(stage: Scene, actor: Actor) -> None:
    async with stage.runner() as runner:
        await actor.prompted()
        ids = await runner.driver.desk.post([INDEX], "call-1")
        question = (await stage.board.heard(Asked)).question
        assert await runner.driver.desk.wait(ids, 0.01) is None
        actor.end("done", "I wait for the answer.")
        await stage.answer(question, option="fts")
        assert await actor.prompted(2) == 'You asked: "Which index?". Ana answered: FTS'
    assert all(each.state is not RunState.STOPPED for each in stage.board.all(SessionChanged))


async def test_a_turn_that_the_agent_begins_by_itself_is_followed(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        actor.end("limit")
        await stage.state(RunState.STOPPED)
        assert actor.agent is not None
        actor.agent.desk.stirred()
        await actor.until(lambda: actor.rejoined == 1)
        await stage.state(RunState.WORKING, 2)
        actor.end("limit", "The build is done.")
        assert (await stage.state(RunState.STOPPED, 2)).last_words == "The build is done."


async def test_a_text_question_with_several_choices(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await actor.prompted()
        asking = actor.ask(Inquiry(**{**vars(INDEX), "multiple": True}))
        question = (await stage.board.heard(Asked)).question
        assert question.multiple
        await stage.answer(question, options=("fts", "tantivy"))
        assert await asking == (Chosen("fts", options=("fts", "tantivy")),)
        other = actor.ask(INDEX)
        await stage.answer((await stage.board.heard(Asked, 2)).question, text="neither")
        assert await other == (Text("neither"),)
