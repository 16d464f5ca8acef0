"""ACP's elicitation forms as questions, one at a time, and the answers as the form's content. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from acp.schema import (
    ElicitationBooleanPropertySchema,
    ElicitationIntegerPropertySchema,
    ElicitationMultiSelectPropertySchema,
    ElicitationNumberPropertySchema,
    ElicitationSchema,
    ElicitationStringPropertySchema,
    StringMultiSelectItems,
    TitledMultiSelectItems,
)

from bot.wire.types import Option, QuestionKind
from runners.agents.base import Chosen, Inquiry, Text
from runners.agents.text import heading, one_line, prose

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MARK = re.compile(r"\s*\((?:recommended|default)\)\s*$", re.IGNORECASE)
MAX_OPTIONS = 100


@dataclass(frozen=True)
class Field:
    """One question of a form. ``other`` names the form's own free-text field that goes with a choice."""

    name: str
    schema: object
    inquiry: Inquiry
    values: dict[str, str | bool]
    """Option id → the value to send."""
    required: bool
    other: str = ""


class NotThat(Exception):
    """The answer does not fit the field."""


class NoneOfThese(Exception):
    """Free text on a choice that knows only its options: it goes back to the agent as words."""


def fields(message: str, schema: ElicitationSchema) -> list[Field]:
    """The form's questions, in its order."""
    properties = schema.properties or {}
    required = set(schema.required or [])
    companions = _companions(properties, required)
    asked = [name for name in properties if name not in companions.values()]
    title, rest = heading(message or schema.title or "The agent asks")
    found = []
    for number, name in enumerate(asked, 1):
        inquiry, values = _inquiry(name, properties[name])
        own = one_line(getattr(properties[name], "title", None) or "")
        about = prose(getattr(properties[name], "description", None) or "", 4000)
        if len(asked) > 1:
            step = f"{title} ({number} of {len(asked)})"
            inquiry = replace(inquiry, title=own or about or one_line(name), context=_join(step, rest, about))
            if inquiry.title == about:
                inquiry = replace(inquiry, context=_join(step, rest))
        else:
            extra = prose(schema.description or "", 4000)
            own = "" if own.lower() in (title.lower(), name.lower()) else own
            inquiry = replace(inquiry, title=title, context=_join(rest, extra, own, about))
        found.append(Field(name, properties[name], inquiry, values, name in required, companions.get(name, "")))
    return found


def value(field: Field, answer: Chosen | Text) -> dict[str, Any]:
    """The part of the form's content that this answer fills. Raises NotThat or NoneOfThese."""
    text = answer.text.strip()
    if isinstance(answer, Chosen):
        chosen = field.values.get(answer.option)
        if chosen is None:
            raise NotThat("That option is not one of the form's.")
        return {field.name: [chosen] if isinstance(field.schema, ElicitationMultiSelectPropertySchema) else chosen}
    match field.schema:
        case ElicitationIntegerPropertySchema() | ElicitationNumberPropertySchema():
            return {field.name: _number(field.schema, text)}
        case ElicitationMultiSelectPropertySchema():
            return {field.name: _several(field, text)}
        case _ if field.values:
            return _one_of(field, text)
        case ElicitationStringPropertySchema(min_length=least, max_length=most):
            if least and len(text) < least:
                raise NotThat(f"At least {least} characters are needed.")
            if most and len(text) > most:
                raise NotThat(f"At most {most} characters are taken; that was {len(text)}.")
    return {field.other or field.name: text}


def _one_of(field: Field, text: str) -> dict[str, Any]:
    if option := _named(field, text):
        return {field.name: field.values[option]}
    if field.other:
        return {field.other: text}
    raise NoneOfThese(text)


def _several(field: Field, text: str) -> list[str]:
    wanted = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    found = [_named(field, part) for part in wanted]
    if not found or None in found:
        names = ", ".join(option.label for option in field.inquiry.options)
        raise NotThat(f"Name one or more of: {names}")
    return [str(field.values[option]) for option in dict.fromkeys(found) if option]


