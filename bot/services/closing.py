"""The end of a session: what was open is withdrawn, what was on its way is told as lost, people are told why."""

from __future__ import annotations

from bot.domain.sessions import Session, SessionState, sound_status
from bot.services import failing, following, holding, routine, touch
from bot.services.ctx import Ctx
from bot.store import commands, due, events, questions, reviews, sessions
from bot.wire.messages import SessionEnded
from bot.wire.types import Ending

KEPT = 3
"""Things named that kept a worktree from being removed."""
_REASONS = {Ending.MERGED: "the session was merged", Ending.DETACHED: "the session has left the board"}


def refused(ctx: Ctx, session: Session, problem: str, fix: str) -> None:
    """It never began: its card says why and what to do."""
    detail = "\n".join(part for part in (problem, fix) if part)
    close(ctx, session, Ending.STOPPED if session.stop_by else Ending.FAILED, detail=detail)
    if session.stop_by is None:
        holding.failure(ctx, sessions.must(ctx.tx, session.id))


def ended(ctx: Ctx, session: Session, body: SessionEnded) -> None:
    if not session.open:
        if body.look and not session.look:  # closed here before its host could say what it left
            sessions.change(ctx.tx, session.id, look=body.look)
            touch.card(ctx, sessions.must(ctx.tx, session.id))
        return
    detail = _why(session, body) if body.ending is Ending.FAILED else ""
    if body.ending is Ending.DETACHED:
        script = session.attached and session.agent == "script"
        detail = "left the board" if script else "left the board; its terminal goes on as before"
    if body.dirty and body.worktree:
        more = f" and {len(body.dirty) - KEPT} more" if len(body.dirty) > KEPT else ""
        left = f"kept in {body.worktree}, not on its branch: {', '.join(body.dirty[:KEPT])}{more}"
        detail = "\n".join(part for part in (detail, left) if part)
    if body.branch and body.branch != session.branch:
        sessions.change(ctx.tx, session.id, branch=body.branch)
    if body.ending is Ending.FAILED and body.exit_status is not None:
        sessions.change(ctx.tx, session.id, exit_status=sound_status(body.exit_status))
    close(ctx, session, body.ending, detail=detail, look=body.look, last_words=body.last_words)
    if body.ending is Ending.FAILED and session.state is not SessionState.FAILED and session.stop_by is None:
        holding.failure(ctx, sessions.must(ctx.tx, session.id))


def _why(session: Session, body: SessionEnded) -> str:
    return session.detail or body.last_words or "it ended by itself"


def close(
    ctx: Ctx, session: Session, ending: Ending, *, detail: str = "", look: str = "", last_words: str = ""
) -> None:
    """Nothing more will happen: what was open is withdrawn, what was on its way is dropped and said so."""
    tx = ctx.tx
    reason = _REASONS.get(ending, "the session has ended")
    for asked in questions.open_in(tx, session.id):
        questions.withdraw(tx, asked.question.id, reason, ctx.now)
        touch.question(ctx, session, asked.question.id)
    for offered in reviews.open_in(tx, session.id):
        reviews.withdraw(tx, offered.review.id, reason, ctx.now)
        touch.review(ctx, session, offered.review.id)
    for question in questions.unapplied(tx, session.id):
        questions.applied(tx, question, applied=False, detail=reason)
        touch.question(ctx, session, question)
    following.none_will_be_given(ctx, session, reason)
    commands.drop_for_runner(tx, session.id)
    events.forget(tx, commands.runner_peer(session.id))
    routine.bring_progress(ctx, session.id, only_edit=True)
    due.cancel(tx, "progress", session.id)
    sessions.end(tx, session.id, ending, ctx.now, detail=detail, look=look, last_words=last_words)
    now = sessions.must(tx, session.id)
    failing.is_over(ctx, now)
    touch.card(ctx, now)
    touch.digests_of(ctx, now)
    routine.schedule_digests(ctx, now)
