"""Lists and status: what people ask to see."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.intents import Listing, Note, Response, StatusOf, Waiting
from bot.domain.views import Light
from bot.services import cards, finding
from bot.services.ctx import Act
from bot.store import commands, events, prompts, questions, reviews, sessions
from bot.wire.messages import ReportNow

ENDED_SHOWN_FOR = timedelta(days=1)
ENDED_SHOWN = 5
OPEN_SHOWN = 200
"""The newest; no surface shows more."""


def listing(act: Act, *, everyone: bool) -> Response:
    if everyone and (problem := finding.unchecked(act)):
        return problem
    found = sessions.of(act.tx, None if everyone else act.by, ended_since=act.now - ENDED_SHOWN_FOR)
    found = [session for session in found if finding.visible(act, session)]
    here = [session for session in found if session.open][-OPEN_SHOWN:]
    gone = [session for session in found if not session.open][-ENDED_SHOWN:]
    return Listing(tuple(cards.session_card(act, session) for session in here + gone), mine=not everyone)


def status(act: Act, named: str) -> Response:
    session = finding.only(act, named)
    if isinstance(session, Note):
        return session
    card = cards.session_card(act, session)
    at_work = session.open and card.light in (Light.WORKING, Light.STARTING)
    if at_work and not finding.allowed(act, session):
        peer = commands.runner_peer(session.id)
        if events.connected(act.tx, peer):
            commands.add(act.tx, peer, session.id, ReportNow(), act.now)
    offered = reviews.open_in(act.tx, session.id) if session.open else []
    return StatusOf(
        session=card,
        questions=tuple(asked.question for asked in questions.open_in(act.tx, session.id)),
        review=offered[-1].review if offered else None,
        last_words=session.snapshot.last_words if session.snapshot and session.open else session.last_words,
        queued=tuple(Waiting(kept.id, kept.text, kept.by) for kept in prompts.queued(act.tx, session.id)),
    )
