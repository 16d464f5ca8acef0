"""Which option of a question words name: by label, id, number, or the whole words that its label begins with."""

from __future__ import annotations

import re
import unicodedata

from bot.wire.types import Option, Question, QuestionKind

GATES = frozenset((QuestionKind.PERMISSION, QuestionKind.PLAN))
"""Kinds of which one answer lets the agent go ahead."""
_NUMBER = re.compile(r"(?:option |no |nr |#)?(\d{1,3})")


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


def only_a_number(reply: str) -> bool:
    return bool(_NUMBER.fullmatch(_plain(reply)))


# --- several at once ------------------------------------------------------------------------------------------------

_BETWEEN = re.compile(r"(\s*(?:[,;\n&+]|\s(?:and|und|et|y)\s)\s*(?:(?:and|und|et|y)\s+)?)")
_NUMBERS = re.compile(r"#?\d{1,3}(?:\s+#?\d{1,3})+")
MOST_PARTS, LONGEST_LIST = 30, 2_000
"""Of a reply that lists options; a longer one is prose."""


def named_all(question: Question, reply: str) -> tuple[Option, ...]:
    """The options that a reply lists, in the question's order; none unless every part of it names one.

    A label may hold commas itself: the longest stretch that names an option is taken first.
    """
    if len(reply) > LONGEST_LIST:
        return ()
    if _NUMBERS.fullmatch(_plain(reply)):
        reply = ", ".join(_plain(reply).split())
    pieces = _BETWEEN.split(reply.strip().strip(",;"))  # a part, what stands between, a part, …
    count = len(pieces) // 2 + 1
    if count > MOST_PARTS:
        return ()
    found: set[str] = set()
    at = 0
    while at < count:
        stretches = ((end, "".join(pieces[2 * at : 2 * end - 1])) for end in range(count, at, -1))
        taken = next(((end, option) for end, words in stretches if (option := named(question, words))), None)
        if taken is None:
            return ()
        at = taken[0]
        found.add(taken[1].id)
    return tuple(option for option in question.options if option.id in found)
