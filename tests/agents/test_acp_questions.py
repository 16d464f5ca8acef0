"""Questions in permission requests, as Qwen Code 0.24.4 sends them; our own ask tool among the calls."""

from __future__ import annotations

from typing import Any

import pytest

from bot.wire.types import QuestionKind
from runners.agents.acp.asks import is_own_ask, is_own_form
from runners.agents.acp.calls import Call
from runners.agents.acp.questions import answers, inquiries
from runners.agents.base import Chosen, Text, Unanswered

OPTIONS = [{"label": "FTS", "description": "shipped"}, {"label": "Tantivy"}]
PARTS = [{"label": "A"}, {"label": "B"}]
ASKED = {
    "questions": [
        {"question": "Which index?", "header": "Index", "multiSelect": False, "options": OPTIONS},
        {"question": "Which parts?", "header": "Parts", "multiSelect": True, "options": PARTS},
        {"question": "What is it called?"},
    ]
}


def test_each_question_is_asked_as_it_is() -> None:
    index, parts, name = inquiries(Call(raw=ASKED))
    assert (index.title, index.context, index.multiple) == ("Which index?", "Index", False)
    assert [(o.label, o.description) for o in index.options] == [("FTS", "shipped"), ("Tantivy", "")]
    assert parts.multiple
    assert name.kind is QuestionKind.TEXT


def test_answers_go_back_by_position() -> None:
    asked = inquiries(Call(raw=ASKED))
    given = (Chosen("o1"), Chosen("o0", options=("o0", "o1")), Text("Player"))
    assert answers(asked, given) == {"0": "Tantivy", "1": "A, B", "2": "Player"}
    assert answers(asked, (Text("grep"), Chosen(""), Text("x"))) == {"0": "grep", "1": "None of these", "2": "x"}
    assert answers(asked, (Chosen("o1"), Unanswered("gone"), Text("x"))) is None


@pytest.mark.parametrize(
    "raw", [None, "x", {}, {"questions": "x"}, {"questions": [{"question": 3}]}, {"questions": [None]}]
)
def test_what_is_no_question_is_none(raw: Any) -> None:
    assert inquiries(Call(raw=raw)) == ()


@pytest.mark.parametrize(
    "call",
    [
        Call(title="mcp__switchboard__ask_human", kind="other"),
        Call(title="switchboard_ask_human", raw={"questions": []}),
        Call(title="ask_human (switchboard MCP Server): {…}", kind="read"),
        Call(title='{"questions":[]}', tool="mcp__switchboard__ask_human", kind="read"),
    ],
)
def test_our_own_tool_is_known_by_its_name(call: Call) -> None:
    assert is_own_ask(call)


@pytest.mark.parametrize(
    "call",
    [
        Call(title="switchboard_ask_human", kind="execute"),
        Call(title="switchboard_ask_human", raw={"command": "rm -rf x"}),
        Call(title="switchboard_ask_human", diffs=(("a", "b", "c"),)),
        Call(title="switchboard_ask_human", tool="bash"),
        Call(title="rm -rf x # mcp__switchboard__ask_human"),
        Call(title="other_ask_human"),
        Call(),
    ],
)
def test_nothing_else_passes_for_it(call: Call) -> None:
    assert not is_own_ask(call)


def test_codexs_empty_form_for_it_is_known() -> None:
    meta = {"codex_approval_kind": "mcp_tool_call"}
    ours = 'Allow the switchboard MCP server to run tool "ask_human"?'
    assert is_own_form(ours, meta)
    assert not is_own_form(ours, {})
    assert not is_own_form('Allow the other MCP server to run tool "ask_human"?', meta)
