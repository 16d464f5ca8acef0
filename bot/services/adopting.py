"""Cards that were posted although we never learned of it: we were killed in between, and posted them again."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.deliveries import MessageRef, Subject
from bot.domain.intents import AnswerText, Choose, Intent, Later, Merge, SendBack
from bot.domain.sessions import Session
from bot.services import touch
from bot.services.ctx import Act
from bot.store import deliveries, digests, questions, reviews, sessions
from bot.store.deliveries import Spot


def adopt(act: Act, intent: Intent) -> None:
    """Somebody clicked on a card that we do not know: from now on it is one more copy, and edited like the others."""
    at = act.origin
    if not (at.channel and at.ts) or at.surface not in ("button", "modal"):
        return
    match intent:
        case Choose(question) | AnswerText(question) | Later(question):
            asked = questions.get(act.tx, question)
            card = questions.card_of(act.tx, question)
            subject, ref, session_id = Subject.QUESTION, str(card), asked.session if asked else None
            told = str(question)
        case Merge(review) | SendBack(review):
            offered = reviews.get(act.tx, review)
            subject, ref, session_id = Subject.REVIEW, str(review), offered.session if offered else None
            told = ref
        case _:
            return
    if session_id is None or deliveries.at(act.tx, at.channel, at.ts) is not None:
        return
    found = _which(act, subject, ref, told, sessions.must(act.tx, session_id))
    if found is None:
        return
    subject, ref, spot = found
    spot = replace(spot, place=f"copy:{at.channel}:{at.ts}")
    deliveries.posted(act.tx, subject, ref, spot, MessageRef(at.channel, at.ts), "", act.now)
    deliveries.put(act.tx, subject, ref, spot, act.now)


def _which(act: Act, subject: Subject, ref: str, told: str, session: Session) -> tuple[Subject, str, Spot] | None:
    """In the session's thread it is the card itself; outside threads a digest that told of it, or a reviewer's copy."""
    if act.origin.thread_ts:
        return (subject, ref, touch.thread(session)) if act.origin.thread_ts == session.thread_ts else None
    since = act.now - touch.DIGEST_STAYS_TRUE_FOR
    mine = [digest for digest, person in digests.showing(act.tx, told, since) if person == act.by]
    if mine:
        return Subject.DIGEST, str(max(mine)), touch.dm(act.by)
    return (subject, ref, touch.dm(act.by)) if subject is Subject.REVIEW and act.by == session.judge else None
