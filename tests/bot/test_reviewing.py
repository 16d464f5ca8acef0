"""Reviews: only the shown commit, only by those who may, only once."""

from __future__ import annotations

import asyncio

from bot.domain.deliveries import Subject
from bot.domain.intents import Merge, Note, Nothing, SendBack
from bot.domain.views import ReviewCard
from bot.wire.messages import MergeRefused, MergeReview, ReviewOffered, ReviewWithdrawn
from tests.bot.board import ADMIN, ANA, BEN, CLEO, Board
from tests.bot.samples import COMMIT, review


async def test_a_verdict_on_another_commit_is_refused_with_the_reason(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    response = await board.does(ANA, Merge(review(runner).id, "e" * 40))
    assert isinstance(response, Note)
    assert response.problem
    assert "eeeeeee" in response.text
    assert await runner.takes() == []


async def test_a_newer_offer_withdraws_the_older(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    await board.deliver()
    await runner.says(ReviewOffered(review(runner, 2, "e" * 40)))
    await board.deliver()
    old, new = board.shown(Subject.REVIEW)
    assert isinstance(old, ReviewCard)
    assert isinstance(new, ReviewCard)
    assert old.withdrawn
    assert not new.withdrawn
    response = await board.does(ANA, Merge(review(runner).id, COMMIT))
    assert isinstance(response, Note)
    assert "out of date" in response.text
    assert await runner.takes() == []


async def test_the_named_reviewer_and_admins_merge_not_the_owner(board: Board) -> None:
    runner = await board.session(reviewer=BEN)
    await runner.says(ReviewOffered(review(runner)))
    for person in (ANA, CLEO):
        response = await board.does(person, Merge(review(runner).id, COMMIT))
        assert isinstance(response, Note)
        assert response.problem
    assert await board.does(BEN, Merge(review(runner).id, COMMIT)) == Nothing()
    (command,) = await runner.takes()
    assert isinstance(command, MergeReview)
    assert (command.by.name, command.commit) == ("Ben", COMMIT)


async def test_merging_is_started_once_and_again_after_it_was_refused(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    results = await asyncio.gather(
        board.does(ANA, Merge(review(runner).id, COMMIT)), board.does(ADMIN, Merge(review(runner).id, COMMIT))
    )
    assert sum(result == Nothing() for result in results) == 1
    assert len(await runner.takes()) == 1
    await runner.says(MergeRefused(review(runner).id, "it conflicts with main", "send it back"))
    card = await board.desk.review(review(runner).id)
    assert card.problem == "it conflicts with main send it back"
    assert await board.does(ANA, Merge(review(runner).id, COMMIT)) == Nothing()
    assert len(await runner.takes()) == 1


async def test_sending_back_needs_words_and_settles_it(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)))
    response = await board.does(ANA, SendBack(review(runner).id, COMMIT, "  "))
    assert isinstance(response, Note)
    assert response.field == "text"
    assert await board.does(ANA, SendBack(review(runner).id, COMMIT, "add a test")) == Nothing()
    response = await board.does(ANA, Merge(review(runner).id, COMMIT))
    assert isinstance(response, Note)
    assert "sent it back" in response.text
    assert len(await runner.takes()) == 1


async def test_a_withdrawn_review_cannot_be_merged(board: Board) -> None:
    runner = await board.session()
    await runner.says(ReviewOffered(review(runner)), ReviewWithdrawn(review(runner).id, "the branch moved on"))
    response = await board.does(ANA, Merge(review(runner).id, COMMIT))
    assert isinstance(response, Note)
    assert "the branch moved on" in response.text
    assert await runner.takes() == []
