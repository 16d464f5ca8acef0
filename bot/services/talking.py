"""Words for the agent: follow-up prompts, and replies in a thread, which may be answers (rule 5)."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from bot.domain import questions as rules
from bot.domain.intents import AskHow, AskWhich, Note, Nothing, ReplyAs, Response
from bot.domain.questions import IsAnswer, IsPrompt, NeedsHow, NeedsWhich, Refused
from bot.domain.sessions import Session
from bot.services import answering, finding, following, words
from bot.services.ctx import Act
from bot.store import questions, replies, sessions


def tell(act: Act, named: str, text: str, *, now: bool = False) -> Response:
    session = finding.find(act, named)
    if isinstance(session, Note):
        return session
    if problem := finding.allowed(act, session):
        return problem
    said = following.queue(act, session, text, now=now)
    if isinstance(said, Note):
        return said
    return following.heard(act, session, said, now=now) or Nothing()


def _prompt(act: Act, session: Session, text: str, *, quiet: bool = False) -> Response:
    """Words for the agent's next turn. An agent at rest starts at once, which its card shows."""
    said = following.queue(act, session, text)
    return said if isinstance(said, Note) else following.heard(act, session, said, quiet=quiet) or Nothing()


# --- replies in a thread --------------------------------------------------------------------------------------------


def reply(act: Act, text: str) -> Response:
    found = sessions.in_thread(act.tx, act.origin.channel, act.origin.thread_ts)
    if found is None:
        return Nothing()
    sessions.wrote_below(act.tx, found)
    session = sessions.must(act.tx, found)
    if finding.allowed(act, session):
        return not_yours(act)
    if not text.strip():
        return Nothing()
    by = finding.person_of(act, act.by)
    open_questions = questions.open_in(act.tx, session.id)
    means = rules.meaning(tuple(asked.question for asked in open_questions), text, by)
    match means:
        case IsPrompt():
            return _prompt(act, session, text, quiet=True)
        case IsAnswer(_, answer):
            return answering.take(act, open_questions[0], session, answer)
        case NeedsHow(question):
            return AskHow(_keep(act, session, text), text, question)
        case NeedsWhich(several):
            return AskWhich(_keep(act, session, text), text, several)
        case Refused(problem):
            return Note(words.escape(problem), problem=True)
        case _:
            assert_never(means)


def not_yours(act: Act) -> Response:
    """One private note ever for each person and session; then silence."""
    found = sessions.in_thread(act.tx, act.origin.channel, act.origin.thread_ts)
    if found is not None:
        sessions.wrote_below(act.tx, found)
    if found is None or not replies.warn_once(act.tx, found, act.by, act.now):
        return Nothing()
    session = sessions.must(act.tx, found)
    return Note(
        f"The agent does not see your replies here: {words.code(session.name)} listens to "
        f"{words.person(session.owner)}, its reviewer and admins. You can talk here all the same."
    )


def _keep(act: Act, session: Session, text: str) -> int:
    return replies.keep(act.tx, session.id, act.by, text, act.now)


def reply_as(act: Act, intent: ReplyAs) -> Response:
    kept = replies.get(act.tx, intent.reply)
    if kept is None or kept.person != act.by:
        return Note("That reply is not yours to send, or is not kept any more. Write it again.", problem=True)
    if kept.used:
        return Note("That reply was dealt with already.")
    response = _use(act, intent, kept)
    if intent.use == "answer" and isinstance(response, Note):
        return _no_answer(act, intent, kept, response)
    if not (isinstance(response, Note) and response.problem):
        replies.use(act.tx, kept.id, intent.use)
    elif intent.use == "prompt":
        return replace(response, text=f"{response.text}\nYour words were: {words.escape(words.cut(kept.text, 1500))}")
    return response


def _no_answer(act: Act, intent: ReplyAs, kept: replies.Kept, why: Note) -> Response:
    """The words were not taken: whoever wrote them still has them, and may send them otherwise."""
    asked = questions.get(act.tx, intent.question) if intent.question else None
    return AskHow(kept.id, kept.text, asked.question, why.text) if asked else why


def _use(act: Act, intent: ReplyAs, kept: replies.Kept) -> Response:
    session = sessions.must(act.tx, kept.session)
    match intent.use:
        case "discard":
            return Note("Discarded; the agent has not seen it.")
        case "prompt":
            if problem := finding.allowed(act, session):
                return problem
            return _prompt(act, session, kept.text)
        case "answer":
            if intent.question is None:
                return Note("Say which question it answers.", problem=True)
            return answering.answer_text(act, intent.question, kept.text)
        case _:
            assert_never(intent.use)
