"""What each event of a host or runner changes, and what people are shown because of it."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import assert_never

import structlog

from bot.domain import progress
from bot.domain import sessions as rules
from bot.domain.attention import Now, What
from bot.domain.sessions import Session, SessionState
from bot.services import holding, routine, touch, words
from bot.services.ctx import Ctx
from bot.services.holding import Held
from bot.store import commands, due, events, hosts, questions, reviews, sessions
from bot.wire.messages import (
    AnswerApplied,
    Asked,
    EventBody,
    HostDescribed,
    Merged,
    MergeRefused,
    Progressed,
    QuestionWithdrawn,
    ReviewOffered,
    ReviewWithdrawn,
    SessionChanged,
    SessionEnded,
    SessionPlaced,
    SessionRefused,
)
from bot.wire.types import Ending, HostId, RunState, SessionId

log = structlog.get_logger()

KEPT = 3
"""Things named that kept a worktree from being removed."""


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
                refused(ctx, session, problem, fix)
        case SessionChanged():
            _changed(ctx, session, body)
        case Asked():
            _asked(ctx, session, body, at)
        case QuestionWithdrawn(question, reason):
            if _owns(session, question) and questions.withdraw(ctx.tx, question, reason, ctx.now):
                touch.question(ctx, session, question)
        case AnswerApplied():
            _applied(ctx, session, body)
        case ReviewOffered():
            _offered(ctx, session, body, at)
        case ReviewWithdrawn(review, reason):
            if _owns(session, review) and reviews.withdraw(ctx.tx, review, reason, ctx.now):
                touch.review(ctx, session, review)
        case Merged():
            _merged(ctx, session, body)
        case MergeRefused(review, problem, fix):
            text = " ".join(part for part in (problem, fix) if part)
            if _owns(session, review) and reviews.merge_failed(ctx.tx, review, text):
                touch.review(ctx, session, review)
        case SessionEnded():
            _ended(ctx, session, body)
        case _:
            assert_never(body)


def _owns(session: Session, ref: str) -> bool:
    """A runner's token speaks for its session alone: ids begin with the session's."""
    return ref.startswith(f"{session.id}.")


# --- sessions -------------------------------------------------------------------------------------------------------


def _progressed(ctx: Ctx, session_id: SessionId, body: Progressed) -> None:
    """The hottest path: a card is touched only when what it shows has changed."""
    glance = sessions.glance(ctx.tx, session_id)
    if glance is None:
        return
    snapshot = body.snapshot
    done, planned = progress.steps(snapshot)
    line = f"{done}/{planned} {snapshot.line}"
    sessions.progressed(ctx.tx, session_id, snapshot, line)
    if line != glance.line:
        touch.card_at_a_glance(ctx, session_id, glance)
    routine.progress_came(ctx, session_id, snapshot, first=glance.told_at is None)


def _changed(ctx: Ctx, session: Session, body: SessionChanged) -> None:
    if not session.open:
        return
    state = rules.after(session.state, body.state, stopping=session.stop_by is not None)
    sessions.set_state(ctx.tx, session.id, state, ctx.now, detail=body.detail, last_words=body.last_words)
    now = sessions.must(ctx.tx, session.id)
    touch.card(ctx, now)
    if state is SessionState.FAILED and session.state is not SessionState.FAILED:
        if session.stop_by is not None:
            return
        holding.failure(ctx, now)
    elif session.state is SessionState.FAILED and state is not SessionState.FAILED:
        touch.failure(ctx, now)
    if body.state is not RunState.STARTING:
        routine.schedule_digests(ctx, now)


def refused(ctx: Ctx, session: Session, problem: str, fix: str) -> None:
    """It never began: its card says why and what to do."""
    detail = "\n".join(part for part in (problem, fix) if part)
    close(ctx, session, Ending.STOPPED if session.stop_by else Ending.FAILED, detail=detail)
    if session.stop_by is None:
        holding.failure(ctx, sessions.must(ctx.tx, session.id))


def _ended(ctx: Ctx, session: Session, body: SessionEnded) -> None:
    if not session.open:
        if body.look and not session.look:  # closed here before its host could say what it left
            sessions.change(ctx.tx, session.id, look=body.look)
            touch.card(ctx, sessions.must(ctx.tx, session.id))
        return
    detail = _why(session, body) if body.ending is Ending.FAILED else ""
    if body.dirty and body.worktree:
        more = f" and {len(body.dirty) - KEPT} more" if len(body.dirty) > KEPT else ""
        left = f"kept in {body.worktree}, not on its branch: {', '.join(body.dirty[:KEPT])}{more}"
        detail = "\n".join(part for part in (detail, left) if part)
    if body.branch and body.branch != session.branch:
        sessions.change(ctx.tx, session.id, branch=body.branch)
    close(ctx, session, body.ending, detail=detail, look=body.look, last_words=body.last_words)
    if body.ending is Ending.FAILED and session.state is not SessionState.FAILED and session.stop_by is None:
        holding.failure(ctx, sessions.must(ctx.tx, session.id))


def _why(session: Session, body: SessionEnded) -> str:
    status = f"exit status {body.exit_status}" if body.exit_status is not None else "it ended by itself"
    return session.detail or body.last_words or status


def close(
    ctx: Ctx, session: Session, ending: Ending, *, detail: str = "", look: str = "", last_words: str = ""
) -> None:
    """Nothing more will happen: what was open is withdrawn, what was on its way is dropped and said so."""
    tx = ctx.tx
    reason = "the session was merged" if ending is Ending.MERGED else "the session has ended"
    for asked in questions.open_in(tx, session.id):
        questions.withdraw(tx, asked.question.id, reason, ctx.now)
        touch.question(ctx, session, asked.question.id)
    for offered in reviews.open_in(tx, session.id):
        reviews.withdraw(tx, offered.review.id, reason, ctx.now)
        touch.review(ctx, session, offered.review.id)
    for question in questions.unapplied(tx, session.id):
        questions.applied(tx, question, applied=False, detail=reason)
        touch.question(ctx, session, question)
    commands.drop_for_runner(tx, session.id)
    events.forget(tx, commands.runner_peer(session.id))
    routine.bring_progress(ctx, session.id, only_edit=True)
    due.cancel(tx, "progress", session.id)
    sessions.end(tx, session.id, ending, ctx.now, detail=detail, look=look, last_words=last_words)
    now = sessions.must(tx, session.id)
    touch.card(ctx, now)
    touch.digests_of(ctx, now)
    routine.schedule_digests(ctx, now)


def command_problem(kind: str, problem: str) -> str:
    return f":warning: The session could not take {words.code(kind)}: {words.escape(problem)}"


# --- questions ------------------------------------------------------------------------------------------------------


def _asked(ctx: Ctx, session: Session, body: Asked, at: datetime) -> None:
    question = body.question
    if not _owns(session, question.id):
        log.warning("link.foreign_question", session=session.id, question=question.id)
        return
    says = holding.verdict(ctx, What.QUESTION, session.owner)
    held = "" if isinstance(says, Now) else says.reason
    if not questions.add(ctx.tx, session.id, question, at, ping=isinstance(says, Now), held_for=held):
        return
    if not session.open:
        questions.withdraw(ctx.tx, question.id, "the session has ended", ctx.now)
        return
    touch.card(ctx, session)
    routine.schedule_digests(ctx, session)
    holding.call(ctx, Held.QUESTION, question.id, says)


def _applied(ctx: Ctx, session: Session, body: AnswerApplied) -> None:
    if not _owns(session, body.question):
        return
    if questions.applied(ctx.tx, body.question, applied=body.applied, detail=body.detail):
        touch.question(ctx, session, body.question)


# --- reviews --------------------------------------------------------------------------------------------------------


def _offered(ctx: Ctx, session: Session, body: ReviewOffered, at: datetime) -> None:
    review = body.review
    if not _owns(session, review.id):
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
    if not _owns(session, body.review):
        return
    landed = reviews.merged(ctx.tx, body.review, ctx.now, commit=body.commit, landed_on=body.landed_on, look=body.look)
    if landed:
        touch.review(ctx, session, body.review)
