"""What decides a question, in words, and the ways to answer it where it stands: buttons, menus, boxes to tick."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.questions import assumed
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import ROW, Button, Card
from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, Option, Question, QuestionKind

SIGN = {QuestionKind.CHOICE: "❓", QuestionKind.TEXT: "❓", QuestionKind.PERMISSION: "🔐", QuestionKind.PLAN: "🗺️"}
ASSUMED = "💭"
TITLE, OPTION = 240, 300
BUTTONS = 5
"""More options than this become a menu."""
BOXES = 10
"""More options than this, of which several may be chosen, become a menu: Slack has no more boxes in a block."""


@dataclass(frozen=True)
class Room:
    """How much of a question a card shows; what is left out stands under *Show in full*."""

    context: int
    detail: int


ALONE, SHARED = Room(1500, 2800), Room(700, 1200)
BEGINNING = 900
"""How much of a detail stands on the card where the whole is a file beside it."""


def sign(question: Question) -> str:
    return ASSUMED if assumed(question) else SIGN[question.kind]


def default(question: Question, limit: int = 200) -> str:
    """What the agent goes on with, in the reader's words; ready mrkdwn."""
    label = next((o.label for o in question.options if o.id == question.default), question.default)
    return f"*{text.line(label, limit)}*"


def unless(question: Question) -> str:
    """What happens without an answer, where the agent waits for none."""
    by = f" by {text.clock(question.until)}" if question.until else ""
    return f"Going on with {default(question)} unless somebody objects{by}"


def takes_text(question: Question) -> bool:
    if question.kind in (QuestionKind.PERMISSION, QuestionKind.PLAN):
        return False
    return question.allow_text or not question.options


# --- what decides it ------------------------------------------------------------------------------------------------


def matter(card: Card, question: Question, room: Room = ALONE, as_file: bool = False) -> None:
    """Its context, the exact command or plan, the options in full."""
    card.say(text.prose(question.context, room.context))
    if question.detail.strip():
        code, left = text.fence_part(question.detail, min(room.detail, BEGINNING) if as_file else room.detail)
        card.say(code)
        whole = "the whole is a file in this thread" if as_file else "Show in full"
        card.small(f"⚠️ {left}: {whole}" if left else "", HIDDEN if text.hides(question.detail) else "")
    if listed := _listed(question):
        card.say(listed)


HIDDEN = "⚠️ it holds characters that nobody can see; they are left out here"


def ranked(question: Question) -> list[tuple[int, Option]]:
    """The options with their places, the recommended ones first."""
    return sorted(enumerate(question.options), key=lambda item: not item[1].recommended)


def _offered(question: Question) -> list[tuple[int, Option]]:
    return ranked(question) if question.kind is QuestionKind.CHOICE else []


def _label(option: Option) -> str:
    mark = " · recommended" if option.recommended else ""
    return text.plain(option.label or option.id, 74 - len(mark)) + mark


def _listed(question: Question) -> str:
    """The options in words, where a button or a box cannot say all of them."""
    if question.kind is QuestionKind.PERMISSION:
        return _always_means(question)
    options = _offered(question)
    if controls_say_all(question):
        return ""
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


def controls_say_all(question: Question) -> bool:
    """Whether the boxes, or the menu of many, hold all the words of their options."""
    if not (question.multiple and question.kind is QuestionKind.CHOICE):
        return False
    return all(text.size(_label(o)) < 70 and text.size(o.description) < 75 for o in question.options)


def _always(question: Question) -> Option | None:
    return next((o for o in question.options if o.id == ALWAYS), None)


def _always_means(question: Question) -> str:
    """What is granted for the rest of the session: a button has no room for it."""
    option = _always(question)
    means = option.description or (option.label if text.size(option.label) > 74 else "") if option else ""
    return f"_Always allow in this session_: {text.line(means, 600)}" if means.strip() else ""


