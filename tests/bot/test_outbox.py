"""The outbox: lanes, order, coalescing, leases, failures and where the thread goes when its channel is closed."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.deliveries import Ambiguous, Delivery, MessageRef, Permanent, RateLimited, Retryable, Subject
from bot.domain.intents import Choose, Nothing, SendBack, Start
from bot.domain.views import QuestionCard, SessionCard
from bot.services import Services
from bot.services.outbox import TRIES
from bot.wire.messages import Asked, Progressed, ReviewOffered, SessionChanged
from bot.wire.types import RunState, Snapshot
from tests.bot.board import ANA, BEN, START, Board, Runner
from tests.bot.samples import choice, review


async def drained(board: Board) -> bool:
    return not await board.services.outbox.claim(100)


async def test_a_question_waits_for_its_thread_and_then_for_its_turn(board: Board) -> None:
    host = await board.host()
    await board.does(ANA, Start("Add search"))
    runner = await board.runner(host)
    await runner.says(Asked(choice(runner)))
    (card,) = await board.services.outbox.claim(100)
    assert card.subject is Subject.SESSION
    assert await drained(board)  # one lane, one at a time
    await board.services.outbox.done(card, MessageRef("C1", "1.0"))
    subjects = []
    while claimed := await board.services.outbox.claim(100):
        assert len(claimed) == 1
        subjects.append(claimed[0].subject)
        assert claimed[0].to.thread_ts == ("" if claimed[0].subject is Subject.SESSION else "1.0")
        await board.services.outbox.done(claimed[0], MessageRef("C1", f"2.{len(subjects)}"))
    assert subjects[0] is Subject.QUESTION  # a post comes before the edit of the session card


async def test_edits_coalesce_and_the_session_card_rests_between_them(board: Board) -> None:
    runner = await board.session()
    for n in range(50):
        await runner.says(Progressed(Snapshot(at=START, line=f"step {n}")))
    messages = [m for m in await board.deliver() if m.delivery.subject is Subject.SESSION]
    assert len(messages) == 1
    assert isinstance(messages[0].view, SessionCard)
    assert messages[0].view.line == "step 49"


async def test_a_card_is_edited_at_most_every_three_seconds(slow_board: Board) -> None:
    board = slow_board
    runner = await board.session()
    await runner.says(Progressed(Snapshot(at=START, line="one")))
    assert not [m for m in await board.deliver() if m.delivery.subject is Subject.SESSION]
    board.clock.forward(seconds=3.1)
    (message,) = [m for m in await board.deliver() if m.delivery.subject is Subject.SESSION]
    assert message.edits == 1


async def test_a_change_while_the_card_is_in_hand_is_not_lost(board: Board) -> None:
    runner = await board.session()
    await runner.says(Progressed(Snapshot(at=START, line="one")))
    (in_hand,) = [d for d in await board.services.outbox.claim(100) if d.subject is Subject.SESSION]
    await board.services.outbox.view(in_hand)
    await runner.says(Progressed(Snapshot(at=START, line="two")))
    await board.services.outbox.done(in_hand, in_hand.message)
    shown = [m.view for m in await board.deliver() if m.delivery.subject is Subject.SESSION]
    assert isinstance(shown[-1], SessionCard)
    assert shown[-1].line == "two"


async def _question_in_hand(board: Board) -> tuple[Runner, Delivery]:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    (delivery,) = [d for d in await board.services.outbox.claim(100) if d.lane == "C1"]
    assert delivery.subject is Subject.QUESTION
    return runner, delivery


async def test_a_rate_limit_rests_the_lane_and_counts_as_no_try(board: Board) -> None:
    _, delivery = await _question_in_hand(board)
    await board.services.outbox.failed(delivery, RateLimited(timedelta(seconds=30)))
    assert await drained(board)
    board.clock.forward(seconds=31)
    (again,) = await board.services.outbox.claim(100)
    assert (again.id, again.attempts) == (delivery.id, 0)


async def test_a_retryable_failure_keeps_the_order_of_its_lane(board: Board) -> None:
    _, delivery = await _question_in_hand(board)
    await board.services.outbox.failed(delivery, Retryable("connection refused"))
    assert await drained(board)
    board.clock.forward(seconds=2)
    (again,) = await board.services.outbox.claim(100)
    assert (again.id, again.attempts) == (delivery.id, 1)


async def test_what_never_works_becomes_a_dead_letter_that_can_be_retried(board: Board) -> None:
    _, delivery = await _question_in_hand(board)
    for _ in range(TRIES):
        await board.services.outbox.failed(delivery, Ambiguous("timeout"))
        board.clock.forward(minutes=10)
        claimed = [d for d in await board.services.outbox.claim(100) if d.id == delivery.id]
        if claimed:
            delivery = claimed[0]
        await board.deliver()
    (letter,) = await board.services.outbox.dead()
    assert (letter.id, letter.error) == (delivery.id, "timeout")
    board.clock.forward(minutes=2)  # the lease of what this test left in hand
    assert await board.services.outbox.retry(letter.id)
    assert [m.view for m in await board.deliver() if m.delivery.subject is Subject.QUESTION]
    assert not await board.services.outbox.dead()


async def test_a_bad_block_dies_alone(board: Board) -> None:
    runner, delivery = await _question_in_hand(board)
    await board.services.outbox.failed(delivery, Permanent("invalid_blocks"))
    (letter,) = await board.services.outbox.dead()
    assert letter.error == "invalid_blocks"
    await runner.says(Asked(choice(runner, 2)))
    await board.deliver()
    assert len(board.shown(Subject.QUESTION)) == 1


async def test_an_archived_channel_moves_the_thread_to_the_owners_dm(board: Board) -> None:
    runner, delivery = await _question_in_hand(board)
    await board.services.outbox.failed(delivery, Permanent("is_archived"))
    await board.deliver()
    assert [m.view for m in board.messages if m.channel == "DUANA" and m.delivery.subject is Subject.SESSION]
    (question,) = board.shown(Subject.QUESTION)
    assert isinstance(question, QuestionCard)
    assert {m.channel for m in board.messages if m.delivery.subject is Subject.QUESTION} == {"DUANA"}
    assert not await board.services.outbox.dead()
    assert await board.desk.session_in("DUANA", board.thread(runner)) == runner.peer.session


async def test_a_channel_that_was_never_open_to_us_is_replaced_at_once(board: Board) -> None:
    await board.host(channel="")
    await board.does(ANA, Start("Add search"), channel="CGENERAL")
    (card,) = await board.services.outbox.claim(10)
    assert card.to.channel == "CGENERAL"
    await board.services.outbox.failed(card, Permanent("not_in_channel"))
    (card,) = await board.services.outbox.claim(10)
    assert card.to.person == ANA


async def test_a_crashed_process_leaves_nothing_stuck_and_the_try_is_known(board: Board) -> None:
    _, delivery = await _question_in_hand(board)
    restarted = Services(board.db, board.settings, board.clock)
    (again,) = [d for d in await restarted.outbox.claim(100) if d.id == delivery.id]
    assert again.attempts == 1  # it may have been posted: whoever delivers can look before posting again


async def test_a_question_that_was_settled_before_it_was_shown_is_not_posted(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    await board.deliver()
    assert not board.shown(Subject.QUESTION)


async def test_an_answer_while_the_card_is_being_posted_is_shown_on_it(board: Board) -> None:
    runner, delivery = await _question_in_hand(board)
    await board.services.outbox.view(delivery)
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    await board.services.outbox.done(delivery, MessageRef("C1", "9.0"))
    claimed = []
    while some := await board.services.outbox.claim(10):
        claimed += some
        for each in some:
            await board.services.outbox.done(each, each.message)
    (edit,) = [d for d in claimed if d.subject is Subject.QUESTION]
    assert edit.message == MessageRef("C1", "9.0")
    view = await board.services.outbox.view(edit)
    assert isinstance(view, QuestionCard)
    assert view.answered


async def test_a_deleted_card_is_posted_again_once(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.deliver()
    for expected in (2, 2):
        message = [m for m in board.messages if m.delivery.subject is Subject.QUESTION][-1]
        await board.desk.message_lost(message.channel, message.ts)
        await board.deliver()
        assert len([m for m in board.messages if m.delivery.subject is Subject.QUESTION]) == expected
    assert not await board.services.outbox.dead()


async def test_a_deleted_session_card_starts_the_thread_again(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.deliver()
    await board.desk.message_lost("C1", board.thread(runner))
    await board.deliver()
    new = board.thread(runner)
    assert await board.desk.session_in("C1", new) == runner.peer.session
    last = [m for m in board.messages if m.delivery.subject is Subject.QUESTION][-1]
    assert last.delivery.to.thread_ts == new


async def test_every_copy_of_a_review_is_edited(board: Board) -> None:
    runner = await board.session(reviewer=BEN)
    await runner.says(SessionChanged(RunState.WORKING), ReviewOffered(review(runner)))
    await board.deliver()
    copies = [m for m in board.messages if m.delivery.subject is Subject.REVIEW]
    assert {m.channel for m in copies} == {"C1", "DUBEN"}
    await board.does(BEN, SendBack(review(runner).id, review(runner).commit, "more tests"))
    await board.deliver()
    assert [m.edits for m in copies] == [1, 1]


async def test_a_card_that_was_posted_twice_by_a_crash_is_edited_in_both_places(board: Board) -> None:
    runner, _ = await _question_in_hand(board)
    # Posted as 7.0, then killed before that was written down; the next process posts it again.
    restarted = Services(board.db, board.settings, board.clock)
    (again,) = [d for d in await restarted.outbox.claim(100) if d.subject is Subject.QUESTION]
    assert (again.message, again.attempts) == (None, 1)
    await restarted.outbox.done(again, MessageRef("C1", "8.0"))
    thread = board.thread(runner)
    assert await board.does(ANA, Choose(choice(runner).id, "fts"), thread=thread, ts="7.0") == Nothing()
    edited = set()
    while claimed := await restarted.outbox.claim(100):
        for delivery in claimed:
            if delivery.subject is Subject.QUESTION:
                view = await restarted.outbox.view(delivery)
                assert isinstance(view, QuestionCard)
                assert view.answered
                edited.add(delivery.message)
            await restarted.outbox.done(delivery, delivery.message)
    assert edited == {MessageRef("C1", "7.0"), MessageRef("C1", "8.0")}
