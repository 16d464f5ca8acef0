"""What Claude Code's hooks say and hear, and the settings that name them. Pure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, REVISE, QuestionKind, Share
from runners.agents.base import (
    Answered,
    BackgroundChanged,
    Chosen,
    PlanChanged,
    Said,
    Text,
    ToolEnded,
    ToolStarted,
    Trouble,
    Unanswered,
)
from runners.attach import hooks
from runners.attach.hooks import Heard

RULES = [{"type": "addRules", "behavior": "allow", "destination": "localSettings",
          "rules": [{"toolName": "Bash", "ruleContent": "npm test:*"}]}]  # fmt: skip


def heard(event: str, **said: Any) -> Heard:
    found = hooks.heard({"said": {"hook_event_name": event, "session_id": "s", **said}, "pid": 7})
    assert found is not None
    return found


def permission(tool: str, **given: Any) -> Heard:
    return heard("PermissionRequest", tool_name=tool, tool_input=given)


def decided(one: Heard, *answers: Answered) -> dict[str, Any]:
    words = hooks.decision(one, hooks.inquiries(one, "key"), answers)
    found: dict[str, Any] = json.loads(words)["hookSpecificOutput"]
    assert found["hookEventName"] == "PermissionRequest"
    decision: dict[str, Any] = found["decision"]
    return decision


def test_a_command_is_asked_for_word_for_word_and_allowed_or_denied_with_the_reason() -> None:
    one = permission("Bash", command="rm -r build", description="Clean up")
    [inquiry] = hooks.inquiries(one, "key")
    assert (inquiry.kind, inquiry.title, inquiry.detail) == (QuestionKind.PERMISSION, "Run rm -r build?", "rm -r build")
    assert (inquiry.context, inquiry.key) == ("Clean up", "key")
    assert [option.id for option in inquiry.options] == [ALLOW, DENY]
    given = {"command": "rm -r build", "description": "Clean up"}
    assert decided(one, Chosen(ALLOW)) == {"behavior": "allow", "updatedInput": given}
    assert decided(one, Chosen(DENY, "Not today")) == {"behavior": "deny", "message": "Not today"}
    assert decided(one, Chosen(DENY, "Stop", then_stop=True))["interrupt"] is True
    assert decided(one, Text("no"))["behavior"] == "deny"  # words never grant


def test_always_is_offered_as_the_terminal_offers_it_and_holds_for_this_session_only() -> None:
    one = heard("PermissionRequest", tool_name="Bash", tool_input={"command": "npm test"}, permission_suggestions=RULES)
    [inquiry] = hooks.inquiries(one, "key")
    assert inquiry.options[-1].id == ALWAYS
    assert "Bash(npm test:*)" in inquiry.options[-1].label
    [grant] = decided(one, Chosen(ALWAYS))["updatedPermissions"]
    assert (grant["destination"], grant["rules"]) == ("session", RULES[0]["rules"])


def test_a_change_of_a_file_is_told_with_less_where_less_is_shared() -> None:
    one = permission("Edit", file_path="/w/secret.py", old_string="a = 1\n", new_string="a = 2\nb = 3\n")
    [inquiry] = hooks.inquiries(one, "key")
    assert "+a = 2" in inquiry.words(Share.FULL).detail
    assert inquiry.words(Share.STAT).detail == "/w/secret.py +2 −1"
    none = inquiry.words(Share.NONE)
    assert (none.title, none.detail) == ("Edit a file?", "1 file +2 −1")


def test_a_tool_we_do_not_know_shows_its_arguments_only_where_code_is_shared() -> None:
    [inquiry] = hooks.inquiries(permission("mcp__db__query", sql="select 1\nfrom t", limit=5), "key")
    assert inquiry.title == "Use db › query?"
    assert "select 1" in inquiry.words(Share.FULL).detail
    assert inquiry.words(Share.STAT).detail == "sql: 2 lines\nlimit: 5"
    assert inquiry.words(Share.NONE).detail == "2 arguments"


def test_questions_of_one_call_are_answered_by_label_text_or_both() -> None:
    options = [{"label": "A"}, {"label": "B, and C"}]
    asked = [{"question": "One?", "options": options}, {"question": "Two?", "options": options, "multiSelect": True},
             {"question": "Three?", "options": options}]  # fmt: skip
    one = permission("AskUserQuestion", questions=asked)
    first, second, third = hooks.inquiries(one, "key")
    assert (first.multiple, second.multiple, third.key) == (False, True, "key.2")
    found = decided(one, Chosen("1"), Chosen("0", options=("0", "1")), Text("neither"))
    assert found["updatedInput"]["answers"] == {"One?": "B, and C", "Two?": "A, B, and C", "Three?": "neither"}
    assert found["updatedInput"]["questions"] == asked
    assert hooks.decision(one, (first, second, third), (Chosen("0"), Unanswered("gone"), Text("x"))) == ""


def test_a_plan_is_approved_or_sent_back_with_words() -> None:
    one = permission("ExitPlanMode", plan="1. Look\n2. Leap")
    [inquiry] = hooks.inquiries(one, "key")
    assert (inquiry.kind, inquiry.detail) == (QuestionKind.PLAN, "1. Look\n2. Leap")
    assert decided(one, Chosen(APPROVE))["behavior"] == "allow"
    assert "Look twice" in decided(one, Chosen(REVISE, "Look twice"))["message"]
    assert "Look twice" in decided(one, Text("Look twice"))["message"]


def test_a_sub_agents_request_says_so() -> None:
    one = heard(
        "PermissionRequest", tool_name="Bash", tool_input={"command": "ls"}, agent_id="a1", agent_type="Explore"
    )
    assert "In a sub-agent (Explore)" in hooks.inquiries(one, "key")[0].context


def test_progress_comes_of_tools_todos_sub_agents_and_the_end_of_a_turn() -> None:
    todos = [{"content": "Look", "status": "completed"}, {"content": "Leap", "status": "in_progress"}]
    (started,) = hooks.updates(
        heard("PreToolUse", tool_name="Read", tool_input={"file_path": "a.py"}, tool_use_id="t1")
    )
    assert started == ToolStarted("t1", "Read a.py", "read", ("a.py",))
    assert hooks.updates(heard("PostToolUseFailure", tool_use_id="t1")) == (ToolEnded("t1", ok=False),)
    ended = hooks.updates(heard("PostToolUse", tool_name="TodoWrite", tool_input={"todos": todos}, tool_use_id="t2"))
    assert isinstance(ended[1], PlanChanged)
    assert [step.title for step in ended[1].steps] == ["Look", "Leap"]
    tasks = [{"type": "shell", "description": "npm run dev", "status": "running"}, {"status": "completed"}]
    said = hooks.updates(heard("Stop", last_assistant_message="Done.", background_tasks=tasks))
    assert said == (Trouble(""), BackgroundChanged(("npm run dev",)), Said("Done."))
    assert hooks.updates(heard("Notification", message="Claude is waiting for your input")) == ()
    assert "Notification" not in hooks.EVENTS  # that somebody is idle is no evidence of a question


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["hook_event_name", "session_id", "tool_name", "tool_input", "tool_use_id", "questions", "options", "label",
     "permission_suggestions", "rules", "todos", "background_tasks", "plan", "command", "edits", "agent_id"]
)  # fmt: skip
NEAR = st.recursive(
    JSON, lambda each: st.dictionaries(KEYS, each, max_size=6) | st.lists(each, max_size=3), max_leaves=12
)


@given(
    event=st.sampled_from([*hooks.EVENTS, "Unheard"]),
    tool=st.sampled_from(["Bash", "Edit", "MultiEdit", "AskUserQuestion", "ExitPlanMode", "TodoWrite", "X"]),
    given_=NEAR,
    more=st.dictionaries(KEYS, NEAR, max_size=5),
)
def test_whatever_a_hook_is_given_it_is_read(event: str, tool: str, given_: Any, more: dict[str, Any]) -> None:
    said = {**more, "hook_event_name": event, "tool_name": tool, "tool_input": given_}
    one = hooks.heard({"said": said, "pid": "x"})
    assert one is not None
    hooks.updates(one)
    asked = hooks.inquiries(one, "key")
    assert asked
    for answer in (Chosen(ALLOW), Chosen("0"), Text("words"), Unanswered("gone")):
        words = hooks.decision(one, asked, [answer] * len(asked))
        assert words == "" or json.loads(words)["hookSpecificOutput"]["decision"]["behavior"] in ("allow", "deny")


@pytest.mark.parametrize("nonsense", [None, [], 1, "x", {}, {"said": 1}, {"said": {"hook_event_name": 1}}])
def test_what_is_no_hooks_input_is_nothing(nonsense: object) -> None:
    assert hooks.heard(nonsense) is None
