"""Questions: what an answer must be, what a reply in a thread means, and that the first answer wins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

from bot.domain.naming import GATES, named, named_all, only_a_number
from bot.domain.views import Answered, Withdrawn
from bot.wire.types import DENY, REVISE, Answer, Option, Person, Question, QuestionKind, SessionId, Urgency

LONG_DETAIL = 2_500
"""Characters of a command, diff or plan that a card still shows whole; what is longer comes as a file beside it."""
MAX_TEXT = 40_000
"""Characters of a free-text answer or prompt; Slack's own limit for a message."""


@dataclass(frozen=True)
class Asked:
    """A question as the bot keeps it. At most one of ``answered`` and ``withdrawn`` decides it."""

    question: Question
    session: SessionId
    at: datetime
    answered: Answered | None = None
    withdrawn: Withdrawn | None = None
    ping: bool = False
    """The first post mentions its person."""
    held_for: str = ""
    card: str = ""
    """The question whose card it stands on: its own where it came alone."""

    @property
    def open(self) -> bool:
        return self.answered is None and self.withdrawn is None


def blocking(question: Question) -> bool:
    """Whether work waits for it. What an agent calls urgent is no more than that."""
    return question.urgency in (Urgency.BLOCKING, Urgency.URGENT)


ASSUMABLE = frozenset((QuestionKind.CHOICE, QuestionKind.TEXT))


def assumed(question: Question) -> bool:
    """Whether the agent goes on with a default that is told."""
    return question.urgency is Urgency.ASSUMED and bool(question.default) and question.kind in ASSUMABLE


def takes_text(question: Question) -> bool:
    """Whether any reply answers it. A choice without options can only be answered in words."""
    match question.kind:
        case QuestionKind.TEXT:
            return True
        case QuestionKind.CHOICE:
            return not question.options
        case QuestionKind.PERMISSION | QuestionKind.PLAN:
            return False
        case _:
            assert_never(question.kind)


def comes_as_file(question: Question) -> bool:
    return len(question.detail) > LONG_DETAIL


# --- what somebody's words or click would answer --------------------------------------------------------------------


@dataclass(frozen=True)
class Refused:
    """Not an answer; ``problem`` says what would be one."""

    problem: str


Made: TypeAlias = Answer | Refused


def by_option(question: Question, option: str, text: str, by: Person, *, then_stop: bool = False) -> Made:
    """The answer of a click. The text goes with it only as the reason of a denial or a revision, or beside a choice."""
    offered = {o.id for o in question.options}
    if option not in offered:
        return Refused("That option is not on this question any more. Pick one of the buttons on its card.")
    if several(question):
        return by_options(question, (option,), text, by)
    permission = question.kind is QuestionKind.PERMISSION
    note = None if permission and option != DENY else (text or None)
    return Answer(
        question=question.id, by=by, option=option, text=note, then_stop=then_stop and permission and option == DENY
    )


def by_options(question: Question, chosen: tuple[str, ...], text: str, by: Person) -> Made:
    """The answer of ticked boxes, in the question's own order."""
    if not several(question):
        if len(chosen) == 1:
            return by_option(question, chosen[0], text, by)
        return Refused("This question takes one answer. Pick one of its options.")
    if not chosen:
        return Refused("Nothing is ticked. Tick what applies, or answer in words.")
    if not set(chosen) <= {o.id for o in question.options}:
        return Refused("An option that you ticked is not on this question any more. Look at its newest card.")
    return _all_of(question, chosen, text, by)


def _all_of(question: Question, chosen: tuple[str, ...], text: str, by: Person) -> Answer:
    ordered = tuple(o.id for o in question.options if o.id in chosen)
    return Answer(question=question.id, by=by, text=text or None, options=ordered)


def several(question: Question) -> bool:
    """Whether several options may be chosen: of a choice alone, whatever else claims it."""
    return question.multiple and question.kind is QuestionKind.CHOICE and bool(question.options)


