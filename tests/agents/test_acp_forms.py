"""Elicitation forms as questions, and answers as the form's content."""

from __future__ import annotations

from typing import Any

import pytest
from acp.schema import ElicitationSchema

from bot.wire.types import QuestionKind
from runners.agents.acp.forms import Field, NoneOfThese, NotThat, fields, value
from runners.agents.base import Chosen, Text

INDEX = {"type": "string", "oneOf": [{"const": "fts", "title": "FTS (Recommended)"}, {"const": "t v", "title": "T"}]}


def form(message: str = "Which?", required: tuple[str, ...] = (), **properties: Any) -> list[Field]:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return fields(message, ElicitationSchema.model_validate(schema))


def test_one_field_takes_the_message_as_its_title() -> None:
    (field,) = form("Which index?\nFTS is shipped.", index={**INDEX, "title": "Index", "description": "For search"})
    assert field.inquiry.title == "Which index?"
    assert field.inquiry.context == "FTS is shipped.\nFor search"
    assert [(o.id, o.label, o.recommended) for o in field.inquiry.options] == [
        ("fts", "FTS", True),
        ("option-2", "T", False),
    ]
    assert value(field, Chosen("option-2")) == {"index": "t v"}


def test_several_fields_stand_on_one_card() -> None:
    found = form("Set up", name={"type": "string", "title": "Name?"}, deep={"type": "boolean", "description": "Deep?"})
    assert [(f.inquiry.title, f.inquiry.kind, f.inquiry.context) for f in found] == [
        ("Name?", QuestionKind.TEXT, "Set up"),
        ("Deep?", QuestionKind.CHOICE, ""),
    ]
    assert value(found[1], Chosen("no")) == {"deep": False}


def test_free_text_goes_into_the_forms_own_field_for_it() -> None:
    (field,) = form(index=INDEX, index_other={"type": "string"})
    assert value(field, Text("grep")) == {"index_other": "grep"}
    assert value(field, Text("fts")) == {"index": "fts"}


def test_free_text_that_the_form_cannot_take_is_said_in_words() -> None:
    (field,) = form(index=INDEX)
    with pytest.raises(NoneOfThese, match="grep"):
        value(field, Text("grep"))


MULTI = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}


@pytest.mark.parametrize(
    ("schema", "text", "problem"),
    [
        ({"type": "integer"}, "three", "A whole number is needed."),
        ({"type": "integer", "minimum": 3}, "2", "At least 3 is needed."),
        ({"type": "number", "maximum": 1}, "1.5", "At most 1"),
        ({"type": "string", "minLength": 3}, "ab", "At least 3 characters"),
        (MULTI | {"minItems": 2}, "a", "At least 2 must be chosen."),
        (MULTI | {"maxItems": 1}, "a, b", "At most 1 may be chosen."),
        ({"type": "string", "maxLength": 3}, "abcd", "At most 3 characters are taken; that was 4."),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}, "a, z", "Name one or more of: a, b"),
    ],
)
def test_what_does_not_fit_is_said(schema: dict[str, Any], text: str, problem: str) -> None:
    (field,) = form(x=schema)
    with pytest.raises(NotThat, match=problem):
        value(field, Text(text))


@pytest.mark.parametrize(
    ("schema", "text", "content"),
    [
        ({"type": "integer"}, " 3 ", 3),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "string"}, " as it is ", "as it is"),
        ({"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}, "B; a", ["b", "a"]),
        ({"type": "boolean"}, "Yes", True),
        ({"type": "string", "enum": []}, "anything", "anything"),
    ],
)
def test_what_fits_is_sent_as_the_form_wants_it(schema: dict[str, Any], text: str, content: Any) -> None:
    (field,) = form(x=schema)
    assert value(field, Text(text)) == {"x": content}


def test_a_form_of_codex() -> None:
    """As codex-acp 2.6.0 sends what its model asks with ``request_user_input``."""
    options = [{"const": "FTS", "title": "FTS"}, {"const": "None of the above", "title": "None of the above"}]
    (field,) = form(
        "Codex needs your input to continue.",
        ("q1",),
        q1={"type": "string", "title": "Which index?", "description": "Index", "oneOf": options},
        q1_note={"type": "string", "title": "Additional answer or note"},
    )
    assert field.inquiry.title == "Which index?"
    assert field.inquiry.context == "Codex needs your input to continue.\nIndex"
    assert [option.label for option in field.inquiry.options] == ["FTS"]
    assert value(field, Chosen("FTS")) == {"q1": "FTS"}
    assert value(field, Text("grep")) == {"q1": "None of the above", "q1_note": "grep"}


def test_a_form_of_claude_code() -> None:
    """As claude-agent-acp 0.101.0 sends AskUserQuestion."""
    one, other = {"const": "A", "title": "A", "description": "first"}, {"type": "string", "title": "Other"}
    found = form(
        "Please answer the following questions.",
        question_0={"type": "string", "title": "Index", "description": "Which index?", "oneOf": [one]},
        question_0_custom=other,
        question_1={"type": "array", "title": "Parts", "description": "Which parts?", "items": {"anyOf": [one]}},
        question_1_custom=other,
    )
    assert [f.inquiry.title for f in found] == ["Which index?", "Which parts?"]
    assert found[0].inquiry.context == "Please answer the following questions.\nIndex"
    assert found[1].inquiry.context == "Parts"
    assert [f.inquiry.multiple for f in found] == [False, True]
    assert value(found[0], Text("B")) == {"question_0_custom": "B"}
    assert value(found[1], Text("a")) == {"question_1": ["A"]}
    assert value(found[1], Text("B, C")) == {"question_1_custom": "B, C"}


def test_options_with_equal_values_stay_apart() -> None:
    (field,) = form(x={"type": "string", "enum": ["a", "a", "b" * 80]})
    assert [option.id for option in field.inquiry.options] == ["a", "option-2", "option-3"]


def test_a_form_without_fields_asks_nothing() -> None:
    assert form() == []
