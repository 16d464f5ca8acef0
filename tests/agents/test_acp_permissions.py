"""Permission requests as questions: the exact command or diff, one line that stands alone, options by kind."""

from __future__ import annotations

import pytest
from acp.schema import PermissionOption

from bot.wire.types import ALLOW, DENY, QuestionKind
from runners.agents.acp.calls import Call
from runners.agents.acp.permissions import Ruling, permission_inquiry, plan_inquiry, ruling
from runners.agents.base import Chosen, Text, Unanswered

CWD = "/trees/x"
OPTIONS = [
    PermissionOption(option_id="1", name="Never", kind="reject_always"),
    PermissionOption(option_id="2", name="Always", kind="allow_always"),
    PermissionOption(option_id="3", name="No", kind="reject_once"),
    PermissionOption(option_id="4", name="Yes", kind="allow_once"),
]


@pytest.mark.parametrize(
    ("call", "title", "detail"),
    [
        (Call("Shell", "execute", raw={"command": "make test"}), "Run make test?", "make test"),
        (Call("x", "execute", raw={"command": ["rm", "a b"]}), "Run rm 'a b'?", "rm 'a b'"),
        (Call("x", "execute", raw={"command": "a\nb"}), "Run a b?", "a\nb"),
        (
            Call("Edit", "edit", ("a.py",), diffs=(("a.py", "x\n", "y\n"),)),
            "Edit a.py?",
            "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y",
        ),
        (Call("Ask the tracker", "other", raw={"id": 7}), "Ask the tracker?", '{\n  "id": 7\n}'),
        (Call(), "Go ahead with this step?", ""),
    ],
)
def test_what_is_asked(call: Call, title: str, detail: str) -> None:
    inquiry = permission_inquiry(call, CWD)
    assert inquiry.title == title
    assert inquiry.detail == detail
    assert [option.id for option in inquiry.options] == [ALLOW, DENY]


def test_a_long_command_is_cut_in_the_title_and_whole_below() -> None:
    command = "echo " + "x" * 500 + " && rm -rf /"
    inquiry = permission_inquiry(Call("bash", "execute", raw={"command": command}), CWD)
    assert len(inquiry.title) < 90
    assert inquiry.detail == command


def test_context_says_why_and_where_and_not_the_command_again() -> None:
    raw = {"command": "make", "description": "Builds it", "cwd": "/elsewhere"}
    call = Call("make", "execute", raw=raw, texts=("Needed for the test", "```\nmake\n```"))
    assert permission_inquiry(call, CWD).context == "Needed for the test\nBuilds it\nIn /elsewhere"


def test_a_plan_is_shown_whole() -> None:
    inquiry = plan_inquiry(Call("Ready to code?", "switch_mode", raw={"plan": "1. a\n2. b"}))
    assert (inquiry.kind, inquiry.title, inquiry.detail) == (
        QuestionKind.PLAN,
        "Go ahead with this plan?",
        "1. a\n2. b",
    )
    assert inquiry.allow_text


ASKED = permission_inquiry(Call("x", "execute", raw={"command": "make"}), CWD)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Chosen(ALLOW), Ruling("4")),
        (Chosen(DENY), Ruling("3")),
        (Chosen(DENY, then_stop=True), Ruling("3", stop=True)),
        (Chosen(DENY, "Later."), Ruling("3", "You asked: “Run make?” The answer was no. Later.")),
        (Text("yes please"), Ruling("3", "You asked: “Run make?” The answer was no. yes please")),
        (Unanswered("stopping"), Ruling(None)),
    ],
)
def test_answers_choose_by_kind_and_prefer_once(answer: Chosen | Text | Unanswered, expected: Ruling) -> None:
    assert ruling(ASKED, answer, OPTIONS) == expected


def test_without_a_fitting_option_nothing_is_granted() -> None:
    assert ruling(ASKED, Chosen(ALLOW), OPTIONS[:1]) == Ruling(None)
    assert ruling(ASKED, Chosen(DENY), OPTIONS[1:2]) == Ruling(None)
    assert ruling(ASKED, Chosen(ALLOW), OPTIONS[:2]) == Ruling("2")
