"""One call of ``ask_human`` as values: what was asked, made from whatever JSON an agent or a script sent. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec

from bot.wire.types import Option, QuestionKind, Urgency
from runners.agents.base import Inquiry

MOST_QUESTIONS, MOST_OPTIONS, LONGEST_TITLE, LONGEST_TEXT, LONGEST_ID = 10, 25, 300, 20_000, 100
DEFAULT_WITHIN = timedelta(hours=4)
SHORTEST_WITHIN, LONGEST_WITHIN = timedelta(seconds=1), timedelta(days=30)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CALL_KEYS = {"questions", "id", "context"}
_QUESTION_KEYS = {
    "question", "title", "context", "detail", "options", "multiple", "allow_text", "urgency", "default", "within",
}  # fmt: skip


class BadCall(Exception):
    """It cannot be asked like this; every problem at once, each with its fix, for whoever called."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Call:
    """Questions that stand on one card."""

    questions: tuple[Inquiry, ...]
    id: str = ""
    """The caller's own name for it; empty: its words name it."""
    wholes: tuple[str, ...] = ()
    """Each question as it came: its title is but the first line of it."""

    @property
    def identity(self) -> str:
        """What makes these questions these questions."""
        wholes = self.wholes or tuple(asked.title for asked in self.questions)
        words = [_identity(*each) for each in zip(self.questions, wholes, strict=True)]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()

    @property
    def key(self) -> str:
        """The same for the same call, however often and from whichever process it is sent."""
        return f"ask:{self.id or self.identity}"


def _identity(asked: Inquiry, whole: str) -> list[object]:
    """What makes a question this question: not its context nor its deadline, which a model words anew each time."""
    title = re.sub(r"\s+", " ", whole).strip().casefold()
    return [title, asked.kind, asked.multiple, [option.label.casefold() for option in asked.options]]


def duration(text: str) -> timedelta | None:
    """``90s``, ``30m``, ``2h``, ``1h30m``, ``1d``; a bare number is minutes. None: it is none of these."""
    compact = text.replace(" ", "").lower()
    if re.fullmatch(r"\d{1,6}(\.\d+)?", compact):
        return timedelta(minutes=float(compact))
    parts = re.findall(r"(\d{1,6})([smhd])[a-z]*", compact)
    if not parts or "".join(number + unit for number, unit in parts) != re.sub(r"([smhd])[a-z]*", r"\1", compact):
        return None
    try:
        return timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts))
    except OverflowError:
        return None


