"""What an answer does to a session: given to whoever waits, kept as a message, known when it is asked again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec.structs import replace

from bot.wire.types import (
    ALLOW,
    ALWAYS,
    APPROVE,
    DENY,
    REVISE,
    Answer,
    Question,
    QuestionId,
    QuestionKind,
    Urgency,
)
from runners.agents.base import Answered, Chosen, Text, Unanswered
from runners.runner import follow_ups
from runners.runner.session import KEPT_OPEN, Known, Late, Message, State, Told

MOST_KNOWN = 200
MOST_GONE_ON = 20
UNASKED = (Urgency.ASSUMED, Urgency.INFO)
"""The agent does not wait for these."""


def find(state: State, question: QuestionId) -> Question | None:
    return next((found for found in state.open if found.id == question), None)


def awaited(state: State) -> tuple[Question, ...]:
    """Open questions that the agent cannot do without: not the runner's own, nor what it assumed."""
    return tuple(each for each in state.open if each.urgency not in UNASKED and each.id != state.budget_question)


def lost(state: State) -> tuple[Question, ...]:
    """Open questions that end with the agent's process."""
    return tuple(each for each in state.open if each.kind not in KEPT_OPEN)


def without(state: State, question: QuestionId) -> State:
    state = replace(
        state,
        open=tuple(found for found in state.open if found.id != question),
        keys={known: key for known, key in state.keys.items() if known != question},
        posted=tuple(each for each in state.posted if each != question),
        budget_question=QuestionId("") if question == state.budget_question else state.budget_question,
    )
    return state if awaited(state) else follow_ups.released(state)


def said_with_open(state: State, messages: Sequence[Message]) -> str:
    """The messages about to be given, with word of the questions that outlived the agent's process."""
    text = "\n".join(message.text for message in messages)
    titles = [f'"{question.title}"' for question in awaited(state)]
    if not titles or any(message.question for message in messages):
        return text
    return f"{text}\n\n(Still open with the people here, no need to ask anew: {', '.join(titles)}.)"


def same(questions: Iterable[Question], asked: Question) -> Question | None:
    """The one of ``questions`` that is asked here again."""
    return next(
        (
            known
            for known in questions
            if (known.kind, known.title, known.options) == (asked.kind, asked.title, asked.options)
        ),
        None,
    )


def words(question: Question, answer: Answer) -> str:
    """What a person answered, in words for the agent."""
    labels = {option.id: option.label for option in question.options}
    chosen = answer.options or ((answer.option,) if answer.option else ())
    return ": ".join(part for part in (", ".join(labels.get(one, one) for one in chosen), answer.text or "") if part)


def message_words(told: Told) -> str:
    return f'You asked: "{told.title}". {told.by} answered: {told.words}'


def _told(question: Question, answer: Answer) -> Told:
    return Told(question.title, answer.by.name, words(question, answer), question.id, _bare(question), answer)


def answered(state: State, question: Question, answer: Answer, *, live: bool) -> State:
    """The question is closed. Where nobody waits for the answer, it becomes a message.

    A grant becomes none: it is for the call that asked, which can only ask again under its key.
    """
    key = state.keys.get(question.id, "")
    told = _told(question, answer)
    state = _noted(state, question, answer)
    if live:
        return without(replace(state, told=(*state.told, told)), question.id)
    text = _late_words(question, answer)
    message = Message(text, by=answer.by.name, question=question.id, group=question.group)
    if question.kind in KEPT_OPEN:
        waiting = {*state.answering, *(each.question for each in state.inbox)}
        kept = tuple(other for other in state.late if other.question.id in waiting)
        state = replace(state, late=(*kept, Late(_bare(question), answer, text, key)))
    # Ahead of what waited for it: told something else first, the agent would only ask again.
    return without(replace(state, inbox=(*state.inbox, message) if text else state.inbox), question.id)


def _late_words(question: Question, answer: Answer) -> str:
    if not grants(question, answer):
        return message_words(_told(question, answer))
    return f'About "{question.title}", {answer.by.name} says: {answer.text}' if answer.text else ""


