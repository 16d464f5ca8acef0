"""What each event of a host or runner changes, and what people are shown because of it."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import assert_never

import structlog

from bot.domain import progress
from bot.domain import sessions as rules
from bot.domain.sessions import Session, SessionState
from bot.services import asking, attaching, closing, failing, following, holding, resting, routine, touch, words
from bot.services.ctx import Ctx
from bot.store import hosts, questions, reviews, sessions
from bot.store.times import sound
from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    AttachAsked,
    ContextReset,
    EventBody,
    HostDescribed,
    Merged,
    MergeRefused,
    Progressed,
    PromptDropped,
    PromptGiven,
    QuestionWithdrawn,
    ReviewOffered,
    ReviewWithdrawn,
    SessionChanged,
    SessionEnded,
    SessionPlaced,
    SessionRefused,
)
from bot.wire.types import HostId, RunState, SessionId

log = structlog.get_logger()

MOST_TITLE = 200
"""Characters of what an agent calls itself."""


def guarded(
    ctx: Ctx,
    session: SessionId | None,
    body: EventBody,
    host: HostId | None,
    at: datetime,
    context: dict[str, object],
) -> None:
    """Apply one event by itself: one that we cannot apply must not stand in the way of those behind it."""
    try:
        with ctx.tx.apart():
            apply(ctx, session, body, host, at)
    except sqlite3.OperationalError:
        raise  # the disk, not the event: nothing of this batch is acknowledged
    except Exception:  # the edge towards peers: the event is logged and skipped
        log.exception("link.event_failed", session=session, host=host, **context)
        lost(ctx, session, body.type, host)


_LOST = {
    Asked.type: "asked something that I could not take in. It may wait for an answer.",
    ReviewOffered.type: "offered a review that I could not take in.",
}


def lost(ctx: Ctx, session_id: SessionId | None, kind: str, host: HostId | None) -> None:
    """A decision that cannot be shown must not vanish: its thread says that there was one."""
    session = sessions.get(ctx.tx, session_id) if session_id and kind in _LOST else None
    if session is None or not session.open or (host is not None and session.host != host):
        return
    fix = "Write here what it should do, or stop it; the bot's log says what was wrong."
    touch.say(ctx, session, f"⚠️ *{words.escape(session.name)}* {_LOST[kind]} {fix}")


def apply(ctx: Ctx, session_id: SessionId | None, body: EventBody, host: HostId | None, at: datetime) -> None:
    """``host`` is set when a host says it, who may speak for the sessions on it. ``at`` is when it happened."""
    if isinstance(body, HostDescribed):
        if host is not None:
            hosts.describe(ctx.tx, host, body)
        return
    if isinstance(body, AttachAsked):
        if host is not None:
            attaching.asked(ctx, host, body)
        return
    if isinstance(body, Progressed):
        if session_id is not None and host is None:
            _progressed(ctx, session_id, body)
        return
    session = sessions.get(ctx.tx, session_id) if session_id else None
    if session is None or (host is not None and session.host != host):
        log.warning("link.unknown_session", session=session_id, type=body.type, host=host)
        return
    match body:
        case SessionPlaced(place):
            if session.open:
                sessions.set_place(ctx.tx, session.id, place)
                touch.card(ctx, sessions.must(ctx.tx, session.id))
        case SessionRefused(problem, fix):
            if session.open:
                closing.refused(ctx, session, problem, fix)
        case SessionChanged():
            _changed(ctx, session, body)
        case AgentDescribed():
            _described(ctx, session, body)
        case PromptGiven(prompt, steered):
            following.given(ctx, session, prompt, steered=steered)
        case PromptDropped(prompt, reason):
            following.dropped(ctx, session, prompt, reason)
        case ContextReset():
            resting.was_reset(ctx, session, body)
        case Asked():
            asking.asked(ctx, session, body, at)
        case QuestionWithdrawn(question, reason):
            asking.withdrawn(ctx, session, question, reason)
        case AnswerApplied():
            asking.applied(ctx, session, body)
        case ReviewOffered():
            _offered(ctx, session, body, at)
        case ReviewWithdrawn(review, reason):
            if session.owns(review) and reviews.withdraw(ctx.tx, review, reason, ctx.now):
                touch.review(ctx, session, review)
        case Merged():
            _merged(ctx, session, body)
        case MergeRefused(review, problem, fix):
            text = " ".join(part for part in (problem, fix) if part)
            if session.owns(review) and reviews.merge_failed(ctx.tx, review, text):
                touch.review(ctx, session, review)
        case SessionEnded():
            closing.ended(ctx, session, body)
        case _:
            assert_never(body)


# --- sessions -------------------------------------------------------------------------------------------------------


def _progressed(ctx: Ctx, session_id: SessionId, body: Progressed) -> None:
    """The hottest path: a card is touched only when what it shows has changed."""
    glance = sessions.glance(ctx.tx, session_id)
    if glance is None:
        return
    snapshot = progress.sound(body.snapshot)
    done, planned = progress.steps(snapshot)
    line = f"{done}/{planned} {snapshot.line}"
    sessions.progressed(ctx.tx, session_id, snapshot, line)
    if line != glance.line:
        touch.card_at_a_glance(ctx, session_id, glance)
    routine.progress_came(ctx, session_id, snapshot, first=glance.told_at is None)


def _described(ctx: Ctx, session: Session, body: AgentDescribed) -> None:
    """As it calls itself: title and version, then its model."""
    name = f"{body.title} {body.version}".strip()
    title = " · ".join(part for part in (name, body.model) if part)
    sessions.describe(ctx.tx, session.id, words.cut(title, MOST_TITLE), body.known_abilities())
    now = sessions.must(ctx.tx, session.id)
    if session.open and (now.agent_title, now.abilities) != (session.agent_title, session.abilities):
        touch.card(ctx, now)


def _changed(ctx: Ctx, session: Session, body: SessionChanged) -> None:
    if not session.open:
        return
    state = rules.after(session.state, body.state, stopping=session.stop_by is not None)
    sessions.set_state(ctx.tx, session.id, state, ctx.now, detail=body.detail, last_words=body.last_words)
    failed, limited = state is SessionState.FAILED, state is SessionState.LIMITED
    sessions.change(ctx.tx, session.id, exit_status=rules.sound_status(body.exit_status) if failed else None)
    until, wakes = (sound(body.until), body.wakes) if limited else (None, session.wakes)
    sessions.set_limit(ctx.tx, session.id, until, wakes=wakes)
    now = sessions.must(ctx.tx, session.id)
    touch.card(ctx, now)
    if session.state is SessionState.PAUSED and state is not SessionState.PAUSED:
        for question in questions.answered_since(ctx.tx, session.id, session.state_at):
            touch.question(ctx, now, question)  # what was kept for the agent while it rested, it has now
    if state is SessionState.FAILED and session.state is not SessionState.FAILED:
        if session.stop_by is not None:
            return
        holding.failure(ctx, now)
    elif session.state is SessionState.FAILED and state is not SessionState.FAILED:
        failing.goes_on(ctx, now)
    if body.state is not RunState.STARTING:
        routine.schedule_digests(ctx, now)


def command_problem(kind: str, problem: str) -> str:
    return f":warning: The session could not take {words.code(kind)}: {words.escape(problem)}"


# --- reviews --------------------------------------------------------------------------------------------------------


def _offered(ctx: Ctx, session: Session, body: ReviewOffered, at: datetime) -> None:
    review = body.review
    if not session.owns(review.id):
        log.warning("link.foreign_review", session=session.id, review=review.id)
        return
    older = reviews.open_in(ctx.tx, session.id)
    if not reviews.add(ctx.tx, session.id, review, at):
        return
    if not session.open:
        reviews.withdraw(ctx.tx, review.id, "the session has ended", ctx.now)
        return
    for offered in older:
        reason = f"a newer commit, {review.commit[:7]}, is up for review"
        reviews.withdraw(ctx.tx, offered.review.id, reason, ctx.now)
        touch.review(ctx, session, offered.review.id)
    touch.card(ctx, session)
    touch.digests_of(ctx, session)
    holding.review(ctx, session, review.id)
    routine.schedule_digests(ctx, session)


def _merged(ctx: Ctx, session: Session, body: Merged) -> None:
    if not session.owns(body.review):
        return
    landed = reviews.merged(ctx.tx, body.review, ctx.now, commit=body.commit, landed_on=body.landed_on, look=body.look)
    if landed:
        touch.review(ctx, session, body.review)
