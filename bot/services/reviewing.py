"""Verdicts on a review: for exactly the commit that the card showed, by those who may, once."""

from __future__ import annotations

from bot.domain import reviews as rules
from bot.domain.intents import Note, Nothing, Response
from bot.domain.questions import MAX_TEXT
from bot.domain.reviews import Offered
from bot.domain.sessions import Session
from bot.services import finding, touch, words
from bot.services.ctx import Act
from bot.store import commands, reviews, sessions
from bot.wire.messages import MergeReview, SendBack
from bot.wire.types import ReviewId


def merge(act: Act, review: ReviewId, commit: str) -> Response:
    found = _decidable(act, review, commit)
    if isinstance(found, Note):
        return found
    offered, session = found
    if not act.circle(session).may_merge(act.by):
        judge = words.person(session.judge)
        return Note(f"{judge} was asked to review {words.code(session.name)}; they or an admin merge it.", problem=True)
    if not reviews.start_merge(act.tx, review, commit, act.by, act.now):
        return _too_late(act, offered, session, commit)
    body = MergeReview(review, commit, finding.person_of(act, act.by))
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)
    touch.review(act, session, review)
    return Nothing()


def send_back(act: Act, review: ReviewId, commit: str, text: str) -> Response:
    if not text.strip():
        return Note("Say what should change; the agent works on from your words.", problem=True, field="text")
    if len(text) > MAX_TEXT:
        return Note(f"That is {len(text):,} characters; at most {MAX_TEXT:,} fit.", problem=True, field="text")
    found = _decidable(act, review, commit)
    if isinstance(found, Note):
        return found
    offered, session = found
    if not reviews.send_back(act.tx, review, commit, act.by, text, act.now):
        return _too_late(act, offered, session, commit)
    body = SendBack(review, text, finding.person_of(act, act.by))
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)
    touch.review(act, session, review)
    return Nothing()


def _decidable(act: Act, review: ReviewId, commit: str) -> tuple[Offered, Session] | Note:
    offered = reviews.get(act.tx, review)
    if offered is None:
        return Note("That review is not known here. Look for its newest card in the thread.", problem=True)
    session = sessions.must(act.tx, offered.session)
    if problem := finding.allowed(act, session):
        return problem
    if not rules.may_decide(offered, commit):
        return _too_late(act, offered, session, commit)
    return offered, session


def _too_late(act: Act, before: Offered, session: Session, commit: str) -> Note:
    offered = reviews.get(act.tx, before.review.id) or before
    if offered.merged:
        merged = offered.merged
        where = words.code(merged.landed_on)
        return Note(f"{words.person(merged.by)} merged it into {where} at {words.when(merged.at)}.")
    if offered.sent_back:
        return Note(f"{words.person(offered.sent_back.by)} sent it back at {words.when(offered.sent_back.at)}.")
    if offered.withdrawn:
        reason = words.escape(offered.withdrawn.reason)
        return Note(f"This review is out of date: {reason}. Nothing was merged.", problem=True)
    if offered.merging_by:
        return Note(f"{words.person(offered.merging_by)} is merging it right now.")
    shown, current = words.code(commit[:7]), words.code(offered.review.commit[:7])
    return Note(
        f"That card showed {shown}, but {words.code(session.name)} offers {current}. Look at the newest card first.",
        problem=True,
    )
