"""Questions: which option a reply names, what an answer must be, and that the first answer wins."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, assert_never

from bot.domain.views import Answered, Withdrawn
from bot.wire.types import ALLOW, DENY, REVISE, Answer, Option, Person, Question, QuestionKind, SessionId

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

    @property
    def open(self) -> bool:
        return self.answered is None and self.withdrawn is None


GATES = frozenset((QuestionKind.PERMISSION, QuestionKind.PLAN))
"""Kinds of which one answer lets the agent go ahead."""
_NUMBER = re.compile(r"(?:option |no |nr |#)?(\d{1,3})")

# --- which option does a reply name ---------------------------------------------------------------------------------


def named(question: Question, reply: str) -> Option | None:
    """The one option that a reply names by its label or id, its number, or the whole words its label begins with.

    A plan or a permission lets an agent loose: there only the very word counts.
    """
    options = question.options
    if question.kind in GATES:
        meant = [o for o in options if _very(reply) in (_very(o.label), o.id)]
        return meant[0] if len(meant) == 1 and _very(reply) else None
    said = _plain(reply)
    if not said:
        return None
    exact = [o for o in options if said in (_plain(o.label), o.id.casefold())]
    if exact:
        return exact[0] if len(exact) == 1 else None
    if number := _NUMBER.fullmatch(said):
        index = int(number.group(1)) - 1
        return options[index] if 0 <= index < len(options) else None
    begun = [o for o in options if len(said) > 2 and _begins(_plain(o.label), said)]
    return begun[0] if len(begun) == 1 else None


def _very(text: str) -> str:
    """The bare word; what struck it out, quoted it or asked about it stays."""
    return text.strip().rstrip(".!").casefold()


def _begins(label: str, said: str) -> bool:
    following = label[len(said) : len(said) + 1]
    return label.startswith(said) and not following.isalnum() and following != "-"


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.split()).strip(" .!,;:()[]`'\"*_~")


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
    note = None if option == ALLOW and question.kind is QuestionKind.PERMISSION else (text or None)
    stops = then_stop and question.kind is QuestionKind.PERMISSION and option == DENY
    return Answer(question=question.id, by=by, option=option, text=note, then_stop=stops)


def by_text(question: Question, text: str, by: Person) -> Made:
    """The answer of words that were meant as one. They never grant a permission or a plan that they do not name."""
    if not text.strip():
        return Refused("The answer is empty. Write a few words, or pick an option.")
    if len(text) > MAX_TEXT:
        return Refused(f"The answer has {len(text):,} characters; at most {MAX_TEXT:,} fit. Put the rest into a file.")
    if question.kind in GATES and _NUMBER.fullmatch(_plain(text)):
        return Refused("A number does not answer this. Use the buttons on its card, or say in words what to change.")
    match question.kind:
        case QuestionKind.TEXT:
            option = named(question, text)
            return Answer(question=question.id, by=by, option=option.id if option else None, text=text)
        case QuestionKind.CHOICE:
            if option := named(question, text):
                return Answer(question=question.id, by=by, option=option.id)
            if question.allow_text or not question.options:
                return Answer(question=question.id, by=by, text=text)
            return Refused("This question takes one of its options. Pick a button on its card.")
        case QuestionKind.PERMISSION:
            option = named(question, text)
            if option and option.id == ALLOW:
                return Refused("Words never grant a permission. Use the button on its card.")
            return Answer(question=question.id, by=by, option=DENY, text=None if option else text)
        case QuestionKind.PLAN:
            if option := named(question, text):
                return Answer(question=question.id, by=by, option=option.id)
            return Answer(question=question.id, by=by, option=REVISE, text=text)
        case _:
            assert_never(question.kind)


def words(question: Question, answer: Answer) -> str:
    """What was decided, as a person would say it: the option's label, the text, or both."""
    label = next((o.label for o in question.options if o.id == answer.option), answer.option or "")
    if question.kind is QuestionKind.TEXT and answer.text:
        return answer.text
    said = ": ".join(part for part in (label, answer.text or "") if part)
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
    option = named(question, text)
    grants = question.kind is QuestionKind.PERMISSION and option is not None and option.id == ALLOW
    if grants or (option is None and not takes_text(question)):
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
