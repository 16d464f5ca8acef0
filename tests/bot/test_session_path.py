"""The main path: a session is started, asks, is answered by button or reply, offers its change, is merged."""

from __future__ import annotations

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Merge, Note, Nothing, Reply, Start
from bot.domain.views import Light, QuestionCard, ReviewCard, SessionCard
from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    Merged,
    MergeReview,
    Prompt,
    ReviewOffered,
    SessionChanged,
    SessionEnded,
)
from bot.wire.types import (
    Ending,
    Question,
    QuestionId,
    QuestionKind,
    Review,
    ReviewId,
    RunState,
)
from tests.bot.board import ANA, Board
from tests.bot.samples import choice


async def test_from_start_to_merge(board: Board) -> None:
    host = await board.host()
    started = await board.does(ANA, Start("Add full text search to the player"), surface="slash")
    assert isinstance(started, Note)
    assert not started.problem, started
    runner = await board.runner(host)
    session = runner.peer.session
    assert runner.spec.name == "add-full-text-search"
    assert runner.spec.branch == "switchboard/add-full-text-search"
    assert runner.spec.owner.name == "Ana"
    await runner.says(SessionChanged(RunState.WORKING))

    await runner.says(Asked(choice(runner)))
    await board.deliver()
    (card,) = board.shown(Subject.QUESTION)
    assert isinstance(card, QuestionCard)
    assert card.mention == ANA
    (top,) = board.shown(Subject.SESSION)
    assert isinstance(top, SessionCard)
    assert top.light is Light.NEEDS_YOU
    assert top.decisions == ("Which index?",)

    assert await board.does(ANA, Choose(card.question.id, "fts")) == Nothing()
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.option == "fts"
    await runner.says(AnswerApplied(card.question.id, applied=True))
    await board.deliver()
    (card,) = board.shown(Subject.QUESTION)
    assert isinstance(card, QuestionCard)
    assert card.answered
    assert (card.answered.by, card.answered.words, card.answered.applied) == (ANA, "FTS", True)

    text = Question(QuestionId(f"{session}.q2"), QuestionKind.TEXT, "Which name?")
    await runner.says(Asked(text))
    await board.deliver()
    thread = board.thread(runner)
    assert await board.does(ANA, Reply("playback"), surface="reply", thread=thread) == Nothing()
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.text == "playback"

    await board.does(ANA, Reply("and write tests"), surface="reply", thread=thread)
    (command,) = await runner.takes()
    assert isinstance(command, Prompt)

    review = Review(ReviewId(f"{session}.r1"), "c" * 40, runner.spec.branch, "main", "b" * 40, "Done.", diff="+x")
    await runner.says(ReviewOffered(review))
    await board.deliver()
    (shown,) = board.shown(Subject.REVIEW)
    assert isinstance(shown, ReviewCard)
    assert shown.mention == ANA
    assert board.shown(Subject.FILE)
    assert await board.does(ANA, Merge(review.id, "c" * 40)) == Nothing()
    (command,) = await runner.takes()
    assert isinstance(command, MergeReview)
    await runner.says(Merged(review.id, "d" * 40, "main"), SessionEnded(Ending.MERGED, runner.spec.branch))
    await board.deliver()
    (top,) = board.shown(Subject.SESSION)
    assert isinstance(top, SessionCard)
    assert (top.light, top.open) == (Light.MERGED, False)
    (shown,) = board.shown(Subject.REVIEW)
    assert isinstance(shown, ReviewCard)
    assert shown.merged
    assert shown.merged.by == ANA
