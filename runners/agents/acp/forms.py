"""ACP's elicitation forms as questions of one card, and the answers as the form's content. Pure."""

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

from bot.wire.types import ALLOW, DENY, Option, QuestionKind
from runners.agents.base import Chosen, Inquiry, Text
from runners.agents.text import heading, one_line, prose

_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MARK = re.compile(r"\s*\((?:recommended|default)\)\s*$", re.IGNORECASE)
_OTHERS = {"other", "custom", "note", "text", "freetext", "free_text", "answer", "user_note"}
_NONE = {"other", "none of the above", "none of these", "something else"}
MAX_OPTIONS = 100


@dataclass(frozen=True)
class Field:
    """One question of a form."""

    name: str
    schema: object
    inquiry: Inquiry
    values: dict[str, str | bool]
    """Option id → the value to send."""
    other: str = ""
    """The form's own field for free text beside a choice."""
    none: str | bool = ""
    """What to choose when that field is used."""


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
    head, rest = heading(message or schema.title or "The agent asks")
    found = []
    for number, name in enumerate(asked, 1):
        inquiry, values = _inquiry(name, properties[name])
        other = companions.get(name, "")
        inquiry, none = _without_other(inquiry) if other else (inquiry, "")
        title, about = _words(properties[name], name)
        if len(asked) > 1:
            context = [head, rest, about] if number == 1 else [about]  # they stand on one card
        elif title.endswith("?") and not head.endswith("?"):  # some agents head every form with the same words
            context = [head, rest, about]
        else:
            own = "" if title.lower() in (head.lower(), name.lower()) else title
            extra = prose(schema.description or "", 4000)
            title, context = head, [rest, extra, own, about]
        inquiry = replace(inquiry, title=title, context="\n".join(dict.fromkeys(filter(None, context))))
        found.append(Field(name, properties[name], inquiry, values, other, values.get(none, "") if none else ""))
    return found


def confirmation(message: str, schema: ElicitationSchema) -> Inquiry:
    """A form without fields asks for a yes, which words never give."""
    title, rest = heading(message or schema.title or "The agent asks to go on")
    return Inquiry(
        QuestionKind.PERMISSION,
        title,
        "\n".join(filter(None, (rest, prose(schema.description or "", 4000)))),
        options=(Option(ALLOW, "Allow"), Option(DENY, "Deny")),
        allow_text=False,
    )


def _words(schema: object, name: str) -> tuple[str, str]:
    """The field's question, and what else it says: agents put either into ``title``."""
    title = one_line(getattr(schema, "title", None) or "")
    about = prose(getattr(schema, "description", None) or "", 4000)
    if about.endswith("?") and "\n" not in about and not title.endswith("?"):
        return about, title
    return (title, about) if title else (one_line(about or name), "")


def _without_other(inquiry: Inquiry) -> tuple[Inquiry, str]:
    """An option that only says “look at my text field” is no option for people: they just write."""
    none = next((option.id for option in inquiry.options if option.label.casefold().strip(" .…") in _NONE), "")
    return replace(inquiry, options=tuple(option for option in inquiry.options if option.id != none)), none


def value(field: Field, answer: Chosen | Text) -> dict[str, Any]:
    """The part of the form's content that this answer fills. Raises NotThat or NoneOfThese."""
    text = answer.text.strip()
    if isinstance(answer, Chosen):
        ids = (answer.options or (answer.option,)) if answer.option or answer.options else ()
        if any(id_ not in field.values for id_ in ids) or not (ids or field.inquiry.multiple):
            raise NotThat("That option is not one of the form's.")
        chosen = [field.values[id_] for id_ in dict.fromkeys(ids)]
        if isinstance(field.schema, ElicitationMultiSelectPropertySchema):
            return {field.name: _counted(field.schema, chosen)}
        return {field.name: chosen[0]}
    match field.schema:
        case ElicitationIntegerPropertySchema() | ElicitationNumberPropertySchema():
            return {field.name: _number(field.schema, text)}
        case ElicitationMultiSelectPropertySchema():
            return _several(field, text)
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
        return {field.other: text} | ({field.name: field.none} if field.none else {})
    raise NoneOfThese(text)


def _several(field: Field, text: str) -> dict[str, Any]:
    whole = _named(field, text)
    wanted = [part.strip() for part in re.split(r"[,;\n]", text) if part.strip()]
    found = [whole] if whole else [_named(field, part) for part in wanted]
    if found and None not in found:
        named = [field.values[option] for option in dict.fromkeys(found) if option]
        assert isinstance(field.schema, ElicitationMultiSelectPropertySchema)
        return {field.name: _counted(field.schema, named)}
    if field.other:
        return {field.other: text} | ({field.name: [field.none]} if field.none else {})
    if any(found):  # meant as a choice, and one of the names is mistyped
        raise NotThat("Name one or more of: " + ", ".join(option.label for option in field.inquiry.options))
    raise NoneOfThese(text)


def _counted(schema: ElicitationMultiSelectPropertySchema, chosen: list[str | bool]) -> list[str | bool]:
    least, most = schema.min_items or 0, schema.max_items
    if len(chosen) < least:
        raise NotThat(f"At least {least} must be chosen.")
    if most is not None and len(chosen) > most:
        raise NotThat(f"At most {most} may be chosen.")
    return chosen


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


def told(field: Field, answer: Chosen | Text) -> str:
    """The answer in words."""
    if isinstance(answer, Text):
        return answer.text.strip()
    ids = answer.options or (answer.option,)
    return ", ".join(option.label for option in field.inquiry.options if option.id in ids) or "none of them"


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
            return replace(inquiry, multiple=True), values
        case ElicitationMultiSelectPropertySchema(items=StringMultiSelectItems(enum=consts)) if consts:
            inquiry, values = _choice(name, ((c, c, "") for c in consts), None)
            return replace(inquiry, multiple=True), values
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
    choices = [name for name, schema in properties.items() if _is_choice(schema)]
    strings = [n for n, s in properties.items() if isinstance(s, ElicitationStringPropertySchema)]
    texts = [name for name in strings if name not in choices and name not in required]
    found: dict[str, str] = {}
    for choice in choices:
        for text in texts:
            suffix = text.removeprefix(choice).strip("_-.: ").casefold() if text.startswith(choice) else ""
            alone = len(choices) == 1 and text.casefold().strip("_-") in _OTHERS
            if text not in found.values() and (suffix in _OTHERS or alone):
                found[choice] = text
                break
    return found


def _is_choice(schema: object) -> bool:
    if isinstance(schema, ElicitationStringPropertySchema):
        return schema.one_of is not None or schema.enum is not None
    return isinstance(schema, ElicitationMultiSelectPropertySchema)
