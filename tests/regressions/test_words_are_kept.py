"""Words for a permission were offered as an answer, which they can never be; words that came too late were lost."""

from __future__ import annotations

from bot.domain.intents import AskHow, Choose, Note, Reply, ReplyAs
from bot.slack.blocks import answers
from bot.wire.messages import Asked, Prompt, QuestionWithdrawn, ReviewOffered
from tests.bot.board import ANA, Board, Runner
from tests.bot.samples import choice, permission, review
from tests.slack.scene import labels


async def _asked_how(runner: Runner, words: str) -> AskHow:
    board = runner.board
    await board.deliver()
    how = await board.does(ANA, Reply(words), surface="reply", thread=board.thread(runner))
    assert isinstance(how, AskHow)
    return how


def _buttons(how: AskHow) -> list[str]:
    message = answers.response(how, "/session")
    assert message is not None
    return labels({"blocks": list(message.blocks)})


async def test_words_on_a_permission_can_only_deny_it(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(permission(runner)))
    how = await _asked_how(runner, "use make test")
    assert _buttons(how) == ["Send as prompt", "Deny with this reason", "Discard"]
    assert _buttons(await _asked_how(runner, "allow")) == ["Send as prompt", "Discard"]


async def test_words_that_are_no_answer_any_more_can_still_be_a_prompt(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    how = await _asked_how(runner, "neither, use sqlite")
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    again = await board.does(ANA, ReplyAs(how.reply, "answer", choice(runner).id))
    assert isinstance(again, AskHow)
    assert "the first answer counts" in again.problem
    message = answers.response(again, "/session")
    assert message is not None
    assert "Your words are kept: “neither, use sqlite”" in message.text
    assert _buttons(again) == ["Send as prompt", "Discard"]
    await runner.takes()
    await board.does(ANA, ReplyAs(how.reply, "prompt"))
    (command,) = await runner.takes()
    assert isinstance(command, Prompt)
    assert command.text == "neither, use sqlite"


async def test_a_withdrawn_question_keeps_the_words_too(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    how = await _asked_how(runner, "neither, use sqlite")
    await runner.says(QuestionWithdrawn(choice(runner).id, "the agent went on"))
    again = await board.does(ANA, ReplyAs(how.reply, "answer", choice(runner).id))
    assert isinstance(again, AskHow)


async def test_a_reply_to_a_review_says_what_follows(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    await board.deliver()
    heard = await board.does(ANA, Reply("rename it"), surface="reply", thread=board.thread(runner))
    assert isinstance(heard, Note)
    assert "takes this up now" in heard.text
    assert "new review" in heard.text
    assert "at work" not in heard.text
