"""The pure core of a session: what follows from a turn, an answer, a restart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.wire.types import Answer, Option, Question, QuestionId, QuestionKind, Review, ReviewId
from runners.agents.base import TurnEnded
from runners.runner import answers, lifecycle, session
from runners.runner.outcome import Facts, GoOn, Offer, Rest, Send, after_turn
from runners.runner.session import Message, State, Told
from tests.runners.board import ANA

DONE = TurnEnded("done", "Here it is.")
CHOICE = Question(
    QuestionId("s.q1"), QuestionKind.CHOICE, "Which index?", options=(Option("fts", "FTS"), Option("t", "Tantivy"))
)
PERMISSION = Question(QuestionId("s.q2"), QuestionKind.PERMISSION, "rm -rf build")
REVIEW = Review(ReviewId("s.r1"), "c1", "b", "main", "c0", "ok")


@pytest.mark.parametrize(
    ("state", "ended", "facts", "expected"),
    [
        (State(), DONE, Facts("c1", "c0"), Offer),
        (State(), DONE, Facts("c1", "c0", ("a",)), Send),
        (State(asked_to_commit=True), DONE, Facts("c1", "c0", ("a",)), Offer),
        (State(), DONE, Facts("c0", "c0"), Send),
        (State(nudged=True), DONE, Facts("c0", "c0"), Rest),
        (State(offered="c1"), DONE, Facts("c1", "c0"), Send),
        (State(offered="c1", review=REVIEW), DONE, Facts("c1", "c0"), Rest),
        (State(offered="c1", review=REVIEW), DONE, Facts("c2", "c0"), Offer),
        (State(open=(CHOICE,)), DONE, Facts("c1", "c0"), GoOn),
        (State(inbox=(Message("more"),)), DONE, Facts("c1", "c0"), GoOn),
        (State(), TurnEnded("cancelled"), Facts("c0", "c0"), Rest),
        (State(), TurnEnded("limit"), Facts("c1", "c0"), Rest),
    ],
)
def test_what_follows_from_a_turn(state: State, ended: TurnEnded, facts: Facts, expected: type) -> None:
    assert isinstance(after_turn(state, ended, facts), expected)


@given(st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_an_agent_left_alone_comes_to_rest(nudged: bool, asked: bool, moved: bool, dirty: bool) -> None:
    """Whatever a turn ends with, an agent that says nothing new is prompted by us at most twice more."""
    state = State(nudged=nudged, asked_to_commit=asked)
    facts = Facts("c1" if moved else "c0", "c0", ("a",) if dirty else ())
    for _ in range(4):
        match after_turn(state, DONE, facts):
            case Send(_, "dirty"):
                state = replace(state, asked_to_commit=True)
            case Send(_, "nudge"):
                state = replace(state, nudged=True)
            case Offer():
                state = replace(state, offered=facts.head, review=REVIEW)
            case Rest():
                return
    pytest.fail("still prompting")


def test_an_answer_to_an_agent_that_is_gone_becomes_a_message() -> None:
    state = answers.answered(State(open=(CHOICE,)), CHOICE, Answer(CHOICE.id, ANA, option="t"), live=False)
    assert state.open == ()
    assert [message.text for message in state.inbox] == ['You asked: "Which index?". Ana answered: Tantivy']


def test_an_answer_given_live_is_told_again_only_if_its_turn_is_cut_off() -> None:
    state = State(open=(CHOICE,), introduced=True, turn="the task")
    state = answers.answered(state, CHOICE, Answer(CHOICE.id, ANA, option="fts", text="for now"), live=True)
    assert state.inbox == ()
    assert "Ana answered: FTS: for now" in lifecycle.resumed(state).state.inbox[0].text


def test_a_restart_withdraws_permissions_and_keeps_choices() -> None:
    back = lifecycle.resumed(State(introduced=True, turn="the task", open=(CHOICE, PERMISSION)))
    assert back.withdrawn == (PERMISSION,)
    assert back.state.open == (CHOICE,)
    assert back.state.inbox == ()  # the agent goes on when the choice is answered


def test_a_restart_takes_up_an_interrupted_turn() -> None:
    back = lifecycle.resumed(State(introduced=True, turn="the task", open=(PERMISSION,), inbox=(Message("later"),)))
    assert back.state.inbox[0].text.startswith("You were interrupted")
    assert "rm -rf build" in back.state.inbox[0].text
    assert back.state.inbox[1:] == (Message("later"),)
    assert lifecycle.resumed(back.state).state.inbox == back.state.inbox


def test_a_restart_of_a_session_at_rest_says_nothing() -> None:
    state = State(introduced=True, review=REVIEW)
    assert lifecycle.resumed(state).state == state


def test_state_survives_the_disk() -> None:
    state = State(open=(CHOICE,), told=(Told("a", "b", "c"),), review=REVIEW, stopping=ANA, turn="‮🔎\0")
    assert session.decode(session.encode(state)) == state
    assert session.decode(None) == State()
