"""Answers: first wins, late and foreign ones get a private note, words are matched by rule 5."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.deliveries import Subject
from bot.domain.intents import AnswerText, AskHow, AskWhich, Choose, Later, Note, Nothing, Reply, ReplyAs, Stop
from bot.domain.views import QuestionCard
from bot.wire.messages import AnswerApplied, Asked, DeliverAnswer, Prompt, QuestionWithdrawn, SessionEnded
from bot.wire.types import ALLOW, DENY, Ending, Question, QuestionId
from tests.bot.board import ADMIN, ANA, BEN, CLEO, GUS, Board, Runner
from tests.bot.samples import choice, permission, text


async def reply(board: Board, runner: Runner, words: str, by=ANA, key: str = ""):  # type: ignore[no-untyped-def]
    return await board.does(by, Reply(words), surface="reply", thread=board.thread(runner), key=key)


async def answers(runner: Runner) -> list[tuple[str | None, str | None]]:
    return [(c.answer.option, c.answer.text) for c in await runner.takes() if isinstance(c, DeliverAnswer)]


async def test_two_people_in_the_same_moment_one_wins_and_the_other_is_told(board: Board) -> None:
    runner = await board.session(reviewer=BEN)
    await runner.says(Asked(choice(runner)))
    one, two = await asyncio.gather(
        board.does(ANA, Choose(choice(runner).id, "fts")), board.does(BEN, Choose(choice(runner).id, "tan"))
    )
    loser = two if one == Nothing() else one
    assert isinstance(loser, Note)
    assert "first answer counts" in loser.text
    assert f"<@{ANA if one == Nothing() else BEN}>" in loser.text
    assert len(await answers(runner)) == 1


async def test_the_same_click_twice_is_one_click(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    first = await board.does(ANA, Choose(choice(runner).id, "fts"), key="same")
    again = await board.does(ANA, Choose(choice(runner).id, "fts"), key="same")
    assert (first, again) == (Nothing(), Nothing())
    assert await answers(runner) == [("fts", None)]


async def test_only_owner_reviewer_and_admins_reach_the_agent(board: Board) -> None:
    runner = await board.session(reviewer=BEN)
    for number, (person, may) in enumerate([(ANA, True), (BEN, True), (ADMIN, True), (CLEO, False)], 1):
        await runner.says(Asked(choice(runner, number)))
        response = await board.does(person, Choose(choice(runner, number).id, "fts"))
        assert (response == Nothing()) is may, person
    assert len(await answers(runner)) == 3


async def test_a_guest_reaches_nothing(board: Board) -> None:
    await board.knows(GUS, guest=True)
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    response = await board.does(GUS, Choose(choice(runner).id, "fts"))
    assert isinstance(response, Note)
    assert response.problem


async def test_a_strangers_reply_gets_one_private_note_ever(board: Board) -> None:
    runner = await board.session()
    first = await reply(board, runner, "try this", CLEO)
    assert isinstance(first, Note)
    assert await reply(board, runner, "and this", CLEO) == Nothing()
    assert await runner.takes() == []


@pytest.mark.parametrize("words", ["FTS", "fts.", "1", "#1", " `FTS` "])
async def test_a_reply_that_names_an_option_is_that_answer(board: Board, words: str) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    assert await reply(board, runner, words) == Nothing()
    assert await answers(runner) == [("fts", None)]


async def test_other_words_on_a_choice_are_asked_about(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    response = await reply(board, runner, "neither, use grep")
    assert isinstance(response, AskHow)
    assert await board.does(ANA, ReplyAs(response.reply, "answer", choice(runner).id)) == Nothing()
    assert await answers(runner) == [(None, "neither, use grep")]
    again = await board.does(ANA, ReplyAs(response.reply, "prompt"))
    assert isinstance(again, Note)
    assert await runner.takes() == []


async def test_a_kept_reply_can_become_a_prompt_or_nothing(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    response = await reply(board, runner, "hm, look at the docs")
    assert isinstance(response, AskHow)
    foreign = await board.does(BEN, ReplyAs(response.reply, "prompt"))
    assert isinstance(foreign, Note)
    assert foreign.problem
    await board.does(ANA, ReplyAs(response.reply, "prompt"))
    assert [type(c) for c in await runner.takes()] == [Prompt]
    other = await reply(board, runner, "no wait")
    assert isinstance(other, AskHow)
    await board.does(ANA, ReplyAs(other.reply, "discard"))
    assert await runner.takes() == []


async def test_any_reply_answers_a_text_question_and_a_choice_without_options(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(text(runner)))
    await reply(board, runner, "1")
    await runner.says(Asked(Question(QuestionId(f"{runner.peer.session}.q2"), choice(runner).kind, "Which?")))
    await reply(board, runner, "the second")
    assert await answers(runner) == [(None, "1"), (None, "the second")]


@pytest.mark.parametrize("words", ["allow", "Allow", "1", "yes, go on", "allow it"])
async def test_words_never_grant_a_permission(board: Board, words: str) -> None:
    runner = await board.session()
    question = permission(runner)
    await runner.says(Asked(question))
    response = await reply(board, runner, words)
    assert isinstance(response, AskHow)
    assert await runner.takes() == []
    await board.does(ANA, ReplyAs(response.reply, "answer", question.id))
    await board.does(ANA, AnswerText(question.id, words))
    assert all(option != ALLOW for option, _ in await answers(runner))


async def test_a_denial_can_carry_its_reason_and_stop_the_turn(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(permission(runner)))
    await board.does(ANA, Choose(permission(runner).id, DENY, "use make instead", then_stop=True))
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert (command.answer.option, command.answer.text, command.answer.then_stop) == (DENY, "use make instead", True)


async def test_with_two_questions_open_it_is_always_asked_which(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)), Asked(text(runner, 2)))
    response = await reply(board, runner, "FTS")
    assert isinstance(response, AskWhich)
    assert len(response.questions) == 2
    assert await board.does(ANA, ReplyAs(response.reply, "answer", choice(runner).id)) == Nothing()
    assert await answers(runner) == [("fts", None)]


async def test_a_late_answer_is_told_that_the_session_has_moved_on(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)), QuestionWithdrawn(choice(runner).id, "the agent restarted"))
    response = await board.does(ANA, Choose(choice(runner).id, "fts"))
    assert isinstance(response, Note)
    assert "moved on" in response.text
    await runner.says(Asked(choice(runner, 2)), SessionEnded(Ending.STOPPED, "b", look="git switch b"))
    response = await board.does(ANA, Choose(choice(runner, 2).id, "fts"))
    assert isinstance(response, Note)
    assert "moved on" in response.text
    response = await reply(board, runner, "hello?")
    assert isinstance(response, Note)
    assert "has ended" in response.text
    assert "git switch b" in response.text


async def test_an_answer_on_its_way_when_the_session_ends_is_shown_as_not_applied(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.deliver()
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    await runner.says(SessionEnded(Ending.STOPPED, "b"))
    await board.deliver()
    (card,) = board.shown(Subject.QUESTION)
    assert isinstance(card, QuestionCard)
    assert card.answered
    assert card.answered.applied is False


async def test_what_became_of_an_answer_is_said_once(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    await runner.says(
        AnswerApplied(choice(runner).id, applied=False, detail="moved on"),
        AnswerApplied(choice(runner).id, applied=True),
    )
    card = await board.desk.question(choice(runner).id)
    assert card.answered
    assert (card.answered.applied, card.answered.detail) == (False, "moved on")


async def test_later_keeps_it_open(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    response = await board.does(ANA, Later(choice(runner).id))
    assert isinstance(response, Note)
    assert not response.problem
    assert await board.does(ANA, Choose(choice(runner).id, "fts")) == Nothing()


@pytest.mark.parametrize("option", ["", "nope", "FTS"])
async def test_an_option_that_is_not_offered_is_refused(board: Board, option: str) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    response = await board.does(ANA, Choose(choice(runner).id, option))
    assert isinstance(response, Note)
    assert response.problem


async def test_empty_and_endless_words_are_refused_and_the_question_stays_open(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(text(runner)))
    for words in ("", "   \n", "x" * 40_001):
        response = await board.does(ANA, AnswerText(text(runner).id, words))
        assert isinstance(response, Note)
        assert response.problem
        assert response.field == "text"
    assert await board.does(ANA, AnswerText(text(runner).id, "x" * 40_000)) == Nothing()


async def test_unknown_things_are_named(board: Board) -> None:
    await board.session("Add search")
    for intent in (Choose(QuestionId("s.q9"), "x"), Stop("serch"), Stop("add-serch")):
        response = await board.does(ANA, intent)
        assert isinstance(response, Note)
        assert response.problem
    assert "Did you mean `add-search`" in response.text


async def test_half_characters_and_nul_stop_nothing(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(text(runner)))
    assert await board.does(ANA, AnswerText(text(runner).id, "a\ud800b\x00c")) == Nothing()
    assert await answers(runner) == [(None, "abc")]
    for intent in (Choose(QuestionId("\ud800"), "\ud800"), Stop("\ud800\x00"), Reply("\ud800")):
        await board.does(ANA, intent, surface="reply", thread=board.thread(runner))
