"""What must be shown anew after a change: every copy of a card, the session's card, digests and Homes that show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from bot.domain import questions as rules
from bot.domain.deliveries import Subject
from bot.domain.sessions import Session
from bot.services.ctx import Ctx
from bot.store import deliveries, digests, people, questions, sessions
from bot.store.deliveries import Spot
from bot.wire.types import PersonId, Question, QuestionId, ReviewId, SessionId

HOME_EDITS_EVERY = timedelta(seconds=5)
DIGEST_STAYS_TRUE_FOR = timedelta(days=7)


def dm_lane(person: PersonId) -> str:
    return f"dm:{person}"


def thread(session: Session) -> Spot:
    """The session's thread; its own card is at the same spot."""
    return Spot("thread", session.channel or dm_lane(session.owner), session=session.id)


def dm(person: PersonId) -> Spot:
    return Spot(dm_lane(person), dm_lane(person), person=person)


def card(ctx: Ctx, session: Session) -> None:
    """The session's card, and the Homes of those who are looking."""
    _put(ctx, Subject.SESSION, session.id, thread(session), ctx.settings.card_edit_every)
    homes(ctx, session.owner, session.reviewer)


def card_at_a_glance(ctx: Ctx, session: SessionId, glance: sessions.Glance) -> None:
    """The same without reading the whole session: progress comes often."""
    spot = Spot("thread", glance.channel or dm_lane(glance.owner), session=session)
    _put(ctx, Subject.SESSION, session, spot, ctx.settings.card_edit_every)
    homes(ctx, glance.owner, glance.reviewer)


def homes(ctx: Ctx, *who: PersonId | None) -> None:
    for person in people.watching_home(ctx.tx, who, ctx.now):
        home(ctx, person)


def home(ctx: Ctx, person: PersonId) -> None:
    _put(ctx, Subject.HOME, person, Spot("home", f"home:{person}", person=person), HOME_EDITS_EVERY)


def post_question(ctx: Ctx, session: Session, question: QuestionId) -> None:
    """The card that it stands on. What is too long for it goes first: who follows a thread is notified of files."""
    for asked in questions.on_card(ctx.tx, questions.card_of(ctx.tx, question)):
        if asked.open:
            whole(ctx, session, asked.question)
    _put(ctx, Subject.QUESTION, questions.card_of(ctx.tx, question), thread(session))


def post_review(ctx: Ctx, session: Session, review: ReviewId) -> None:
    _put(ctx, Subject.REVIEW, review, thread(session))


def post_copy(ctx: Ctx, session: Session, review: ReviewId) -> None:
    """For a reviewer who is not the owner, in their own messages."""
    _put(ctx, Subject.REVIEW, review, dm(session.judge))


def question(ctx: Ctx, session: Session, question_id: QuestionId) -> None:
    _everywhere(ctx, Subject.QUESTION, questions.card_of(ctx.tx, question_id), session)
    _digests_with(ctx, question_id)
    card(ctx, session)


def review(ctx: Ctx, session: Session, review_id: ReviewId) -> None:
    _everywhere(ctx, Subject.REVIEW, review_id, session)
    _digests_with(ctx, review_id)
    card(ctx, session)


def post_failure(ctx: Ctx, session: Session, failure_id: int) -> None:
    _put(ctx, Subject.FAILURE, str(failure_id), thread(session))


def failure(ctx: Ctx, session: Session, failure_id: int) -> None:
    """A failed session stands in digests as a decision as well."""
    _everywhere(ctx, Subject.FAILURE, str(failure_id), session)
    _digests_with(ctx, session.id)


def digests_of(ctx: Ctx, session: Session) -> None:
    """Digests that tell of this session's decisions: what they say of older ones changes with newer ones."""
    _digests(ctx, digests.showing_session(ctx.tx, session.id, ctx.now - DIGEST_STAYS_TRUE_FOR))


def progress(ctx: Ctx, session: Session, *, fresh: bool) -> None:
    if fresh:
        deliveries.start_anew(ctx.tx, Subject.PROGRESS, session.id, "thread")
    _put(ctx, Subject.PROGRESS, session.id, thread(session))


def digest(ctx: Ctx, digest_id: int, person: PersonId) -> None:
    _put(ctx, Subject.DIGEST, str(digest_id), dm(person))


def file(ctx: Ctx, session: Session, ref: str) -> None:
    _put(ctx, Subject.FILE, ref, thread(session))


def whole(ctx: Ctx, session: Session, question: Question) -> None:
    """A command, diff or plan that its card has no room for."""
    if rules.comes_as_file(question):
        file(ctx, session, question.id)


def say(ctx: Ctx, session: Session, text: str) -> None:
    """One plain message in the thread."""
    note = deliveries.add_note(ctx.tx, None, text, ctx.now)
    _put(ctx, Subject.NOTE, str(note), thread(session))


def whisper(ctx: Ctx, session: Session, to: PersonId, text: str) -> None:
    """For one person: beside the thread, or in their own messages where the thread is in somebody else's."""
    note = deliveries.add_note(ctx.tx, to, text, ctx.now)
    spot = thread(session) if session.channel or to == session.owner else dm(to)
    _put(ctx, Subject.PRIVATE, str(note), spot)


def _everywhere(ctx: Ctx, subject: Subject, ref: str, session: Session) -> None:
    for copy in deliveries.copies(ctx.tx, subject, ref):
        spot = thread(session) if copy.session else dm(copy.person or session.owner)
        _put(ctx, subject, ref, replace(spot, place=copy.place))


def _digests_with(ctx: Ctx, ref: QuestionId | ReviewId | SessionId) -> None:
    _digests(ctx, digests.showing(ctx.tx, ref, ctx.now - DIGEST_STAYS_TRUE_FOR))


def _digests(ctx: Ctx, shown: Iterable[tuple[int, PersonId]]) -> None:
    for digest_id, person in shown:
        digest(ctx, digest_id, person)
        for copy in deliveries.copies(ctx.tx, Subject.DIGEST, str(digest_id)):
            _put(ctx, Subject.DIGEST, str(digest_id), replace(dm(person), place=copy.place))


def _put(ctx: Ctx, subject: Subject, ref: str, spot: Spot, edits_every: timedelta | None = None) -> None:
    deliveries.put(ctx.tx, subject, ref, spot, ctx.now, edits_every=edits_every)