def grants(question: Question, answer: Answer) -> bool:
    """It lets the agent do something, which is for one call of its alone."""
    return question.kind not in KEPT_OPEN and answer.option in (ALLOW, ALWAYS, APPROVE)


def late_detail(state: State, question: Question, answer: Answer) -> tuple[bool, str]:
    """What a person hears of an answer that nobody waits for just now: whether it counts, and what becomes of it."""
    if not grants(question, answer):
        return True, "given to the agent as a message"
    if state.keys.get(question.id):
        return True, "given to the agent if it still asks for this"
    return False, "the agent no longer waits for it; it asks again if it still needs this"


def unasked(state: State, question: Question, answer: Answer) -> State:
    """An answer to what the agent went on without: a veto reaches it as a correction, agreement not at all."""
    state = without(_noted(state, question, answer), question.id)
    state = replace(state, went_on=tuple(each for each in state.went_on if each.id != question.id))
    if agrees(question, answer):
        return state
    said = words(question, answer)
    if question.urgency is Urgency.ASSUMED:
        text = f'You assumed "{default_words(question)}" for "{question.title}"; {answer.by.name} says instead: {said}'
    else:
        text = f'About "{question.title}", {answer.by.name} says: {said}'
    return follow_ups.first(state, Message(text, by=answer.by.name, now=True))


def agrees(question: Question, answer: Answer) -> bool:
    if question.urgency is not Urgency.ASSUMED:
        return False
    chosen = answer.options or ((answer.option,) if answer.option else ())
    text = (answer.text or "").strip().casefold()
    defaults = {question.default.strip().casefold(), default_words(question).strip().casefold()}
    return (tuple(chosen) == (question.default,) and not text) or (not chosen and text in defaults)


def default_words(question: Question) -> str:
    return next((option.label for option in question.options if option.id == question.default), question.default)


def expired(state: State, now: datetime) -> tuple[Question, ...]:
    """Assumptions that nobody objected to in time."""
    return tuple(each for each in state.open if each.urgency in UNASKED and each.until and each.until <= now)


def next_deadline(state: State) -> datetime | None:
    return min((each.until for each in state.open if each.urgency in UNASKED and each.until), default=None)


def went_on(state: State, question: Question, *, waited: bool = False) -> State:
    """Its deadline has passed: asked again under its key, it is not put to people again.

    ``waited``: somebody did for this very moment, a script mostly, and will hear nothing more.
    """
    if not waited:
        state = replace(state, went_on=(*state.went_on, _bare(question))[-MOST_GONE_ON:])
    return without(_noted(state, question, None), question.id)


def gone_on(state: State, question: QuestionId) -> Question | None:
    """An assumption past its deadline. Whoever answers it did so before the bot heard of that, thus in time."""
    return next((each for each in state.went_on if each.id == question), None)


def withdrawn_reason(question: Question) -> str:
    if question.urgency is Urgency.ASSUMED:
        return f"went on with “{default_words(question)}”: nobody objected"
    return "its time is over"


def _noted(state: State, question: Question, answer: Answer | None) -> State:
    key = state.keys.get(question.id)
    if not key:
        return state
    known = Known(key, _bare(question), answer, lasting=question.id in state.posted)
    others = tuple(each for each in state.known if each.key != key)
    return replace(state, known=(*others, known)[-MOST_KNOWN:])


def _bare(question: Question) -> Question:
    """A state that is written often must stay small."""
    return replace(question, context="", detail="")


def known(state: State, key: str) -> Known | None:
    return next((each for each in state.known if key and each.key == key), None)


def open_under(state: State, key: str) -> Question | None:
    """The open question that the agent knows by this name."""
    return next((each for each in state.open if key and state.keys.get(each.id) == key), None)