def is_cut(question: Question, room: Room = ALONE) -> bool:
    """Whether the card leaves anything out."""
    options = question.options if question.kind is QuestionKind.CHOICE else ()
    each = min(OPTION, 2900 // max(1, len(options)) - 4)
    always = _always(question) if question.kind is QuestionKind.PERMISSION else None
    return (
        not text.fits(question.title, TITLE)
        or not text.fits(question.context, room.context)
        or bool(text.fence_part(question.detail, room.detail)[1])
        or any(not text.fits(o.label, each // 2) or not text.fits(o.label + o.description, each - 6) for o in options)
        or bool(always and not text.fits(always.description or always.label, 600))
    )


# --- how to answer it -----------------------------------------------------------------------------------------------


def answers(
    card: Card,
    question: Question,
    *,
    cut: bool,
    key: str,
    later: bool = True,
    grants: bool = True,
    thread: str = "",
) -> None:
    """The controls. ``cut``: the words above leave something out. ``key`` names the question within the message, so
    that what is ticked outlives an edit. ``grants``: a permission may be given here, else in its ``thread`` only.
    """
    more = _more(question, later, cut)
    if question.kind is QuestionKind.PERMISSION:
        buttons = [*(_permission(question) if grants else _refusals(question, thread)), *more]
        first = 3 if grants and len(buttons) > ROW else ROW  # what ends it plainly, above what takes more
        card.buttons(buttons[:first]).buttons(buttons[first:])
    elif question.kind is QuestionKind.PLAN:
        approve = Button("Approve", Act(Verb.CHOOSE, question.id, APPROVE), primary=True)
        card.buttons([approve, Button("Revise…", Act(Verb.REVISE, question.id)), *more])
    elif not question.options or question.kind is QuestionKind.TEXT:
        label = "Say otherwise…" if assumed(question) else "Answer…"
        card.buttons([Button(label, Act(Verb.OTHER, question.id), primary=not assumed(question)), *more])
    elif question.multiple:
        _boxes(card, question, key, more)
    elif assumed(question):
        _objections(card, question, more)
    else:
        _options(card, question, more)


def _options(card: Card, question: Question, more: list[Button]) -> None:
    q, options = question.id, ranked(question)
    other = [Button("Other…", Act(Verb.OTHER, q))] if question.allow_text else []
    if len(options) > BUTTONS:
        choices = [(_label(o), Act(Verb.CHOOSE, q, o.id, i)) for i, o in options]
        card.select(f"Choose one of {len(options)}", choices, Verb.CHOOSE, [*other, *more])
        return
    chosen = [Button(_label(o), Act(Verb.CHOOSE, q, o.id, i), primary=o.recommended) for i, o in options]
    card.buttons([*chosen, *other, *more])


def _boxes(card: Card, question: Question, key: str, more: list[Button]) -> None:
    """Ticks are nothing yet: only Send answers."""
    q = question.id
    picks = [(_label(o), o.description, Act(Verb.PICK, q, o.id, i)) for i, o in ranked(question)]
    menu = len(picks) > BOXES
    label = "Choose all that apply" if menu else "Tick all that apply"
    block = card.picks(f"picks.{key}", label, picks, menu=menu, told=not controls_say_all(question))
    none = [Button("None of these…", Act(Verb.OTHER, q))] if question.allow_text else []
    send = Button("Send instead" if assumed(question) else "Send", Act(Verb.SEND, q, block), primary=True)
    card.buttons([send, *none, *more])


def _objections(card: Card, question: Question, more: list[Button]) -> None:
    """The agent goes on meanwhile: the default can be confirmed, all else is a veto."""
    q, every = question.id, list(enumerate(question.options))
    keep = [
        Button(f"Keep {text.plain(o.label or o.id, 60)}", Act(Verb.CHOOSE, q, o.id, i))
        for i, o in every
        if o.id == question.default
    ][:1]
    rest = [(i, o) for i, o in every if o.id != question.default]
    other = [Button("Something else…", Act(Verb.OTHER, q))] if question.allow_text else []
    if len(rest) > BUTTONS:
        choices = [(_label(o), Act(Verb.CHOOSE, q, o.id, i)) for i, o in rest]
        card.select("Choose another instead", choices, Verb.CHOOSE, [*keep, *other, *more])
        return
    vetoes = [Button(f"{text.plain(o.label or o.id, 60)} instead", Act(Verb.CHOOSE, q, o.id, i)) for i, o in rest]
    card.buttons([*keep, *vetoes, *other, *more])


def _permission(question: Question) -> list[Button]:
    q, always = question.id, _always(question)
    recommended = any(o.id == ALLOW and o.recommended for o in question.options)
    allow = [Button("Allow", Act(Verb.CHOOSE, q, ALLOW), primary=recommended)]
    if always:  # never primary: it grants more than what is shown
        fits = always.label and text.size(always.label) <= 74 and always.label.lower() != ALWAYS
        label = always.label if fits else "Always allow in this session"
        allow.append(Button(label, Act(Verb.CHOOSE, q, ALWAYS)))
    return [*allow, *_denials(question)]


def _denials(question: Question) -> list[Button]:
    q = question.id
    return [
        Button("Deny", Act(Verb.CHOOSE, q, DENY)),
        Button("Deny and stop", Act(Verb.DENY_STOP, q, DENY)),
        Button("Deny and tell it…", Act(Verb.DENY_TELL, q, DENY)),
    ]


def _refusals(question: Question, thread: str) -> list[Button]:
    opens = [Button("Open its thread", Act(Verb.OPEN, question.id), url=thread)] if thread else []
    return [*opens, *_denials(question)]


def _more(question: Question, later: bool, cut: bool) -> list[Button]:
    more = [Button("Later", Act(Verb.LATER, question.id))] if later and not assumed(question) else []
    return [*more, Button("Show in full", Act(Verb.SHOW, question.id))] if cut else more
