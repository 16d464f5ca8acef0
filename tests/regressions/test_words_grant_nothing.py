"""A permission that may be granted "for this session" is still granted by its button alone, never by words."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.domain.intents import AnswerText, AskHow, Choose, Note, Nothing, Reply, ReplyAs
from bot.wire.messages import Asked, DeliverAnswer
from bot.wire.types import ALLOW, ALWAYS, DENY, Option, Question
from tests.bot.board import ANA, Board, Runner
from tests.bot.samples import permission


def may_always(runner: Runner) -> Question:
    options = (Option(ALLOW, "Allow"), Option(ALWAYS, "Always allow pytest in this session"), Option(DENY, "Deny"))
    return replace(permission(runner), options=options)


@pytest.mark.parametrize(
    "words", ["always", "Always allow pytest in this session", "allow", "2", "ALWAYS.", "yes, always"]
)
async def test_words_never_grant(board: Board, words: str) -> None:
    runner = await board.session()
    question = may_always(runner)
    await runner.says(Asked(question))
    response = await board.does(ANA, Reply(words), surface="reply", thread=board.thread(runner))
    assert isinstance(response, AskHow)
    await board.does(ANA, ReplyAs(response.reply, "answer", question.id))
    await board.does(ANA, AnswerText(question.id, words))
    given = [c.answer for c in await runner.takes() if isinstance(c, DeliverAnswer)]
    assert all(answer.option == DENY for answer in given)


async def test_the_button_grants_and_carries_no_words(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(may_always(runner)))
    assert await board.does(ANA, Choose(may_always(runner).id, ALWAYS, "whatever")) == Nothing()
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert (command.answer.option, command.answer.text) == (ALWAYS, None)


async def test_several_options_at_once_grant_nothing(board: Board) -> None:
    runner = await board.session()
    question = replace(may_always(runner), multiple=True)
    await runner.says(Asked(question))
    response = await board.does(ANA, Choose(question.id, "", options=(DENY, ALLOW)))
    assert isinstance(response, Note)
    assert await runner.takes() == []


async def test_a_permission_asked_twice_takes_no_list_of_words(board: Board) -> None:
    runner = await board.session()
    question = replace(may_always(runner), group=f"{runner.peer.session}.q1")
    await runner.says(Asked(question), Asked(question))
    response = await board.does(ANA, Reply("allow, always"), surface="reply", thread=board.thread(runner))
    assert isinstance(response, AskHow)
