"""Words and numbers once approved plans that nobody had meant to approve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import questions
from bot.domain.intents import AnswerText, AskHow, AskWhich, Note, Reply, ReplyAs
from bot.domain.questions import IsAnswer, NeedsHow, Refused
from bot.slack.blocks import answers
from bot.wire.messages import Asked, DeliverAnswer
from bot.wire.types import (
    ALLOW,
    APPROVE,
    DENY,
    REVISE,
    Option,
    Person,
    PersonId,
    Question,
    QuestionId,
    QuestionKind,
)
from tests.bot.board import ANA, Board, Runner
from tests.bot.samples import permission
from tests.slack.test_cards import buttons

BY = Person(PersonId("UANA"), "Ana")
PLAN = Question(
    QuestionId("s1.q1"),
    QuestionKind.PLAN,
    "Go ahead with this plan?",
    detail="1. Drop the table",
    options=(Option(APPROVE, "Approve and start"), Option(REVISE, "Revise")),
)
PERMISSION = Question(
    QuestionId("s1.q2"), QuestionKind.PERMISSION, "Run this?", options=(Option(ALLOW, "Allow"), Option(DENY, "Deny"))
)
NUMBERS = ["1", "2", "#1", "option 1", "no 2", " 1. "]
NOT_QUITE = [
    "~approve~",
    "approve?",
    "“approve”",
    "approve the first step only",
    "app",
    "yes",
    "start",
    "ok",
    "`approve`",
]


@pytest.mark.parametrize("question", [PLAN, PERMISSION])
@pytest.mark.parametrize("said", NUMBERS)
def test_a_number_answers_neither_plan_nor_permission(question: Question, said: str) -> None:
    assert isinstance(questions.by_text(question, said, BY), Refused)
    assert questions.meaning((question,), said, BY) == NeedsHow(question)


@pytest.mark.parametrize("said", NOT_QUITE)
def test_words_about_a_plan_are_at_most_a_revision(said: str) -> None:
    assert questions.meaning((PLAN,), said, BY) == NeedsHow(PLAN)
    made = questions.by_text(PLAN, said, BY)
    assert not isinstance(made, Refused)
    assert (made.option, made.text) == (REVISE, said)


@pytest.mark.parametrize("said", ["approve", "Approve.", " APPROVE! ", "approve and start"])
def test_the_very_word_approves_a_plan(said: str) -> None:
    means = questions.meaning((PLAN,), said, BY)
    assert isinstance(means, IsAnswer)
    assert means.answer.option == APPROVE


@given(st.text(max_size=30) | st.sampled_from(NUMBERS + NOT_QUITE))
def test_nothing_else_approves(said: str) -> None:
    made = questions.by_text(PLAN, said, BY)
    very = said.strip().rstrip(".!").casefold() in ("approve", "approve and start")
    assert isinstance(made, Refused) or made.option == (
        APPROVE if very else made.option if made.option == REVISE else ""
    )


async def test_on_every_path(board: Board) -> None:
    """Thread, form and private button: a number leaves plan and permission open."""
    runner = await board.session()
    plan = Question(QuestionId(f"{runner.peer.session}.q1"), PLAN.kind, PLAN.title, options=PLAN.options)
    await runner.says(Asked(plan))
    await board.deliver()
    how = await board.does(ANA, Reply("1"), surface="reply", thread=board.thread(runner))
    assert isinstance(how, AskHow)
    assert await _problem(board, ReplyAs(how.reply, "answer", plan.id))
    assert await _problem(board, AnswerText(plan.id, "1"))
    await runner.says(Asked(permission(runner, 2)))
    which = await board.does(ANA, Reply("2"), surface="reply", thread=board.thread(runner))
    assert isinstance(which, AskWhich)
    assert await _problem(board, ReplyAs(which.reply, "answer", permission(runner, 2).id))
    assert await _problem(board, AnswerText(permission(runner, 2).id, "allow"))
    assert await _delivered(runner) == []


async def test_a_revision_in_words_reaches_the_agent_as_one(board: Board) -> None:
    runner = await board.session()
    plan = Question(QuestionId(f"{runner.peer.session}.q1"), PLAN.kind, PLAN.title, options=PLAN.options)
    await runner.says(Asked(plan))
    await board.deliver()
    how = await board.does(ANA, Reply("approve, but keep the table"), surface="reply", thread=board.thread(runner))
    assert isinstance(how, AskHow)
    await board.does(ANA, ReplyAs(how.reply, "answer", plan.id))
    (command,) = await _delivered(runner)
    assert (command.answer.option, command.answer.text) == (REVISE, "approve, but keep the table")


def test_the_button_says_what_the_words_would_do() -> None:
    def labels(said: str, *asked: Question) -> list[str]:
        shown = AskHow(7, said, asked[0]) if len(asked) == 1 else AskWhich(7, said, asked)
        message = answers.response(shown, "/session")
        assert message is not None
        return buttons(message)

    rest = ["Send as prompt", "Discard"]
    assert labels("yes, do it", PERMISSION) == [rest[0], "Deny with this reason", *rest[1:]]
    assert labels("allow", PERMISSION) == rest
    assert labels("yes, do it", PLAN) == ["Revise like this", *rest]
    assert labels("approve", PLAN, PERMISSION) == [
        f"Approve: {PLAN.title}",
        f"Deny with this reason: {PERMISSION.title}",
        *rest,
    ]


def test_questions_of_one_title_are_told_apart_and_the_named_option_comes_first() -> None:
    one, two = (
        Question(QuestionId(f"s1.q{n}"), QuestionKind.CHOICE, "Which one?", options=(Option("a", a), Option("b", b)))
        for n, (a, b) in enumerate((("Left", "Right"), ("Up", "Down")))
    )
    message = answers.response(AskWhich(7, "up", (one, two)), "/session")
    assert message is not None
    assert buttons(message)[:2] == ["Answer 1: Which one?", "Answer 2: Which one?"]
    assert message.text.index("Up / Down") < message.text.index("Left / Right")
    assert "`/session help`" in message.text


async def _problem(board: Board, intent: ReplyAs | AnswerText) -> bool:
    answer = await board.does(ANA, intent)
    return (isinstance(answer, Note) and answer.problem) or (isinstance(answer, AskHow) and bool(answer.problem))


async def _delivered(runner: Runner) -> list[DeliverAnswer]:
    return [command for command in await runner.takes() if isinstance(command, DeliverAnswer)]
