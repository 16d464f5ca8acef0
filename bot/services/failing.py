"""Failures as decisions: kept as they happened, taken up by somebody, settled when the session goes on or ends."""

from __future__ import annotations

from bot.domain.failures import Failure
from bot.domain.intents import Note
from bot.domain.sessions import Session, SessionState
from bot.domain.views import FailureCard
from bot.services import touch, words
from bot.services.ctx import Act, Ctx
from bot.store import failures, people, sessions
from bot.wire.types import Ability, Ending

WHY_SHOWN = 1500


def begins(ctx: Ctx, session: Session) -> Failure:
    why = words.cut(session.detail or session.last_words or "It gave no reason.", WHY_SHOWN)
    last = session.last_words if session.last_words.strip() not in why else ""
    said = words.cut(last, WHY_SHOWN)
    failure = failures.add(ctx.tx, session.id, ctx.now, why=why, last_words=said, exit_status=session.exit_status)
    return Failure(failure, session.id, ctx.now, why, said, session.exit_status)


def waiting(ctx: Ctx, session: Session) -> Failure | None:
    """The failure that waits for somebody; one that ended its session is told like one that can be resumed."""
    found = failures.latest(ctx.tx, session.id)
    return found if found is not None and found.open else None


def taken_up(act: Act, session: Session) -> str:
    """Somebody asked it to go on. Returns what a second one is told: who was first."""
    found = waiting(act, session) if session.state is SessionState.FAILED else None
    if found is None:
        return ""
    if found.taken_by is not None and found.taken_at is not None:
        who = people.called(act.tx, found.taken_by)
        return f"{words.escape(who)} asked for that at {words.when(found.taken_at)}; it was asked again."
    failures.take(act.tx, found.id, act.by, act.now)
    touch.failure(act, session, found.id)
    return ""


def goes_on(ctx: Ctx, session: Session) -> None:
    found = waiting(ctx, session)
    if found is not None and session.state is not SessionState.STOPPING:
        who = people.called(ctx.tx, found.taken_by) if found.taken_by else ""
        _settle(ctx, session, found, f"{who} resumed it" if who else "it went on")


def is_dropped(ctx: Ctx, session: Session) -> None:
    """Asked for, not done yet: its card offers nothing more."""
    found = waiting(ctx, session)
    if found is not None:
        touch.failure(ctx, session, found.id)


def is_over(ctx: Ctx, session: Session) -> None:
    """The session has ended. One that ended by failing waits to be told all the same."""
    found = waiting(ctx, session)
    if found is None:
        return
    if session.ending is Ending.FAILED:
        touch.failure(ctx, session, found.id)
    else:
        who = people.called(ctx.tx, session.stop_by) if session.stop_by else ""
        _settle(ctx, session, found, f"{who} dropped it" if who else "the session has ended")


def _settle(ctx: Ctx, session: Session, failure: Failure, became: str) -> None:
    failures.settle(ctx.tx, failure.id, became, ctx.now)
    touch.failure(ctx, session, failure.id)


def too_late(act: Act, session: Session) -> Note | None:
    """For a *Drop* from before: what became of the failure. None while it still waits."""
    if session.state is SessionState.FAILED:
        return None
    last = failures.latest(act.tx, session.id)
    became = last.settled if last and last.settled else "it went on"
    when = f" at {words.when(last.settled_at)}" if last and last.settled_at else ""
    name = words.code(session.name)
    return Note(f"{name} was not dropped: {words.escape(became)}{when}. *Stop* on its card ends it.", problem=True)


def card(ctx: Ctx, failure: Failure, *, first: bool) -> FailureCard:
    session = sessions.must(ctx.tx, failure.session)
    return FailureCard(
        session=session.id,
        session_name=session.name,
        failed=failure.at,
        why=failure.why,
        last_words=failure.last_words,
        exit_status=failure.exit_status,
        mention=session.owner if first and failure.open else None,
        open=session.open and failure.open and session.stop_by is None,
        can_resume=session.can(Ability.RESUME) and not session.attached,
        taken_by=people.called(ctx.tx, failure.taken_by) if failure.taken_by else "",
        taken_at=failure.taken_at,
        settled=failure.settled,
        settled_at=failure.settled_at,
    )
