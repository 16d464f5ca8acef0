"""What agents and scripts send as a call, and what is made of it."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wire.types import QuestionKind, Urgency
from runners.ask.calls import DEFAULT_WITHIN, BadCall, Call, duration, parse
from tests.runners.ask.desk import NOW


def call(*questions: Any, **more: Any) -> Call:
    return parse({"questions": list(questions), **more}, NOW)


def problems(arguments: object) -> str:
    with pytest.raises(BadCall) as caught:
        parse(arguments, NOW)
    return str(caught.value)


def test_several_questions_of_every_kind() -> None:
    found = call(
        {"question": "Which index?", "context": "FTS is shipped.", "options": ["FTS", {"label": "Tantivy"}]},
        {"question": "Which pages?", "options": ["Home", "Search"], "multiple": True},
        "What is it called?",
    )
    first, second, third = found.questions
    assert (first.kind, first.title, first.context, first.allow_text) == (
        QuestionKind.CHOICE, "Which index?", "FTS is shipped.", True,
    )  # fmt: skip
    assert [(option.id, option.label) for option in first.options] == [("FTS", "FTS"), ("Tantivy", "Tantivy")]
    assert (second.multiple, third.kind, third.urgency) == (True, QuestionKind.TEXT, Urgency.BLOCKING)


def test_an_assumed_question_has_a_default_and_a_deadline() -> None:
    [found] = call({"question": "Which?", "options": ["FTS", "Tantivy"], "default": "fts", "within": "30m"}).questions
    assert (found.urgency, found.default, found.until) == (Urgency.ASSUMED, "FTS", NOW + timedelta(minutes=30))
    [found] = call({"question": "Name?", "urgency": "assumed", "default": "Bluebird"}).questions
    assert (found.default, found.until) == ("Bluebird", NOW + DEFAULT_WITHIN)


def test_what_an_agent_calls_urgent_is_blocking() -> None:
    [found] = call({"question": "Which?", "urgency": "urgent", "default": "a", "options": ["a", "b"]}).questions
    assert (found.urgency, found.default, found.until) == (Urgency.BLOCKING, "", None)
    assert [option.recommended for option in found.options] == [True, False]


def test_what_models_really_send_is_understood() -> None:
    assert parse({"questions": '[{"question": "Which?", "options": "[\\"a\\", \\"b\\"]"}]'}, NOW) == call(
        {"question": "Which?", "options": ["a", "b"]}
    )
    assert parse('{"questions": ["Why?"]}', NOW) == call("Why?")
    assert parse({"question": "Why?", "id": 7}, NOW) == call("Why?", id="7")
    [found] = call({"question": "Which of these two should be the one?\nFTS is shipped.", "context": "More."}).questions
    assert (found.title, found.context) == ("Which of these two should be the one?", "FTS is shipped.\nMore.")
    [found] = call({"question": "x" * 400}).questions
    assert found.title.endswith("…")
    assert found.context == "x" * 400


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (None, "arguments: must be an object"),
        ([], "arguments: must be an object"),
        ({}, "questions: must be a list"),
        ({"questions": []}, "at least one"),
        ({"questions": [{"question": " "}]}, "questions[0].question: is empty"),
        ({"questions": [{"question": 5, "options": 5}]}, "questions[0].options: must be a list"),
        ({"questions": [{"question": ["a"]}]}, "questions[0].question: must be a string"),
        ({"questions": [{"question": "?", "options": [f"{n}" for n in range(40)]}]}, "40 of them; offer at most 25"),
        ({"questions": [{"question": "?", "options": ["a", "a"]}]}, "the label “a” stands there twice"),
        ({"questions": [{"question": "?", "options": ["a", {}]}]}, "questions[0].options[1]: is empty"),
        ({"questions": ["?"] * 11}, "11 at once; at most 10"),
        ({"questions": [{"question": "?", "urgency": "soon"}]}, "must be blocking or assumed"),
        ({"questions": [{"question": "?", "urgency": "assumed"}]}, "says what you go on with"),
        ({"questions": [{"question": "?", "options": ["a"], "default": "b"}]}, "“b” is none of its options: “a”"),
        ({"questions": [{"question": "?", "default": "b", "within": "soon"}]}, "must be a time such as 30m"),
        ({"questions": [{"question": "?", "default": "b", "within": True}]}, "must be a time such as 30m"),
        ({"questions": [{"question": "?", "options": ["a"], "multiple": True, "default": "a"}]}, "one default"),
        ({"questions": [{"question": "?", "context": "x" * 30_000}]}, "30000 characters; at most 20000"),
        ({"questions": [{"question": "?", "colour": 1}]}, "“colour” is unknown"),
    ],
)
def test_what_cannot_be_asked_is_said_with_the_fix(arguments: object, words: str) -> None:
    assert words in problems(arguments)


def test_all_problems_come_at_once() -> None:
    found = problems({"questions": [{"question": ""}, {"question": "?", "options": 5}], "x": 1})
    assert len(found.splitlines()) == 3


def test_the_same_words_are_the_same_question() -> None:
    asked = {"question": "Which index?", "options": ["FTS", "Tantivy"]}
    key = call(asked).key
    assert call({**asked, "question": " which  index?", "context": "told anew", "default": "FTS"}).key == key
    assert call({**asked, "options": ["FTS"]}).key != key
    assert call(asked, id="second").key == "ask:second"
    assert call(asked, "And?").key != key


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1 d", 86400), ("90s", 90), ("15", 900), ("20 min", 1200)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "m", "-5m", "5x", "1.5.2", "5m!", "9" * 30, "999999d" * 2000])
def test_no_durations(text: str) -> None:
    assert duration(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["questions", "question", "options", "label", "id", "default", "within", "urgency", "multiple", "context"]
    ), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_nothing_that_json_can_say_breaks_it(value: object) -> None:
    with contextlib.suppress(BadCall):
        found = parse(value, NOW)
        assert found.questions
        assert found.key
