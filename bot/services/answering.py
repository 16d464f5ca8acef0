"""Answers: accepted once, from whoever may give them, and carried to the runner in the same transaction."""

from __future__ import annotations

from typing import assert_never

from bot.domain import questions as rules
from bot.domain.intents import Choose, Note, Nothing, Response
from bot.domain.questions import Asked, Made, Refused
from bot.domain.sessions import Session
from bot.services import finding, homes, touch, words
from bot.services.ctx import Act
from bot.store import commands, digests, questions, sessions
from bot.wire.messages import DeliverAnswer
from bot.wire.types import Answer, QuestionId


def choose(act: Act, intent: Choose) -> Response:
    found = _answerable(act, intent.question)
    if isinstance(found, Note):
        return found
    asked, session = found
    by = finding.person_of(act, act.by)
    text = intent.text.strip()
    if intent.options or not intent.option:
        made = rules.by_options(asked.question, intent.options, text, by)
    else:
        made = rules.by_option(asked.question, intent.option, text, by, then_stop=intent.then_stop)
    return take(act, asked, session, made)


def answer_text(act: Act, question: QuestionId, text: str) -> Response:
    found = _answerable(act, question)
    if isinstance(found, Note):
        return found
    asked, session = found
    return take(act, asked, session, rules.by_text(asked.question, text, finding.person_of(act, act.by)))


def take(act: Act, asked: Asked, session: Session, made: Made) -> Response:
    """The first answer wins: one conditional update decides between people who clicked together."""
    match made:
        case Refused(problem):
            return Note(words.escape(problem), problem=True, field="text")
        case Answer():
            pass
        case _:
            assert_never(made)
    if not questions.accept(act.tx, made, rules.words(asked.question, made), act.now):
        now = questions.get(act.tx, asked.question.id)
        return _too_late(now or asked, session)
    commands.add(act.tx, commands.runner_peer(session.id), session.id, DeliverAnswer(made), act.now)
    touch.question(act, session, asked.question.id)
    return Nothing()


def later(act: Act, question: QuestionId) -> Response:
    """It stays open, with all that is still open on its card, and is told again in the next digest."""
    found = _answerable(act, question)
    if isinstance(found, Note):
        return found
    asked, session = found
    for each in questions.on_card(act.tx, asked.card):
        if each.open:
            questions.later(act.tx, each.question.id, act.by)
            digests.untell(act.tx, session.owner, f"question:{each.question.id}")
    at = homes.next_digest_words(act, session.owner)
    when = f"Your next digest has it: {at}." if at else "You have no digest scheduled; it stays here and in Home."
    return Note(f"{words.code(asked.question.title)} stays open. {when}")


def _answerable(act: Act, question: QuestionId) -> tuple[Asked, Session] | Note:
    asked = questions.get(act.tx, question)
    if asked is None:
        return Note("That question is not known here. Look for its newest card in the thread.", problem=True)
    session = sessions.must(act.tx, asked.session)
    if problem := finding.allowed(act, session):
        return problem
    if rules.standing(asked, session_open=session.open) != "open":
        return _too_late(asked, session)
    return asked, session


def _too_late(asked: Asked, session: Session) -> Note:
    if asked.answered:
        chosen = words.escape(words.cut(asked.answered.words, 300))
        verb = "chose" if asked.answered.answer.option or asked.answered.answer.options else "answered"
        at = words.when(asked.answered.at)
        return Note(f"{words.person(asked.answered.by)} {verb} *{chosen}* at {at}; the first answer counts.")
    if not session.open:
        return Note(f"The session has moved on: {words.code(session.name)} has ended.")
    reason = words.escape(asked.withdrawn.reason) if asked.withdrawn else ""
    return Note(f"The session has moved on and no longer waits for this. {reason}".strip())
