"""What a prompt says: the task, the allowed paths, an answer that arrives as words. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TASK = re.compile(r"^(?:#+\s*)?task:?[ \t]*$", re.IGNORECASE | re.MULTILINE)
_PATHS = re.compile(
    r"^.*(?:\b(?:allowed paths|scope)\b[^:\n]*:[ \t]*(\S.*)|\bdo not modify files outside (\S.*?)\.?)$",
    re.IGNORECASE | re.MULTILINE,
)
_SCRIPT = re.compile(r"^script:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
_ANSWERED = re.compile(r"\banswer(?:ed)?\b[^:\n]*:\s*(\S.*)", re.IGNORECASE | re.DOTALL)


_SENT_BACK = re.compile(r"\AYour change was .*sent back:\n(.*)\nWork this in and commit it\.\Z", re.DOTALL)
_DENIED = re.compile(r"^You asked: “.*?” The answer was no\.[ \t]*", re.MULTILINE)
_STILL_OPEN = re.compile(r"\n\n\(Still open with the people here.*\)\Z", re.DOTALL)


@dataclass(frozen=True)
class Brief:
    task: str
    allowed: tuple[str, ...] = ()
    script: str = ""

    @property
    def title(self) -> str:
        """The task in one line."""
        line = next((line.strip() for line in self.task.splitlines() if line.strip()), "the task")
        line = "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
        return line if len(line) <= 72 else line[:71].rstrip() + "…"

    @property
    def slug(self) -> str:
        words = re.findall(r"[a-z0-9]+", unicodedata.normalize("NFKD", self.title).casefold())
        return "-".join(words)[:48].strip("-") or "notes"


def read_brief(prompt: str) -> Brief:
    """The task is what follows a line ``Task:``, else the whole prompt."""
    head = list(_TASK.finditer(prompt))
    preamble, task = (prompt[: head[0].start()], prompt[head[0].end() :]) if head else ("", prompt)
    paths = _PATHS.search(preamble)
    script = _SCRIPT.search(task)
    named = [word.strip().strip("`") for word in (paths[1] or paths[2]).split(",")] if paths else []
    return Brief(task.strip(), tuple(word for word in named if word), script[1] if script else "")


def read_words(prompt: str) -> str:
    """What the person wrote, in one line, without what Switchboard says around it."""
    prompt = _DENIED.sub("", _STILL_OPEN.sub("", prompt.strip())).strip()
    sent_back = _SENT_BACK.search(prompt)
    return " ".join((sent_back[1] if sent_back else prompt).split())


def read_answer(prompt: str, options: Sequence[Mapping[str, Any]]) -> tuple[str, str] | None:
    """An answer to an open question that came as a prompt: (option id or "other", words). None: it is none."""
    found = _ANSWERED.search(prompt)
    if not found:
        return None
    words = found[1].strip()
    for option in options:
        if words.casefold().rstrip(".") in (str(option["label"]).casefold(), str(option["id"]).casefold()):
            return str(option["id"]), str(option["label"])
    return "other", words
