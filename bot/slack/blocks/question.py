"""A question as a card: what is asked, what decides it, the answers on offer; later, what was decided."""

from __future__ import annotations

from bot.domain.views import Answered, QuestionCard, Withdrawn
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import Button, Card, Message
from bot.wire.types import ALLOW, APPROVE, DENY, Option, Question, QuestionKind

SIGN = {QuestionKind.CHOICE: "❓", QuestionKind.TEXT: "❓", QuestionKind.PERMISSION: "🔐", QuestionKind.PLAN: "🗺️"}
TITLE, CONTEXT, DETAIL, OPTION = 240, 1500, 2800, 300
BUTTONS = 5
"""More options than this become a menu."""


def question_card(view: QuestionCard) -> Message:
    card = Card()
    if view.answered:
        _answered(card, view, view.answered)
    elif view.withdrawn:
        _withdrawn(card, view, view.withdrawn)
    else:
        _open(card, view)
    return card.message()


def head(sign: str, name: str, title: str) -> str:
    return f"{sign} *{text.line(name, 80)}* · {text.line(title, TITLE) or 'A question'}"


def _open(card: Card, view: QuestionCard) -> None:
    question = view.question
    first = head(SIGN[question.kind], view.session_name, question.title)
    card.say(f"{first} · {text.person(view.mention)}" if view.mention else first)
    matter(card, question)
    answers(card, question)
    if view.asleep:
        waits = "Its machine is asleep: an answer is taken now and delivered on wake"
    elif question.kind is QuestionKind.PERMISSION:
        waits = "The session waits; only a button grants this"
    else:
        waits = "The session waits; a reply here answers too" if takes_text(question) else "The session waits"
    held = text.line(view.held_for, 120)
    card.small(waits, f"asked {text.at(view.asked)}", f"held {held}" if held else "")


def matter(card: Card, question: Question) -> None:
    """What decides the question: its context, the exact command or plan, the options in full."""
    card.say(text.prose(question.context, CONTEXT))
    if question.detail.strip():
        code, left = text.fence_part(question.detail, DETAIL)
        card.say(code)
        card.small(f"⚠️ {left}: Show in full" if left else "")
    if listed := _listed(question):
        card.say(listed)


def takes_text(question: Question) -> bool:
    if question.kind in (QuestionKind.PERMISSION, QuestionKind.PLAN):
        return False
    return question.allow_text or not question.options


def answers(card: Card, question: Question, short: bool = False, cut: bool | None = None, thread: str = "") -> None:
    """The row of answers. ``short`` is for lists of decisions; ``cut``: the words above leave something out.

    A list grants nothing that it does not show whole: that is done in the thread.
    """
    extra = _after(question, short, is_cut(question) if cut is None else cut)
    if short and cut and question.kind is QuestionKind.PERMISSION:
        extra = [button for button in extra if button.act.arg != ALLOW]
        if thread:
            extra.insert(0, Button("Open its thread", Act(Verb.OPEN, question.id), url=thread))
    options = ranked(question) if question.kind is QuestionKind.CHOICE else []
    if len(options) > BUTTONS:
        choices = [(_label(o), Act(Verb.CHOOSE, question.id, o.id, i)) for i, o in options]
        card.select(f"Choose one of {len(options)}", choices, Verb.CHOOSE, extra)
        return
    chosen = [Button(_label(o), Act(Verb.CHOOSE, question.id, o.id, i), primary=o.recommended) for i, o in options]
    card.buttons([*chosen, *extra])


def ranked(question: Question) -> list[tuple[int, Option]]:
    """The options with their places, the recommended ones first."""
    return sorted(enumerate(question.options), key=lambda item: not item[1].recommended)


def _label(option: Option) -> str:
    mark = " · recommended" if option.recommended else ""
    return text.plain(option.label or option.id, 74 - len(mark)) + mark


