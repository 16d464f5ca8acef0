"""A question as a card: what is asked, what decides it, the answers on offer; later, what was decided.

Questions that were asked in one call share one card, each with its own controls and its own settled line.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.naming import GATES
from bot.domain.questions import assumed
from bot.domain.views import Answered, QuestionCard, Withdrawn
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.choices import (
    ALONE,
    SHARED,
    TITLE,
    answers,
    default,
    is_cut,
    matter,
    sign,
    takes_text,
    unless,
)
from bot.slack.blocks.kit import MESSAGE_BLOCKS, Button, Card, Message
from bot.wire.types import QuestionKind

FOOT = 6
"""Blocks kept free below the questions of a shared card."""
WENT_ON = "went on with "
"""How the runner's reason begins when nobody objected to what it assumed."""


def question_card(view: QuestionCard) -> Message:
    card = Card()
    if view.others:
        _together(card, (view, *view.others))
    elif view.answered:
        _answered(card, view, view.answered)
    elif view.withdrawn:
        _withdrawn(card, view, view.withdrawn)
    else:
        _open(card, view)
    return card.message()


def head(mark: str, name: str, title: str) -> str:
    return f"{mark} *{text.line(name, 80)}* · {text.line(title, TITLE) or 'A question'}"


def _called(ready: str, view: QuestionCard) -> str:
    return f"{ready} · {text.person(view.mention)}" if view.mention else ready


def _is_open(view: QuestionCard) -> bool:
    return view.answered is None and view.withdrawn is None


# --- one question ---------------------------------------------------------------------------------------------------


def _open(card: Card, view: QuestionCard) -> None:
    question = view.question
    first = head(sign(question), view.session_name, question.title)
    card.say(_called(f"{first} · {unless(question)}" if assumed(question) else first, view))
    matter(card, question, ALONE, view.as_file)
    answers(card, question, cut=is_cut(question), key="1")
    held = text.line(view.held_for, 120)
    card.small(_waits(view), f"asked {text.at(view.asked)}", f"held {held}" if held else "")


def _waits(view: QuestionCard) -> str:
    """What happens without an answer, and how else one may be given."""
    question = view.question
    if view.asleep:
        return "Its machine is asleep: an answer is taken now and delivered on wake"
    if assumed(question):
        return "The session works on meanwhile; an objection reaches it as a correction"
    if question.kind is QuestionKind.PERMISSION:
        return "The session waits; only a button grants this"
    return "The session waits; a reply here answers too" if takes_text(question) else "The session waits"


def _answered(card: Card, view: QuestionCard, done: Answered) -> None:
    said, reason = _said(done), (done.answer.text or "").strip()
    first = head("☑️", view.session_name, view.question.title)
    card.say(f"{first} → {_outcome(view, done)}")
    if not _brief(said):
        card.say(text.prose(said, ALONE.context))
    if done.answer.option is not None and reason and reason not in said:
        card.say(text.prose(reason, ALONE.context))
    if view.question.detail.strip() and view.question.kind in GATES:
        card.say(text.fence(view.question.detail, ALONE.detail))
    card.small(*_by(view, done))


def _said(done: Answered) -> str:
    return done.words.strip() or "answered"


def _brief(said: str) -> bool:
    return len(said) <= 120 and "\n" not in said


def _outcome(view: QuestionCard, done: Answered) -> str:
    question, said = view.question, _said(done)
    brief = f"*{text.line(said, 700)}*" if _brief(said) else "answered"
    if not assumed(question):
        return brief
    return f"{brief}, as assumed" if _confirms(view, done) else f"{brief} instead of {default(question)}"


def _confirms(view: QuestionCard, done: Answered) -> bool:
    given = done.answer.options or (done.answer.option, done.answer.text)
    return assumed(view.question) and view.question.default in given


def _by(view: QuestionCard, done: Answered, *, others_wait: bool = False) -> list[str]:
    fate = "" if _confirms(view, done) and done.applied is not False else _fate(view, done, others_wait)
    return [text.named(done.by_name, done.by), text.at(done.at), fate, text.line(done.detail, 300)]


def _fate(view: QuestionCard, done: Answered, others_wait: bool) -> str:
    """Where the answer is. Its runner has it before its agent does: that one may rest, or wait for them all."""
    if done.applied is None:
        return "delivered on wake" if view.asleep else "on its way to the agent"
    if not done.applied:
        return "too late: the session had moved on"
    if view.resting:
        return "given when it is resumed"
    return "given with the others" if others_wait else "the agent has it"


def _withdrawn(card: Card, view: QuestionCard, gone: Withdrawn) -> None:
    if _expired(view, gone):
        card.say(f"{head('💭', view.session_name, view.question.title)} → went on with {default(view.question)}")
        card.small("nobody objected", text.at(gone.at))
        return
    card.say(head("⚪", view.session_name, view.question.title) + " · withdrawn")
    card.small(text.line(gone.reason, 500), text.at(gone.at))


