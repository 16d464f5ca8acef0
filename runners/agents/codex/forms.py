"""An MCP server's form as questions, and the answers as its content. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.wire.types import Option, QuestionKind
from runners.agents.base import Chosen, Inquiry, Text
from runners.agents.codex.rpc import Json, table
from runners.agents.text import heading, one_line, prose

MOST_OPTIONS = 100


@dataclass(frozen=True)
class Field:
    """One question. ``values`` are what its options stand for, by option id."""

    name: str
    schema: Json
    inquiry: Inquiry
    values: dict[str, str | bool]


class NotThat(Exception):
    """The answer does not fit the field; the message says what would."""


def fields(params: Json, name: str) -> tuple[Field, ...]:
    properties = table(table(params.get("requestedSchema")).get("properties"))
    head, rest = heading(str(params.get("message") or "A tool asks"))
    found = []
    entries = [(word, about) for word, about in properties.items() if isinstance(about, dict)]
    for word, about in entries:
        title = one_line(str(about.get("title") or ""))
        text = prose(str(about.get("description") or ""), 4000)
        if len(entries) == 1:
            lines = (rest, title if title.lower() not in (head.lower(), word.lower()) else "", text)
            title = head
        else:
            lines = (head, rest, text)
            title = title or one_line(word)
        inquiry, values = _inquiry(about)
        context = "\n".join(dict.fromkeys(line for line in lines if line))
        found.append(Field(word, about, replace(inquiry, title=title, context=context, key=f"{name}/{word}"), values))
    return tuple(found)


def _inquiry(schema: Json) -> tuple[Inquiry, dict[str, str | bool]]:
    match schema:
        case {"type": "boolean"}:
            values: dict[str, str | bool] = {"yes": True, "no": False}
            default = schema.get("default")
            offered = tuple(Option(i, i.capitalize(), recommended=default is values[i]) for i in values)
            return Inquiry(QuestionKind.CHOICE, "", options=offered), values
        case {"type": "array", "items": {"anyOf": list(titled)}}:
            return _choice(_pairs(titled), schema, multiple=True)
        case {"type": "array", "items": {"enum": list(words)}}:
            return _choice([(str(word), str(word)) for word in words], schema, multiple=True)
        case {"oneOf": list(titled)}:
            return _choice(_pairs(titled), schema)
        case {"enum": list(words)}:
            names = schema.get("enumNames")
            names = names if isinstance(names, list) and len(names) == len(words) else words
            return _choice([(str(word), str(name)) for word, name in zip(words, names, strict=True)], schema)
        case _:
            return Inquiry(QuestionKind.TEXT, ""), {}


def _pairs(titled: list[Any]) -> list[tuple[str, str]]:
    return [
        (str(o["const"]), str(o.get("title") or o["const"])) for o in titled if isinstance(o, dict) and "const" in o
    ]


def _choice(
    pairs: Sequence[tuple[str, str]], schema: Json, *, multiple: bool = False
) -> tuple[Inquiry, dict[str, str | bool]]:
    values: dict[str, str | bool] = {}
    offered = []
    for number, (const, title) in enumerate(pairs[:MOST_OPTIONS], 1):
        values[f"option-{number}"] = const
        label = one_line(title, 3000) or f"Option {number}"
        offered.append(Option(f"option-{number}", label, recommended=const == schema.get("default")))
    return Inquiry(QuestionKind.CHOICE, "", options=tuple(offered), multiple=multiple), values


def value(field: Field, answer: Chosen | Text) -> Any:
    """What this answer puts into the form. Raises NotThat."""
    text = answer.text.strip()
    if isinstance(answer, Chosen):
        chosen = [field.values[option] for option in answer.options or (answer.option,) if option in field.values]
        if not chosen and not (field.inquiry.multiple and not answer.option):
            raise NotThat("That is not one of the form's options.")
        return chosen if field.inquiry.multiple else chosen[0]
    if field.inquiry.multiple:
        named = [_named(field, word) for word in text.split(",") if word.strip()]
        return [field.values[option] for option in dict.fromkeys(named)]
    if field.values:
        return field.values[_named(field, text)]
    return _typed(field.schema, text)


def _named(field: Field, text: str) -> str:
    wanted = text.strip().casefold()
    for option in field.inquiry.options:
        if wanted in (option.label.casefold(), str(field.values[option.id]).casefold()):
            return option.id
    raise NotThat("Name one of: " + ", ".join(option.label for option in field.inquiry.options))


def _typed(schema: Json, text: str) -> Any:
    match schema.get("type"):
        case "integer" | "number" as kind:
            return _number(schema, text, whole=kind == "integer")
        case _:
            least, most = schema.get("minLength"), schema.get("maxLength")
            if isinstance(least, int) and len(text) < least:
                raise NotThat(f"At least {least} characters are needed.")
            if isinstance(most, int) and len(text) > most:
                raise NotThat(f"At most {most} characters are taken; that was {len(text)}.")
            return text


def _number(schema: Json, text: str, *, whole: bool) -> int | float:
    try:
        number = int(text) if whole else float(text)
    except ValueError:
        raise NotThat("A whole number is needed." if whole else "A number is needed.") from None
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float) and number < least:
        raise NotThat(f"At least {least:g} is needed.")
    if isinstance(most, int | float) and number > most:
        raise NotThat(f"At most {most:g} is taken.")
    return number