def parse(arguments: object, now: datetime) -> Call:
    """Raises BadCall. Takes what models really send: questions as a JSON string, options as plain strings."""
    reader = _Reader(now)
    call = reader.call(arguments)
    if reader.problems:
        raise BadCall(reader.problems)
    return call


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._wholes: list[str] = []
        self.problems: list[str] = []

    def call(self, value: object) -> Call:
        arguments = self._object("arguments", value)
        if "questions" not in arguments and arguments.keys() & {"question", "title"}:
            arguments = {"questions": [{k: v for k, v in arguments.items() if k != "id"}], "id": arguments.get("id")}
        self._unknown("arguments", arguments, _CALL_KEYS)
        items = _unpacked(arguments.get("questions"))
        if not isinstance(items, list) or not items:
            self.problems.append('questions: must be a list with at least one {"question": "…"}')
            items = []
        if len(items) > MOST_QUESTIONS:
            self.problems.append(f"questions: {len(items)} at once; at most {MOST_QUESTIONS} stand on one card")
            items = items[:MOST_QUESTIONS]
        shared = self._text("context", arguments.get("context"), LONGEST_TEXT)
        asked = [self._question(f"questions[{index}]", item) for index, item in enumerate(items)]
        if shared and asked:
            asked[0] = replace(asked[0], context="\n".join(filter(None, (shared, asked[0].context))))
        return Call(tuple(asked), self._text("id", arguments.get("id"), LONGEST_ID), tuple(self._wholes))

    def _question(self, at: str, value: object) -> Inquiry:
        if isinstance(value, str):
            value = {"question": value}
        found = self._object(at, value)
        self._unknown(at, found, _QUESTION_KEYS)
        title, more = self._title(at, found)
        options = self._options(f"{at}.options", found.get("options"))
        multiple = self._flag(f"{at}.multiple", found.get("multiple"), default=False) and bool(options)
        urgency, default, until, options = self._urgency(at, found, options, multiple)
        return Inquiry(
            kind=QuestionKind.CHOICE if options else QuestionKind.TEXT,
            title=title,
            context="\n".join(filter(None, (more, self._text(f"{at}.context", found.get("context"), LONGEST_TEXT)))),
            detail=self._text(f"{at}.detail", found.get("detail"), LONGEST_TEXT * 3),
            options=options,
            allow_text=self._flag(f"{at}.allow_text", found.get("allow_text"), default=True) or not options,
            multiple=multiple,
            urgency=urgency,
            default=default,
            until=until,
        )

    def _title(self, at: str, found: Mapping[str, Any]) -> tuple[str, str]:
        """A question in one line; what is too much for it goes to the head of its context."""
        name = "title" if "question" not in found and "title" in found else "question"
        whole = self._text(f"{at}.{name}", found.get(name), LONGEST_TEXT).strip()
        if not whole:
            self.problems.append(f"{at}.question: is empty; say in one line what you want to know")
        self._wholes.append(whole)
        first, _, rest = whole.partition("\n")
        return (first, rest.strip()) if len(first) <= LONGEST_TITLE else (first[: LONGEST_TITLE - 1] + "…", whole)

    def _options(self, at: str, value: object) -> tuple[Option, ...]:
        value = _unpacked(value)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.problems.append(f'{at}: must be a list, as ["FTS", "Tantivy"] or [{{"label": "FTS"}}]')
            return ()
        if len(value) > MOST_OPTIONS:
            self.problems.append(f"{at}: {len(value)} of them; offer at most {MOST_OPTIONS}, or ask in free text")
            return ()
        options = [self._option(f"{at}[{index}]", item) for index, item in enumerate(value)]
        for what, words in (("label", [each.label for each in options]), ("id", [each.id for each in options])):
            for twice in sorted({word for word in words if word and words.count(word) > 1}):
                self.problems.append(f"{at}: the {what} “{twice}” stands there twice; nobody could tell them apart")
        return tuple(options)

    def _option(self, at: str, value: object) -> Option:
        if isinstance(value, str):
            value = {"label": value}
        found = self._object(at, value)
        self._unknown(at, found, {"id", "label", "description", "recommended"})
        label = self._text(f"{at}.label", found.get("label"), LONGEST_TEXT).strip()
        name = self._text(f"{at}.id", found.get("id"), LONGEST_TEXT).strip()
        if not (label or name):
            self.problems.append(f"{at}: is empty; give it a label")
        return Option(
            id=_short(name or label),
            label=label or name,
            description=self._text(f"{at}.description", found.get("description"), LONGEST_TEXT),
            recommended=self._flag(f"{at}.recommended", found.get("recommended"), default=False),
        )

    def _urgency(
        self, at: str, found: Mapping[str, Any], options: tuple[Option, ...], multiple: bool
    ) -> tuple[Urgency, str, datetime | None, tuple[Option, ...]]:
        default = self._text(f"{at}.default", found.get("default"), LONGEST_TEXT).strip()
        named = found.get("urgency") or (Urgency.ASSUMED if default else Urgency.BLOCKING)
        if named not in tuple(Urgency):
            self.problems.append(f"{at}.urgency: must be blocking or assumed")
        urgency = Urgency(named) if named in tuple(Urgency) else Urgency.BLOCKING
        if urgency is Urgency.URGENT:
            urgency = Urgency.BLOCKING  # that word is for people
        if urgency is not Urgency.ASSUMED:
            return urgency, "", None, tuple(_recommended(each, default) for each in options)
        if not default:
            self.problems.append(f"{at}.default: an assumed question says what you go on with; or make it blocking")
        if multiple:
            self.problems.append(f"{at}.multiple: an assumed question goes on with one default; make it blocking")
        match = next((each for each in options if _names(default, each)), None)
        if options and match is None and default:
            known = ", ".join(f"“{each.id}”" for each in options)
            self.problems.append(f"{at}.default: “{default}” is none of its options: {known}")
        return urgency, match.id if match else default, self._until(at, found.get("within")), options

    def _until(self, at: str, value: object) -> datetime:
        if value is None or value == "":
            return self._now + DEFAULT_WITHIN
        within = None
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e6:
            within = timedelta(minutes=value)
        elif isinstance(value, str):
            within = duration(value)
        if within is None or not SHORTEST_WITHIN <= within <= LONGEST_WITHIN:
            self.problems.append(f"{at}.within: must be a time such as 30m, 2h or 1d, at most 30d")
            return self._now + DEFAULT_WITHIN
        return self._now + within

    def _object(self, at: str, value: object) -> Mapping[str, Any]:
        value = _unpacked(value)
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        self.problems.append(f"{at}: must be an object")
        return {}

    def _unknown(self, at: str, found: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(found.keys() - known):
            self.problems.append(
                f"{at}: “{_clean(key[:LONGEST_ID])}” is unknown; known here: {', '.join(sorted(known))}"
            )

    def _text(self, at: str, value: object, most: int) -> str:
        if value is None:
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return f"{value}"
        if not isinstance(value, str):
            self.problems.append(f"{at}: must be a string")
            return ""
        if len(value) > most:
            self.problems.append(f"{at}: {len(value)} characters; at most {most}")
            return _clean(value[:most])
        return _clean(value)

    def _flag(self, at: str, value: object, *, default: bool) -> bool:
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        self.problems.append(f"{at}: must be true or false")
        return default


def _clean(text: str) -> str:
    """Without what cannot be shown or sent on: control characters, and halves of characters."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))


def _unpacked(value: object) -> object:
    """Some models send a list or an object as a string of JSON."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _names(word: str, option: Option) -> bool:
    return bool(word) and word.casefold() in (option.id.casefold(), option.label.casefold())


def _recommended(option: Option, wanted: str) -> Option:
    return msgspec.structs.replace(option, recommended=True) if _names(wanted, option) else option


def _short(text: str) -> str:
    """As an id: an option's words are its id as long as they are not too many."""
    if len(text) <= LONGEST_ID:
        return text
    return f"{text[:60]}~{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:12]}"