def late_for(state: State, asked: Question, key: str = "") -> Known | None:
    """The answer to this very question, if it waits as a message or was just given as one.

    An agent that had to begin anew asks what it has been answered already: nobody is asked twice. A title says nothing
    of what a permission is for: no grant is passed on by it.
    """
    if asked.kind not in KEPT_OPEN:
        return None
    waiting = {*state.answering, *(message.question for message in state.inbox)}
    late = {
        each.question.id: each
        for each in state.late
        if each.question.id in waiting and not (key and each.key and key != each.key)
    }
    found = same((each.question for each in late.values()), asked)
    return None if found is None else Known("", found, late[found.id].answer)


def taken(state: State, found: Sequence[Known]) -> State:
    """Answers given before somebody waited for them have reached him now."""
    told = {each.question for each in state.told}
    fresh = (each for each in found if each.question.id not in told)
    state = replace(state, told=(*state.told, *(_told(e.question, e.answer) for e in fresh if e.answer is not None)))
    return unsaid(state, tuple(each.question.id for each in found))


def unsaid(state: State, ids: Sequence[QuestionId]) -> State:
    """Whoever waited has these answers: none of them is said again as a message."""
    return replace(
        state,
        inbox=tuple(message for message in state.inbox if not (message.question and message.question in ids)),
        late=tuple(each for each in state.late if each.question.id not in ids),
    )


def parked(state: State, ids: Sequence[QuestionId]) -> State:
    """Whoever waited for these waits no longer: what is answered of them already goes to the agent as a message."""
    return _said_later(state, [(each.question, each.answer) for each in state.known if each.question.id in ids])


def cut_off(state: State) -> State:
    """Its agent is gone before the whole of a call was answered: what was, is said with the rest of it."""
    groups = {question.group for question in state.open if question.group and question.kind in KEPT_OPEN}
    return _said_later(state, [(t.asked, t.answer) for t in state.told if t.asked and t.asked.group in groups])


def _said_later(state: State, given: Iterable[tuple[Question, Answer | None]]) -> State:
    """Answers as messages, each once, and known should the agent ask for them again."""
    waiting = {message.question for message in (*state.inbox, *state.waiting)}
    back = [(asked, answer) for asked, answer in given if answer is not None and asked.id not in waiting]
    late = tuple(Late(asked, answer, message_words(_told(asked, answer))) for asked, answer in back)
    messages = tuple(
        Message(each.message, by=each.answer.by.name, question=each.question.id, group=each.question.group)
        for each in late
    )
    ids = {asked.id for asked, _ in back}
    return replace(
        state,
        inbox=(*state.inbox, *messages),
        late=(*state.late, *late),
        told=tuple(each for each in state.told if each.question not in ids),
    )


def turn_over(state: State) -> State:
    """What is known of the turn's own requests is of no use after it."""
    return replace(
        state, turn="", said="", answering=(), told=(), known=tuple(each for each in state.known if each.lasting)
    )


def for_agent(question: Question, answer: Answer | None) -> Answered:
    """The answer in the port's words. Text alone never grants a permission."""
    if answer is None:
        if question.urgency is not Urgency.ASSUMED:
            return Unanswered(withdrawn_reason(question))
        chosen = any(option.id == question.default for option in question.options)
        return Chosen(question.default) if chosen else Text(question.default)
    offered = {option.id for option in question.options}
    if question.kind is QuestionKind.PERMISSION:
        if (answer.option == ALLOW and (ALLOW in offered or not offered)) or (
            answer.option == ALWAYS and ALWAYS in offered
        ):
            return Chosen(answer.option, answer.text or "")
        return Chosen(DENY, answer.text or "", answer.then_stop)
    if question.kind is QuestionKind.PLAN and answer.option == APPROVE and offered and APPROVE not in offered:
        return Chosen(REVISE, answer.text or "")
    if answer.options:
        return Chosen(answer.options[0], answer.text or "", answer.then_stop, answer.options)
    if answer.option is not None:
        return Chosen(answer.option, answer.text or "", answer.then_stop, (answer.option,) if question.multiple else ())
    return Text(answer.text or "")
