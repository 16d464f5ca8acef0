"""Text from agents made fit for people: nothing hidden, nothing that moves a cursor, nothing endless. Pure."""

from __future__ import annotations

import re
import unicodedata

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_KEPT = frozenset("\n\t")


def prose(text: str, limit: int = 20_000) -> str:
    """Words for people: escape sequences and control characters are dropped."""
    text = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in ("Cc", "Cs"))
    return shorten(text.strip(), limit)


def exact(text: str, limit: int = 100_000) -> str:
    """Code or a command to be judged: whatever a screen would hide or reorder is shown as ``⟨U+202E⟩``."""
    shown = "".join(c if c in _KEPT or not _hidden(c) else f"⟨U+{ord(c):04X}⟩" for c in text.replace("\r\n", "\n"))
    return shorten(shown.strip("\n"), limit)


def one_line(text: str, limit: int = 300) -> str:
    return shorten(" ".join(prose(text, limit * 8).split()), limit, mark="…")


def shorten(text: str, limit: int, mark: str = "") -> str:
    if len(text) <= limit:
        return text
    mark = mark or f"\n… ({len(text) - limit} more characters are not shown)"
    return text[:limit].rstrip() + mark


def heading(text: str, limit: int = 200) -> tuple[str, str]:
    """A title that stands alone, and the rest."""
    text = prose(text)
    first, _, rest = text.partition("\n")
    first = first.strip().strip("#*").strip()
    if len(first) <= limit:
        return first, rest.strip()
    return one_line(first, limit), text


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")
