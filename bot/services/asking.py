"""What runners say of questions: asked, withdrawn, answered. Those of one call stand on one card and call once."""

from __future__ import annotations

from datetime import datetime

import structlog
from msgspec.structs import replace

from bot.domain import questions as rules
from bot.domain.attention import Now, What
from bot.domain.sessions import Session
from bot.services import holding, routine, touch
from bot.services.ctx import Ctx
from bot.services.holding import Held
from bot.store import questions
from bot.store.times import sound
from bot.wire.messages import AnswerApplied, Asked
from bot.wire.types import Question, QuestionId

log = structlog.get_logger()


def asked(ctx: Ctx, session: Session, body: Asked, at: datetime) -> None:
    if not session.owns(body.question.id):
        log.warning("link.foreign_question", session=session.id, question=body.question.id)
        return
    if questions.get(ctx.tx, body.question.id) is not None:
        return  # said again, under its id: nothing is new
    question = replace(body.question, until=sound(body.question.until))
    if session.open:
        routine.schedule_digests(ctx, session)
    card = _card_for(ctx, session, question)
    out = any(not mate.held_for for mate in questions.on_card(ctx.tx, card))
    says = holding.verdict(ctx, What.QUESTION, session.owner, question.urgency, question.until)
    ping = isinstance(says, Now) and not out
    held = "" if isinstance(says, Now) or out else says.reason
    waits = rules.blocking(question)
    questions.add(ctx.tx, session.id, question, at, card=card, waits=waits, ping=ping, held_for=held)
    if not session.open:
        questions.withdraw(ctx.tx, question.id, "the session has ended", ctx.now)
        return
    touch.card(ctx, session)
    if out:
        touch.whole(ctx, session, question)
        touch.question(ctx, session, question.id)  # its card calls, or has called, already
    else:
        holding.call(ctx, Held.QUESTION, question.id, says)


def _card_for(ctx: Ctx, session: Session, question: Question) -> str:
    """The card of its group, as long as something on that waits: a new question on a settled card would call nobody."""
    if question.group == question.id or not session.owns(question.group):
        return question.id
    mates = questions.on_card(ctx.tx, question.group)
    if any(mate.session != session.id for mate in mates):
        return question.id
    return question.group if not mates or any(mate.open for mate in mates) else question.id


def withdrawn(ctx: Ctx, session: Session, question: QuestionId, reason: str) -> None:
    if session.owns(question) and questions.withdraw(ctx.tx, question, reason, ctx.now):
        touch.question(ctx, session, question)


def applied(ctx: Ctx, session: Session, body: AnswerApplied) -> None:
    if not session.owns(body.question):
        return
    if questions.applied(ctx.tx, body.question, applied=body.applied, detail=body.detail):
        touch.question(ctx, session, body.question)
