"""A runner may say the same question again, under its id: it stays the one question, open or answered."""

from __future__ import annotations

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Nothing
from bot.wire.messages import Asked, DeliverAnswer
from tests.bot.board import ANA, Board
from tests.bot.samples import choice


async def test_a_question_said_again_is_the_same_card(board: Board) -> None:
    runner = await board.session()
    question = choice(runner)
    await runner.says(Asked(question))
    await board.deliver()
    await runner.says(Asked(question))
    assert Subject.QUESTION not in [message.delivery.subject for message in await board.deliver()]
    assert len(board.shown(Subject.QUESTION)) == 1
    assert await board.does(ANA, Choose(question.id, "fts")) == Nothing()
    await runner.says(Asked(question))
    given = [command for command in await runner.takes() if isinstance(command, DeliverAnswer)]
    assert [command.answer.option for command in given] == ["fts"]
