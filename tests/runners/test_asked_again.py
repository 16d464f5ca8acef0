"""A question that outlives its agent stays one question, whatever is said to the session before and after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.wire.messages import AnswerApplied, Asked, Prompt, QuestionWithdrawn, SessionChanged
from bot.wire.types import Answer, Option, Question, QuestionId, QuestionKind, RunState
from runners.runner import answers, follow_ups, lifecycle
from runners.runner.session import Message, State
from tests.runners.board import ANA
from tests.runners.scene import CHOICE, RUNNER, TEXT, Scene, scene

ASKED = Question(QuestionId("s.q1"), QuestionKind.CHOICE, "Which index?", options=(Option("fts", "FTS"),))
OTHER = Question(QuestionId("s.q2"), QuestionKind.TEXT, "What is it called?")
FTS = Answer(ASKED.id, ANA, option="fts")
LAST = {"end": "limit"}
FIRST, LATER = Message("first"), Message("later")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


async def queued(stage: Scene, text: str) -> None:
    """Words that the runner has, for the turn after this one."""
    assert await stage.board.acknowledged(await stage.board.tell(RUNNER, Prompt(text, ANA))) == ""


async def rested(stage: Scene) -> str:
    while not (heard := [e for e in stage.board.all(SessionChanged) if e.state is RunState.STOPPED]):
        await stage.board.heard(SessionChanged, len(stage.board.all(SessionChanged)) + 1)
    return heard[0].last_words


def texts(state: State) -> list[str]:
    return [message.text for message in state.inbox]


def ids(stage: Scene) -> list[str]:
    return [asked.question.id for asked in stage.board.all(Asked)]


async def test_what_was_queued_before_a_restart_waits_for_the_open_question(stage: Scene) -> None:
    stage.script(CHOICE, {"say": "index={{index}}."}, follow=[{"say": "Then: {{prompt}}"}, LAST])
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
        await queued(stage, "What is the plan?")
    async with stage.runner():
        await stage.answer(question, option="tantivy")
        words = await rested(stage)
    assert words == "Then: What is the plan?"
    assert ids(stage) == [question.id]
    assert stage.board.all(QuestionWithdrawn) == []
    assert [applied.applied for applied in stage.board.all(AnswerApplied)] == [True]


async def test_a_question_asked_again_after_a_prompt_is_the_same_and_its_answer_is_live(stage: Scene) -> None:
    stage.script(CHOICE, {**TEXT, "title": "And now?"})
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
    async with stage.runner():
        await stage.prompt("What is the plan?")
        assert (await stage.board.heard(Asked, 2)).question == question
        await stage.answer(question, option="tantivy")
        applied = await stage.board.heard(AnswerApplied)
        assert (await stage.board.heard(Asked, 3)).question.title == "And now?"
    assert (applied.question, applied.applied, applied.detail) == (question.id, True, "")
    assert stage.board.all(QuestionWithdrawn) == []


async def test_restart_after_restart_leaves_one_question(stage: Scene) -> None:
    stage.script(TEXT, follow=[{"say": "name={{name}}"}, LAST])
    async with stage.runner():
        question = (await stage.board.heard(Asked)).question
        await queued(stage, "What is the plan?")
    for number in (2, 3):
        async with stage.runner():
            await stage.prompt("Well?")
            await stage.board.heard(Asked, number)
    assert ids(stage) == [question.id] * 3
    async with stage.runner():
        await stage.answer(question, text="Bluebird")
        assert "name=Bluebird" in await rested(stage)


async def test_another_question_is_another_card(stage: Scene) -> None:
    stage.script({"parallel": [TEXT, TEXT]}, LAST)
    async with stage.runner():
        await stage.board.heard(Asked, 2)
    assert len(set(ids(stage))) == 2  # the same words, asked twice at once
    async with stage.runner():
        await stage.prompt("Well?")
        await stage.board.heard(Asked, 4)
    assert sorted(ids(stage)[2:]) == sorted(ids(stage)[:2])


# --- what waits ------------------------------------------------------------------------------------------------------


def test_answers_go_ahead_of_what_waits_for_them() -> None:
    before = State(introduced=True, turn="the task", open=(ASKED, OTHER), inbox=(LATER,))
    back = lifecycle.resumed(before).state
    assert (back.inbox, back.waiting) == ((), (LATER,))
    first = answers.answered(back, ASKED, FTS, live=False)
    assert texts(first) == ['You asked: "Which index?". Ana answered: FTS']
    assert lifecycle.resumed(first).state == first
    last = answers.answered(first, OTHER, Answer(OTHER.id, ANA, text="Bluebird"), live=False)
    assert texts(last) == [*texts(first), 'You asked: "What is it called?". Ana answered: Bluebird', "later"]
    assert last.waiting == ()


def test_a_withdrawn_question_holds_nothing_back() -> None:
    back = lifecycle.resumed(State(introduced=True, open=(ASKED,), inbox=(LATER,))).state
    assert answers.without(back, ASKED.id) == State(introduced=True, inbox=(LATER,))


def test_words_said_after_a_restart_hold_nothing_back_and_tell_what_is_open() -> None:
    back = lifecycle.resumed(State(introduced=True, open=(ASKED,), inbox=(FIRST,))).state
    said = follow_ups.prompted(back, Message("second"))
    assert (texts(said), said.waiting) == (["first", "second"], ())
    assert answers.said_with_open(said, [FIRST]).startswith("first\n")
    assert "Which index?" in answers.said_with_open(said, [FIRST])
    assert answers.said_with_open(replace(said, open=()), [FIRST]) == "first"


def test_a_question_is_the_same_by_its_kind_title_and_options() -> None:
    state = State(open=(ASKED,))
    again = replace(ASKED, id=QuestionId("s.q9"), context="told anew")
    assert answers.same(state.open, again) == ASKED
    for changed in (
        replace(again, title="Which one?"),
        replace(again, options=(Option("t", "Tantivy"),)),
        replace(again, kind=QuestionKind.PERMISSION),
    ):
        assert answers.same(state.open, changed) is None


def test_an_answer_not_yet_given_is_given_to_the_same_question_asked_again() -> None:
    state = answers.answered(State(open=(ASKED,), inbox=(FIRST,)), ASKED, FTS, live=False)
    again = replace(ASKED, id=QuestionId("s.q9"))
    found = answers.late_for(state, again)
    assert found is not None
    assert found.answer == FTS
    after = answers.taken(state, [found])
    assert after.inbox == (FIRST,)
    assert [told.words for told in after.told] == ["FTS"]
    assert answers.late_for(after, again) is None
    given = replace(state, inbox=(FIRST,))  # its message was taken as a turn
    assert answers.late_for(given, again) is None