def _after(question: Question, short: bool, cut: bool) -> list[Button]:
    q = question.id
    later = [] if short else [Button("Later", Act(Verb.LATER, q))]
    if cut:
        later.append(Button("Show in full", Act(Verb.SHOW, q)))
    match question.kind:
        case QuestionKind.PERMISSION:
            return [
                Button("Allow", Act(Verb.CHOOSE, q, ALLOW), primary=_recommends(question, ALLOW)),
                Button("Deny", Act(Verb.CHOOSE, q, DENY)),
                Button("Deny and stop", Act(Verb.DENY_STOP, q, DENY)),
                Button("Deny and tell it…", Act(Verb.DENY_TELL, q, DENY)),
                *later,
            ]
        case QuestionKind.PLAN:
            approve = Button("Approve", Act(Verb.CHOOSE, q, APPROVE), primary=True)
            return [approve, Button("Revise…", Act(Verb.REVISE, q)), *later]
        case QuestionKind.CHOICE if question.options:
            other = [Button("Other…", Act(Verb.OTHER, q))] if question.allow_text else []
            return [*other, *later]
        case _:
            return [Button("Answer…", Act(Verb.OTHER, q), primary=True), *later]


def _recommends(question: Question, option: str) -> bool:
    return any(o.id == option and o.recommended for o in question.options)


def _listed(question: Question) -> str:
    """The options in words, where a button cannot say all of them."""
    options = ranked(question) if question.kind is QuestionKind.CHOICE else []
    tight = any(o.description or text.size(_label(o)) >= 70 for _, o in options)
    if not tight and len(options) <= BUTTONS:
        return ""
    room = min(OPTION, 2900 // max(1, len(options)) - 4)
    if room < 40:
        return f"_{len(options)} options: see the menu, or all of them under Show in full._"
    lines = []
    for _, o in options:
        label = f"*{text.line(o.label or o.id, max(20, room // 2))}*"
        left = room - text.size(label) - 3
        lines.append(f"{label} · {text.line(o.description, left)}" if o.description and left > 10 else label)
    return "\n".join(f"• {words}" for words in lines)


def is_cut(question: Question) -> bool:
    """Whether the card leaves anything out."""
    options = question.options if question.kind is QuestionKind.CHOICE else ()
    room = min(OPTION, 2900 // max(1, len(options)) - 4)
    return (
        not text.fits(question.title, TITLE)
        or not text.fits(question.context, CONTEXT)
        or bool(text.fence_part(question.detail, DETAIL)[1])
        or any(not text.fits(o.label, room // 2) or not text.fits(o.label + o.description, room - 6) for o in options)
    )


def _answered(card: Card, view: QuestionCard, done: Answered) -> None:
    said, reason = done.words.strip() or "answered", (done.answer.text or "").strip()
    brief = len(said) <= 120 and "\n" not in said
    first = head("☑️", view.session_name, view.question.title)
    card.say(f"{first} → *{text.line(said, 700)}*" if brief else f"{first} → answered")
    if not brief:
        card.say(text.prose(said, CONTEXT))
    if done.answer.option is not None and reason and reason != said:
        card.say(text.prose(reason, CONTEXT))
    if view.question.detail.strip() and view.question.kind is QuestionKind.PERMISSION:
        card.say(text.fence(view.question.detail, DETAIL))
    card.small(
        text.named(done.by_name, done.by), text.at(done.at), _fate(done, view.asleep), text.line(done.detail, 300)
    )


def _fate(done: Answered, asleep: bool) -> str:
    if done.applied is None:
        return "delivered on wake" if asleep else "on its way to the agent"
    return "the agent has it" if done.applied else "too late: the session had moved on"


def _withdrawn(card: Card, view: QuestionCard, gone: Withdrawn) -> None:
    card.say(head("⚪", view.session_name, view.question.title) + " · withdrawn")
    card.small(text.line(gone.reason, 500), text.at(gone.at))
