"""When people are called: a decision is posted now, or held until its person's policy allows it and then posted once.

What is held shows at once on the session's card and in Home: neither calls anybody.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import assert_never

from bot.domain.attention import History, Hold, Item, NextDigest, Now, Policy, Verdict, What, decide
from bot.domain.questions import Asked
from bot.domain.reviews import Offered
from bot.domain.sessions import Session
from bot.services import failing, routine, touch
from bot.services.ctx import Ctx
from bot.store import due, people, questions, reviews, sessions
from bot.wire.types import PersonId, QuestionId, ReviewId, SessionId, Urgency


class Held(StrEnum):
    """What can be held: the kinds of its rows in the due table, whose keys are ids."""

    QUESTION = "held"
    REVIEW = "held_review"
    """A review's card in its thread, which calls the owner."""
    COPY = "held_copy"
    """The card in the messages of a reviewer who is not the owner."""
    FAILURE = "held_failure"


def verdict(
    ctx: Ctx,
    what: What,
    person: PersonId,
    urgency: Urgency = Urgency.BLOCKING,
    deadline: datetime | None = None,
) -> Verdict:
    known, slot = people.get(ctx.tx, person), due.get(ctx.tx, "digest", person)
    history = History(known.acted_at if known else None, known.pinged_at if known else None, slot.at if slot else None)
    return decide(Item(what, person, urgency, deadline), ctx.settings.policies.get(person, Policy()), history, ctx.now)


def call(ctx: Ctx, held: Held, ref: str, says: Verdict) -> None:
    """Post it, hold it, or leave it to the digest. What was held before under the same name is held no more."""
    due.cancel(ctx.tx, held, ref)
    match says:
        case Now():
            release(ctx, held, ref)
        case Hold(until, _):
            due.schedule(ctx.tx, due.Due(held, ref, "", until))
        case NextDigest():
            pass
        case _:
            assert_never(says)


def review(ctx: Ctx, session: Session, review_id: ReviewId) -> None:
    """Its owner may be called at another time than its reviewer."""
    call(ctx, Held.REVIEW, review_id, verdict(ctx, What.REVIEW, session.owner))
    if session.judge != session.owner:
        call(ctx, Held.COPY, review_id, verdict(ctx, What.REVIEW, session.judge))


def failure(ctx: Ctx, session: Session) -> None:
    """Rule 7: a failure is a decision of its own, never folded into *done*."""
    touch.failure(ctx, session, failing.begins(ctx, session).id)
    call(ctx, Held.FAILURE, session.id, verdict(ctx, What.FAILURE, session.owner))


def release(ctx: Ctx, held: Held, ref: str) -> None:
    """Post it, if it still waits for somebody."""
    match held:
        case Held.QUESTION:
            _release_card(ctx, questions.on_card(ctx.tx, questions.card_of(ctx.tx, QuestionId(ref))))
        case Held.REVIEW | Held.COPY:
            offered = reviews.get(ctx.tx, ReviewId(ref))
            if offered is not None and offered.open:
                _post(ctx, held, sessions.must(ctx.tx, offered.session), offered)
        case Held.FAILURE:
            session = sessions.get(ctx.tx, SessionId(ref))
            if session is not None:
                failure_anew(ctx, session)
        case _:
            assert_never(held)


def _release_card(ctx: Ctx, asked: list[Asked]) -> None:
    """What stands on one card is posted together, and calls its person once."""
    for each in asked:
        due.cancel(ctx.tx, Held.QUESTION, each.question.id)
    if any(each.open for each in asked):
        first = asked[0]
        questions.release(ctx.tx, first.card)
        routine.bring_progress(ctx, first.session)
        touch.post_question(ctx, sessions.must(ctx.tx, first.session), first.question.id)


def anew(ctx: Ctx, session: Session) -> None:
    """All that waits in this session and is not held, posted where its thread is now."""
    for asked in questions.open_in(ctx.tx, session.id):
        if not asked.held_for:
            touch.post_question(ctx, session, asked.question.id)
    for offered in reviews.open_in(ctx.tx, session.id):
        review_anew(ctx, session, offered.review.id)
    failure_anew(ctx, session)


def review_anew(ctx: Ctx, session: Session, review_id: ReviewId) -> None:
    if due.get(ctx.tx, Held.REVIEW, review_id) is None:
        touch.post_review(ctx, session, review_id)
    if session.judge != session.owner and due.get(ctx.tx, Held.COPY, review_id) is None:
        touch.post_copy(ctx, session, review_id)


def _post(ctx: Ctx, held: Held, session: Session, offered: Offered) -> None:
    if held is Held.COPY:
        touch.post_copy(ctx, session, offered.review.id)
        return
    routine.bring_progress(ctx, session.id)
    if reviews.diff(ctx.tx, offered.review.id):
        touch.file(ctx, session, offered.review.id)  # before the mention: who follows a thread is notified of files
    touch.post_review(ctx, session, offered.review.id)


def failure_anew(ctx: Ctx, session: Session) -> None:
    waits = failing.waiting(ctx, session)
    if waits is not None and due.get(ctx.tx, Held.FAILURE, session.id) is None:
        routine.bring_progress(ctx, session.id)
        touch.post_failure(ctx, session, waits.id)