def _named(field: Field, text: str) -> str | None:
    wanted = text.strip().casefold()
    for option in field.inquiry.options:
        if wanted in (option.label.casefold(), option.id.casefold(), str(field.values[option.id]).casefold()):
            return option.id
    return None


def _number(schema: ElicitationIntegerPropertySchema | ElicitationNumberPropertySchema, text: str) -> int | float:
    whole = isinstance(schema, ElicitationIntegerPropertySchema)
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        raise NotThat("A whole number is needed." if whole else "A number is needed.") from None
    if schema.minimum is not None and number < schema.minimum:
        raise NotThat(f"At least {schema.minimum} is needed.")
    if schema.maximum is not None and number > schema.maximum:
        raise NotThat(f"At most {schema.maximum} is taken.")
    return number


def _inquiry(name: str, schema: object) -> tuple[Inquiry, dict[str, str | bool]]:
    """The question without its title, and what its options stand for."""
    match schema:
        case ElicitationBooleanPropertySchema(default=default):
            values: dict[str, str | bool] = {"yes": True, "no": False}
            options = tuple(Option(i, i.capitalize(), recommended=default is values[i]) for i in values)
            return Inquiry(QuestionKind.CHOICE, name, options=options), values
        case ElicitationStringPropertySchema(one_of=titled, default=default) if titled:
            return _choice(name, ((o.const, o.title, o.description or "") for o in titled), default)
        case ElicitationStringPropertySchema(enum=consts, default=default) if consts:
            return _choice(name, ((c, c, "") for c in consts), default)
        case ElicitationMultiSelectPropertySchema(items=TitledMultiSelectItems(any_of=titled)) if titled:
            inquiry, values = _choice(name, ((o.const, o.title, o.description or "") for o in titled), None)
            return inquiry, values
        case ElicitationMultiSelectPropertySchema(items=StringMultiSelectItems(enum=consts)) if consts:
            return _choice(name, ((c, c, "") for c in consts), None)
        case _:
            return Inquiry(QuestionKind.TEXT, name), {}


def _choice(
    name: str, triples: Iterable[tuple[str, str, str]], default: str | None
) -> tuple[Inquiry, dict[str, str | bool]]:
    values: dict[str, str | bool] = {}
    options: list[Option] = []
    for number, (const, title, about) in enumerate(triples, 1):
        if number > MAX_OPTIONS:
            break
        marked = bool(_MARK.search(title))
        label = one_line(_MARK.sub("", title), 3000) or f"Option {number}"
        id_ = const if _PLAIN.fullmatch(const) and const not in values else f"option-{number}"
        values[id_] = const
        options.append(Option(id_, label, prose(about, 3000), recommended=marked or const == default))
    return Inquiry(QuestionKind.CHOICE, name, options=tuple(options)), values


def _companions(properties: dict[str, Any], required: set[str]) -> dict[str, str]:
    """Choices with a free-text field of their own: ``index`` and ``index_other``, or just ``other`` beside one."""
    strings = {n: s for n, s in properties.items() if isinstance(s, ElicitationStringPropertySchema)}
    choices = [n for n, s in strings.items() if s.one_of is not None or s.enum is not None]
    texts = [n for n in strings if n not in choices and n not in required]
    found: dict[str, str] = {}
    for choice in choices:
        for text in texts:
            suffix = text.removeprefix(choice).strip("_-.: ").casefold() if text.startswith(choice) else ""
            alone = len(choices) == 1 and text.casefold().strip("_-") in _OTHERS
            if text not in found.values() and (suffix in _OTHERS or alone):
                found[choice] = text
                break
    return found


_OTHERS = {"other", "custom", "note", "text", "freetext", "free_text", "answer", "user_note"}


def _join(*parts: str) -> str:
    return "\n".join(dict.fromkeys(part for part in parts if part))
