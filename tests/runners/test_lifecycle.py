"""The pure core of a session's life: nothing said is lost, nothing rests for ever, old states are read."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.wire.messages import PromptDropped, PromptGiven
from bot.wire.types import Answer, Option, PromptId, Question, QuestionId, QuestionKind, RunState, SessionId, Urgency
from runners.runner import answers, budget, follow_ups, lifecycle, session
from runners.runner.lifecycle import ClearContext, Idle, Work, next_step
from runners.runner.questions import ASSUMED_FOR
from runners.runner.session import Limited, Message, State
from runners.runner.usage import Usage
from tests.runners.board import ANA
from tests.runners.clock import NOON

S = SessionId("s1")
HELLO = Message("hello")
ASKED = Question(QuestionId("s1.q1"), QuestionKind.CHOICE, "Which index?", options=(Option("fts", "FTS"),))


def question(number: int, **more: object) -> Question:
    return Question(QuestionId(f"s1.q{number}"), QuestionKind.TEXT, f"Question {number}?", **more)  # type: ignore[arg-type]


# --- what comes next -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (State(), Idle()),
        (State(inbox=(HELLO,)), Work()),
        (State(inbox=(HELLO,), paused_by=ANA), Idle()),
        (State(inbox=(HELLO,), budget_question=ASKED.id), Idle()),
        (State(inbox=(HELLO,), run=RunState.FAILED), Idle()),
        (State(inbox=(HELLO,), retry_at=NOON + timedelta(seconds=2)), Idle(NOON + timedelta(seconds=2))),
        (State(inbox=(HELLO,), retry_at=NOON), Work()),
        (State(inbox=(HELLO,), limited=Limited(wake=NOON + timedelta(hours=1))), Idle(NOON + timedelta(hours=1))),
        (State(inbox=(HELLO,), limited=Limited(wake=NOON)), Work()),
        (State(inbox=(HELLO,), limited=Limited(wake=NOON), wakes=False), Idle()),
        (State(inbox=(HELLO,), resetting=ANA), ClearContext()),
        (State(paused_by=ANA, resetting=ANA), ClearContext()),
        (State(inbox=(Message("a", group="g"),), open=(replace(ASKED, group="g"),)), Idle()),
        (State(inbox=(Message("a", group="g"), HELLO), open=(replace(ASKED, group="g"),)), Work()),
    ],
)
def test_what_a_session_does_next(state: State, expected: object) -> None:
    assert next_step(state, NOON) == expected


def test_a_session_in_a_terminal_is_given_nothing_while_it_is_idle() -> None:
    assert next_step(State(inbox=(HELLO,)), NOON, prompts=False) == Idle()


STATES = st.builds(
    State,
    run=st.sampled_from([RunState.WORKING, RunState.FAILED, RunState.LIMITED, RunState.PAUSED, RunState.STOPPED]),
    introduced=st.just(True),
    turn=st.sampled_from(["", "the task"]),
    inbox=st.lists(st.builds(Message, st.sampled_from(["a", "b"])), max_size=2).map(tuple),
    open=st.sampled_from([(), (ASKED,)]),
    strikes=st.integers(0, 2),
    retry_at=st.sampled_from([None, NOON + timedelta(days=1)]),
    paused_by=st.sampled_from([None, ANA]),
    limited=st.sampled_from([None, Limited(wake=NOON + timedelta(days=1))]),
    wakes=st.booleans(),
)


@given(STATES)
def test_a_session_that_a_person_resumes_rests_for_nothing_but_people(state: State) -> None:
    rested = state.paused_by is not None or state.run in (RunState.FAILED, RunState.LIMITED)
    after = lifecycle.taken_up(state)
    if not rested:
        assert after is state
        return
    step = next_step(after, NOON)
    assert step == Work() or answers.awaited(after) or after.run is RunState.STOPPED
    assert set(state.inbox) <= set(after.inbox)


@given(STATES)
def test_a_restart_loses_no_message_and_taking_up_again_changes_nothing_more(state: State) -> None:
    back = lifecycle.resumed(state).state
    kept = (*back.inbox, *back.waiting)
    assert all(message in kept for message in (*state.inbox, *state.waiting))
    assert lifecycle.resumed(back).state == back


@given(st.lists(st.sampled_from(["died", "ended"]), max_size=20))
def test_a_dying_agent_is_a_decision_after_three_deaths_in_a_row(history: list[str]) -> None:
    state, in_a_row = State(), 0
    for event in history:
        if event == "ended":
            state, in_a_row = replace(state, strikes=0), 0
            continue
        in_a_row += 1
        again = lifecycle.struck(state, NOON, lifecycle.DEAD_AGENT)
        assert (again is None) == (in_a_row > len(lifecycle.DEAD_AGENT))
        if again is None:
            return
        assert again.retry_at is not None
        assert again.retry_at > NOON
        state = again


# --- limits ----------------------------------------------------------------------------------------------------------


@given(
    until=st.none() | st.timedeltas(timedelta(days=-30), timedelta(days=30)).map(lambda ahead: NOON + ahead),
    tried=st.integers(0, 100),
)
def test_a_limited_session_always_wakes_and_never_at_once(until: object, tried: int) -> None:
    state = State(limited=Limited(tried=tried)) if tried else State()
    after = lifecycle.asleep(state, S, NOON, until, "limit")  # type: ignore[arg-type]
    assert after.limited is not None
    assert after.limited.wake is not None
    assert after.limited.wake > NOON
    assert next_step(after, after.limited.wake) == Work()
    assert next_step(after, NOON) == Idle(after.limited.wake)


def test_sessions_of_one_account_do_not_wake_in_the_same_second() -> None:
    reset = NOON + timedelta(hours=1)
    wakes = {lifecycle.asleep(State(), SessionId(f"s{n}"), NOON, reset, "").limited for n in range(30)}
    assert len(wakes) > 5


# --- follow-ups ------------------------------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["say", "withdraw", "steer", "take"]), st.integers(0, 5)), min_size=1, max_size=30
)


@given(ACTIONS)
def test_each_follow_up_is_given_or_dropped_and_never_both(actions: list[tuple[str, int]]) -> None:
    state, said, told = State(), set[PromptId](), list[PromptGiven | PromptDropped]()
    for what, number in actions:
        prompt = PromptId(f"p{number}")
        if what == "say" and prompt not in said:
            said.add(prompt)
            state = follow_ups.prompted(state, Message(f"words {number}", prompt, "Ana"))
        elif what == "withdraw" and prompt in said:
            waits = follow_ups.find(state, prompt) is not None
            state, event = follow_ups.withdrawn(state, prompt)
            assert isinstance(event, PromptDropped) == waits
            told += [event] if waits else []
        elif what == "steer":
            state = follow_ups.hurried(state, prompt)
            if (message := follow_ups.to_steer(state, everything=False)) is not None:
                given_ = follow_ups.given(state, (message,), steered=True)
                state, told = given_.state, [*told, *given_.events]
        elif what == "take":
            given_ = follow_ups.given(state, follow_ups.next_messages(state))
            state, told = given_.state, [*told, *given_.events]
    told += follow_ups.dropped(state, "the session ended first")
    assert sorted(event.prompt for event in told) == sorted(said)


def test_the_same_words_twice_are_two_messages() -> None:
    state = State(inbox=(Message("again"), Message("again")))
    assert len(follow_ups.given(state, follow_ups.next_messages(state)).state.inbox) == 1


# --- money -----------------------------------------------------------------------------------------------------------


@given(st.floats(0.01, 100), st.lists(st.floats(0, 500), max_size=8))
def test_money_granted_again_is_as_much_again(dollars: float, costs: list[float]) -> None:
    state, spent = State(), 0.0
    for cost in costs:
        spent += cost
        state = replace(state, usage=Usage(cost=spent))
        if budget.is_spent(state, dollars):
            state = budget.asked(state, budget.question(state, QuestionId("s1.q1"), dollars))
            state = budget.decided(state, Answer(QuestionId("s1.q1"), ANA, option=budget.MORE))
            assert not budget.is_spent(state, dollars)
            assert state.open == ()


@pytest.mark.parametrize("dollars", [None, 0.0, -1.0])
def test_no_budget_is_no_limit(dollars: float | None) -> None:
    assert not budget.is_spent(State(usage=Usage(cost=1e9)), dollars)
    assert not budget.is_spent(State(usage=Usage(cost=None)), 1.0)


# --- what the agent does not wait for --------------------------------------------------------------------------------


def test_an_assumption_holds_nothing_back_over_a_restart() -> None:
    assumed = question(1, urgency=Urgency.ASSUMED, default="a", until=NOON)
    back = lifecycle.resumed(State(introduced=True, turn="the task", open=(assumed,), inbox=(HELLO,)))
    assert back.state.open == (assumed,)
    assert [message.text for message in back.state.inbox][1:] == ["hello"]
    assert back.state.waiting == ()


# --- what the manual says --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asks_again", [False, True])
def test_one_of_two_questions_answered_before_a_crash_is_said_with_the_other(asks_again: bool) -> None:
    """The call was answered in part: the agent has none of it, whatever the card says."""
    first, second = question(1, group="g"), question(2, group="g")
    state = State(introduced=True, turn="Add search", open=(first, second))
    state = answers.answered(state, first, Answer(QuestionId("s1.q1"), ANA, text="blue"), live=True)
    state = lifecycle.resumed(state).state
    assert next_step(state, NOON) == Idle()
    if asks_again:
        found = answers.late_for(state, replace(first, id=QuestionId("s1.q3")))
        assert found is not None
        assert found.answer == Answer(QuestionId("s1.q1"), ANA, text="blue")
        return
    state = lifecycle.resumed(state).state  # once more, and it is still said once
    state = answers.answered(state, second, Answer(QuestionId("s1.q2"), ANA, text="red"), live=False)
    assert [message.text for message in follow_ups.next_messages(state)] == [
        'You asked: "Question 1?". Ana answered: blue',
        'You asked: "Question 2?". Ana answered: red',
    ]


def test_the_manual_names_the_numbers_as_they_are() -> None:
    page = " ".join((Path(__file__).parents[2] / "docs" / "sessions.md").read_text("utf-8").split())
    first, second = lifecycle.DEAD_AGENT
    assert f"after {first:g} s, and once more after {second:g} s" in page
    first, second = lifecycle.FAILED_TURN
    assert f"after {first:g} s and after {second:g} s" in page
    assert "after 5, 10, 20 and 40 minutes, then every hour" in page
    assert lifecycle.UNKNOWN_RESET == (5, 10, 20, 40, 60)
    assert (ASSUMED_FOR, "one hour" in page) == (timedelta(hours=1), True)


# --- old states ------------------------------------------------------------------------------------------------------


def test_a_state_of_the_first_release_is_read() -> None:
    late = {"question": {"id": "s1.q1", "kind": "text", "title": "Name?"}, "message": "Ana answered: x"}
    late["answer"] = {"question": "s1.q1", "by": {"id": "U1", "name": "Ana", "email": ""}, "text": "x"}  # type: ignore[assignment]
    old = {
        "run": "working", "introduced": True, "inbox": ["Ana answered: x", "later"], "waiting": ["much later"],
        "late": [late], "turn": "the task", "told": [{"title": "a", "by": "b", "words": "c"}],
        "settling": {"reason": "done", "last_words": "Here."},
    }  # fmt: skip
    found = session.decode(json.dumps(old).encode())
    assert found.inbox == (Message("Ana answered: x", question=QuestionId("s1.q1")), Message("later"))
    assert found.waiting == (Message("much later"),)
    assert session.decode(session.encode(found)) == found