def by_text(question: Question, text: str, by: Person) -> Made:
    """The answer of words that were meant as one. They never grant a permission or a plan that they do not name."""
    if not text.strip():
        return Refused("The answer is empty. Write a few words, or pick an option.")
    if len(text) > MAX_TEXT:
        return Refused(f"The answer has {len(text):,} characters; at most {MAX_TEXT:,} fit. Put the rest into a file.")
    if question.kind in GATES and only_a_number(text):
        return Refused("A number does not answer this. Use the buttons on its card, or say in words what to change.")
    match question.kind:
        case QuestionKind.TEXT:
            option = named(question, text)
            return Answer(question=question.id, by=by, option=option.id if option else None, text=text)
        case QuestionKind.CHOICE:
            if chosen := picked(question, text):
                return _chosen(question, chosen, by)
            if question.allow_text or not question.options:
                return Answer(question=question.id, by=by, text=text)
            return Refused("This question takes one of its options. Pick a button on its card.")
        case QuestionKind.PERMISSION:
            option = named(question, text)
            if option and option.id != DENY:
                return Refused("Words never grant a permission. Use the button on its card.")
            return Answer(question=question.id, by=by, option=DENY, text=None if option else text)
        case QuestionKind.PLAN:
            if option := named(question, text):
                return Answer(question=question.id, by=by, option=option.id)
            return Answer(question=question.id, by=by, option=REVISE, text=text)
        case _:
            assert_never(question.kind)


def picked(question: Question, text: str) -> tuple[Option, ...]:
    """The options that words name: one, or several where several may be chosen; none where they say anything else."""
    if several(question):
        return named_all(question, text)
    option = named(question, text)
    return (option,) if option else ()


def _chosen(question: Question, options: tuple[Option, ...], by: Person) -> Answer:
    if several(question):
        return _all_of(question, tuple(o.id for o in options), "", by)
    return Answer(question=question.id, by=by, option=options[0].id)


def words(question: Question, answer: Answer) -> str:
    """What was decided, as a person would say it: the options' labels, the text, or both."""
    if question.kind is QuestionKind.TEXT and answer.text:
        return answer.text
    labels = {o.id: o.label for o in question.options}
    chosen = answer.options or ((answer.option,) if answer.option else ())
    said = ": ".join(part for part in (", ".join(labels.get(o, o) for o in chosen), answer.text or "") if part)
    return f"{said} (and stop)" if answer.then_stop else said


# --- what a reply in a thread means ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class IsAnswer:
    question: Question
    answer: Answer


@dataclass(frozen=True)
class IsPrompt:
    """Nothing is open: words for the agent's next turn."""


@dataclass(frozen=True)
class NeedsHow:
    question: Question


@dataclass(frozen=True)
class NeedsWhich:
    questions: tuple[Question, ...]


Meaning: TypeAlias = IsAnswer | IsPrompt | NeedsHow | NeedsWhich | Refused


def meaning(open_questions: tuple[Question, ...], text: str, by: Person) -> Meaning:
    """Rule 5. With several open questions it is always asked which one is meant."""
    if not open_questions:
        return IsPrompt()
    if len(open_questions) > 1:
        return NeedsWhich(open_questions)
    question = open_questions[0]
    options = picked(question, text)
    grants = question.kind is QuestionKind.PERMISSION and any(option.id != DENY for option in options)
    # What nobody waits for was perhaps not even seen: words that do not name an option of it may mean anything.
    meant = options or (takes_text(question) and blocking(question))
    if grants or not meant:
        return NeedsHow(question)
    made = by_text(question, text, by)
    return made if isinstance(made, Refused) else IsAnswer(question, made)


Standing = Literal["open", "answered", "withdrawn", "ended"]


def standing(asked: Asked, *, session_open: bool) -> Standing:
    """Whether an answer may still be accepted; the first one wins."""
    if asked.answered:
        return "answered"
    if asked.withdrawn:
        return "withdrawn"
    return "open" if session_open else "ended"