def _expired(view: QuestionCard, gone: Withdrawn) -> bool:
    return assumed(view.question) and gone.reason.startswith(WENT_ON)


# --- several on one card --------------------------------------------------------------------------------------------


def _together(card: Card, asked: Sequence[QuestionCard]) -> None:
    left = [view for view in asked if _is_open(view)]
    card.say(_called(_headline(asked, left), asked[0]) if left else _headline(asked, left))
    shown = _parts(card, asked, short=False)
    if shown is None:
        shown = _parts(card, asked, short=True) or []
    for part in shown:
        card.take(part)
    if not left:
        return
    card.divide()
    if any(not assumed(view.question) for view in left):
        card.buttons([Button("Later", Act(Verb.LATER, left[0].question.id))])
    card.small(_all_wait(left), f"asked {text.at(asked[0].asked)}")


def _headline(asked: Sequence[QuestionCard], left: Sequence[QuestionCard]) -> str:
    """All that is still asked, in one line."""
    name = f"*{text.line(asked[0].session_name, 80)}*"
    if not left:
        answered = sum(view.answered is not None for view in asked)
        went_on = sum(view.withdrawn is not None and _expired(view, view.withdrawn) for view in asked)
        ends = ((answered, "answered"), (went_on, "as assumed"), (len(asked) - answered - went_on, "withdrawn"))
        parts = [f"{n} {words}" if n < len(asked) else f"all {words}" for n, words in ends if n]
        mark = "☑️" if answered else "💭" if went_on else "⚪"
        return f"{mark} {name} · {text.count(len(asked), 'question')}, {', '.join(parts)}"
    many = text.count(len(asked), "question")
    counted = many if len(left) == len(asked) else f"{len(left)} of {many} left"
    titles = text.line(" · ".join(text.one_line(view.question.title) for view in left), 300)
    return f"{sign(left[0].question)} {name} · {counted}: {titles}"


def _parts(card: Card, asked: Sequence[QuestionCard], *, short: bool) -> list[Card] | None:
    """One part for each question. None if they do not fit whole; ``short``: as many as fit in little."""
    parts: list[Card] = []
    room = MESSAGE_BLOCKS - FOOT - len(card.blocks)
    waits = any(_is_open(view) and not assumed(view.question) for view in asked)
    last = card
    for number, view in enumerate(asked, 1):
        part = last.part()
        if not short and (_is_open(view) or (number > 1 and _is_open(asked[number - 2]))):
            part.divide()
        _part(part, view, number, short, others_wait=waits and not assumed(view.question))
        room -= len(part.blocks)
        if room < 0 and not short:
            return None
        if room < 0:
            rest = last.part().small(f"and {len(asked) - number + 1} more: they come up here once these are answered")
            return [*parts, rest]
        parts.append(part)
        last = part
    return parts


def _part(card: Card, view: QuestionCard, number: int, short: bool, *, others_wait: bool) -> None:
    question = view.question
    title = f"*{number}* · {text.line(question.title, TITLE) or 'A question'}"
    if view.answered:
        said = f"☑️ {title} → {_outcome(view, view.answered)}"
        if not _brief(_said(view.answered)):
            said += f"\n{text.prose(_said(view.answered), SHARED.context)}"
        card.say(f"{said} · {text.named(view.answered.by_name, view.answered.by)}" if short else said)
        card.small(*([] if short else _by(view, view.answered, others_wait=others_wait)))
    elif view.withdrawn and _expired(view, view.withdrawn):
        card.say(f"💭 {title} → went on with {default(question)} · nobody objected")
    elif view.withdrawn:
        card.say(f"⚪ {title} · withdrawn: {text.line(view.withdrawn.reason, 300)}")
    elif short:
        card.say("\n".join(part for part in (_asked(view, title), text.line(question.context, 300)) if part))
        answers(card, question, cut=True, key=str(number), later=False)
    else:
        card.say(_asked(view, title))
        matter(card, question, SHARED, view.as_file)
        answers(card, question, cut=is_cut(question, SHARED), key=str(number), later=False)


def _asked(view: QuestionCard, title: str) -> str:
    return f"{sign(view.question)} {title}" + (f" · {unless(view.question)}" if assumed(view.question) else "")


def _all_wait(left: Sequence[QuestionCard]) -> str:
    if left[0].asleep:
        return "Its machine is asleep: answers are taken now and delivered on wake"
    if all(assumed(view.question) for view in left):
        return "The session works on meanwhile; an objection reaches it as a correction"
    return "The session waits until all are answered" if len(left) > 1 else "The session waits for this one"
