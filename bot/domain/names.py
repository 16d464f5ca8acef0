"""Names for sessions and branches, made from whatever a person typed. Plain ASCII: safe in paths, refs and commands."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Container

from bot.wire.types import SessionId

MAX_NAME = 32
_WORDS_IN_A_NAME = 4
RESERVED = frozenset(["merged"])
"""Merges wait on ``switchboard/merged/…``, which cannot exist beside a branch ``switchboard/merged``."""
_FILLER = frozenset(
    ["a", "an", "the", "to", "of", "in", "on", "for", "and", "with", "from", "please", "so", "that", "is", "we"]
)
_ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_JOINERS = "\u200c\u200d"
"""Invisible, but part of how a word or an emoji is spelt."""
_BAD_IN_A_REF = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|^[/.-]|[/.]$")


def new_session_id(pick: Callable[[str], str] = secrets.choice) -> SessionId:
    """``s`` and eight base32 letters."""
    return SessionId("s" + "".join(pick(_ID_LETTERS) for _ in range(8)))


def clean(text: str) -> str:
    """Text as people meant it: no NUL, no control characters but line breaks and tabs, no broken surrogates."""
    kept = (c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return "".join(kept).strip()


def visible(text: str) -> str:
    """A name as it is read: pasted text brings zero-width characters and direction marks along."""
    return "".join(c for c in text if c in _JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def alike(one: str, other: str) -> bool:
    """Whether two names look the same to a reader, however they are encoded."""
    return _look(one) == _look(other)


def _look(name: str) -> str:
    return unicodedata.normalize("NFC", visible(name).translate(dict.fromkeys(map(ord, _JOINERS)))).casefold()


def slug(text: str) -> str:
    """Lowercase ASCII words joined by ``-``; empty when the text has no Latin letter or digit."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain.replace("'", ""))
    short = ""
    for word in words:
        longer = f"{short}-{word}" if short else word[:MAX_NAME]
        if len(longer) > MAX_NAME:
            break
        short = longer
    return short


def name_for(task: str) -> str:
    """A short name for a task: its first telling words; ``session`` when no word can be spelt in ASCII."""
    first_line = task.strip().splitlines()[0] if task.strip() else ""
    words = [word for word in slug_words(first_line) if word not in _FILLER]
    return slug(" ".join(words[:_WORDS_IN_A_NAME])) or slug(first_line) or "session"


def slug_words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z0-9]+", plain.replace("'", ""))


def unique(name: str, taken: Container[str]) -> str:
    """The name itself, or with -2, -3 … appended."""
    if name not in taken and name not in RESERVED:
        return name
    number = 2
    while f"{name}-{number}" in taken:
        number += 1
    return f"{name}-{number}"


def branch_for(name: str) -> str:
    return f"switchboard/{name}"


def ref_problem(name: str) -> str:
    """Why git would refuse this as a branch name; empty when it would not."""
    if not name or name == "@" or len(name.encode()) > 200:
        return "it is empty or too long"
    if found := _BAD_IN_A_REF.search(name):
        shown, where = found.group().strip(), "contains"
        if shown in ("/", "-", "."):
            where = "ends with" if found.start() else "begins with"
        return f"it {where} “{shown}”" if shown else "it contains a space or a control character"
    return ""
