"""The pure parts: what Claude Code's messages come to in the port's words, whatever they look like."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wire.types import ALLOW, ALWAYS, DENY, Share
from runners.agents.base import Chosen, Text, TurnEnded, Unanswered, UsageChanged
from runners.agents.claude.course import Course
from runners.agents.claude.failures import fault, told_reset
from runners.agents.claude.permissions import granted, permission_inquiry, permission_ruling
from runners.agents.claude.program import arguments, environment, servers
from runners.agents.claude.questions import choice_input, choice_inquiries
from runners.agents.claude.translate import Translator

NOW = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
KINDS = st.sampled_from(
    ["assistant", "user", "system", "result", "rate_limit_event", "command_lifecycle", "conversation_reset"]
)
NAMES = st.sampled_from(
    ["subtype", "message", "content", "usage", "modelUsage", "tasks", "state", "tool_use_id", "error", "session_id",
     "rate_limit_info", "resetsAt", "status", "input", "name", "id", "type", "questions", "options", "is_error"]
)  # fmt: skip
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(KINDS, st.dictionaries(NAMES, ANYTHING, max_size=6))
def test_no_message_is_too_odd(kind: str, fields: dict[str, Any]) -> None:
    message = {**fields, "type": kind}
    Translator("/w").updates(message)
    course = Course()
    course.take(message)
    course.ended("", NOW)


@given(st.dictionaries(NAMES, ANYTHING, max_size=6))
def test_no_request_is_too_odd(fields: dict[str, Any]) -> None:
    inquiry = permission_inquiry(fields, "/w", "")
    assert inquiry.title
    assert next(option.id for option in inquiry.options) == ALLOW
    inquiries = choice_inquiries(fields, "k", "")
    if inquiries:
        choice_input(fields, [Text("x")] * len(inquiries))


@pytest.mark.parametrize(
    ("words", "until"),
    [
        ("You've hit your 5-hour limit · resets 11:28pm (UTC)", datetime(2026, 11, 23, 23, 28, tzinfo=UTC)),
        ("You've hit your limit · resets 3am (UTC)", datetime(2026, 11, 24, 3, 0, tzinfo=UTC)),
        ("limit · resets 12am (Europe/Berlin)", datetime(2026, 11, 23, 23, 0, tzinfo=UTC)),
        ("weekly limit · resets Nov 26, 3pm (Asia/Tokyo)", datetime(2026, 11, 26, 6, 0, tzinfo=UTC)),
        ("weekly limit · resets Jan 2, 3:30pm (UTC)", datetime(2027, 1, 2, 15, 30, tzinfo=UTC)),
        ("resets 25:99pm (UTC)", None),
        ("resets 3pm (Not/A_Zone)", None),
        ("resets 3pm (../../etc/passwd)", None),
        ("nothing of the kind", None),
    ],
)
def test_a_reset_told_in_words(words: str, until: datetime | None) -> None:
    assert told_reset(words, NOW) == until


def result(**fields: Any) -> dict[str, Any]:
    return {"type": "result", "subtype": "success", "is_error": False, "session_id": "s", **fields}


def state(name: str) -> dict[str, Any]:
    return {"type": "system", "subtype": "session_state_changed", "state": name}


def test_a_turn_ends_once_nothing_of_ours_is_left_over() -> None:
    course = Course()
    course.sent("a")
    assert not course.take(state("idle"))  # of the turn before, said as we spoke
    assert not course.take(state("running"))
    course.take({"type": "command_lifecycle", "command_uuid": "a", "state": "started"})
    course.take({"type": "command_lifecycle", "command_uuid": "b", "state": "queued"})
    course.take(result(result="one"))
    course.take({"type": "command_lifecycle", "command_uuid": "a", "state": "completed"})
    assert not course.take(state("idle"))
    course.take({"type": "command_lifecycle", "command_uuid": "b", "state": "cancelled"})
    assert course.take(state("idle"))
    assert course.ended("", NOW) == TurnEnded("done", "one")
    assert course.ended("words", NOW) == TurnEnded("done", "words")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "done"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"stop_reason": "max_tokens"}, "limit"),
        ({"is_error": True, "subtype": "error_max_turns", "errors": ["too many"]}, "limit"),
        ({"is_error": True, "subtype": "error_during_execution", "terminal_reason": "aborted_tools"}, "cancelled"),
        ({"is_error": True, "api_error_status": 500, "result": "boom"}, "failed"),
        ({"is_error": True, "api_error_status": 429, "result": "slow down"}, "asleep"),
    ],
)
def test_how_a_turn_ended(fields: dict[str, Any], reason: str) -> None:
    course = Course()
    course.take(result(**fields))
    ended = course.ended("", NOW)
    assert ended is not None
    assert ended.reason == reason


def test_only_what_a_person_must_put_right_is_a_fault() -> None:
    assert fault("server_error", "boom", "claude", "") is None
    assert "switchboard.toml" in str(fault("model_not_found", "no", "claude", ""))
    assert "Ask Ben." in str(fault("authentication_failed", "no", "claude", "Ask Ben."))


def counted(tokens: int, cost: float, since: int) -> dict[str, Any]:
    usage = {"m": {"inputTokens": tokens, "costUSD": cost}}
    new = {"m": {"inputTokens": since, "costUSD": since / 1000}}
    return result(total_cost_usd=cost, modelUsage=usage, model_usage_since_last_result=new)


def test_a_meter_counts_one_life_from_zero() -> None:
    translator = Translator("/w", "life1")
    (first,) = translator.updates(counted(100, 0.1, 100))
    (second,) = translator.updates(counted(250, 0.25, 150))
    assert first == UsageChanged(tokens=100, cost=0.1, meter="s/life1")
    assert second == UsageChanged(tokens=250, cost=0.25, meter="s/life1")
    resumed = Translator("/w", "life2")
    (third,) = resumed.updates(counted(300, 0.4, 50))
    assert isinstance(third, UsageChanged)
    assert (third.tokens, third.meter) == (50, "s/life2")
    held = Translator("/w", "life2")
    held.baselines = json.loads(json.dumps(resumed.baselines))
    (fourth,) = held.updates(counted(400, 0.5, 100))
    assert isinstance(fourth, UsageChanged)
    assert fourth.tokens == 150


def bash(**more: Any) -> dict[str, Any]:
    return {"subtype": "can_use_tool", "tool_name": "Bash", "input": {"command": "make"}, "tool_use_id": "t1", **more}


def test_always_is_never_written_down() -> None:
    rule = {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "make *"}], "behavior": "allow"}
    request = bash(permission_suggestions=[{**rule, "destination": "localSettings"}, {"type": "addDirectories"}])
    assert granted(request) == [{**rule, "destination": "session"}]
    inquiry = permission_inquiry(request, "/w", "")
    assert [o.label for o in inquiry.options] == ["Allow", "Always allow Bash(make *) in this session", "Deny"]
    ruling = permission_ruling(request, inquiry, Chosen(ALWAYS))
    assert ruling is not None
    assert ruling.response["updatedPermissions"] == granted(request)


def test_a_rule_that_denies_is_no_grant() -> None:
    rule = {"type": "addRules", "rules": [{"toolName": "Bash"}], "behavior": "deny"}
    assert granted(bash(permission_suggestions=[rule, {"type": "setMode", "mode": "bypassPermissions"}])) == []


def test_nobodys_answer_is_no_ruling() -> None:
    inquiry = permission_inquiry(bash(), "/w", "")
    assert permission_ruling(bash(), inquiry, Unanswered("stopping")) is None
    assert choice_input({"questions": [{"question": "?"}]}, [Unanswered("stopping")]) is None
    refused = permission_ruling(bash(), inquiry, Chosen(DENY))
    assert refused is not None
    assert refused.response["behavior"] == "deny"
    assert refused.response["message"]


def test_words_added_to_a_choice_go_with_it() -> None:
    question = {"question": "Which?", "multiSelect": True, "options": [{"label": "A"}, {"label": "B"}]}
    given_ = {"questions": [question]}
    told = choice_input(given_, [Chosen("1", "and C", options=("1", "2"))])
    assert told is not None
    assert told["answers"] == {"Which?": "A, B, and C"}
    none = choice_input(given_, [Chosen("", options=())])
    assert none is not None
    assert none["answers"] == {"Which?": "None of these."}


def test_a_preview_is_shown_only_where_code_is_shared() -> None:
    options = [{"label": "A", "preview": "def secret(): ..."}, {"label": "B"}]
    (inquiry,) = choice_inquiries({"questions": [{"question": "Which?", "options": options}]}, "k", "")
    assert "def secret" in inquiry.context
    assert "def secret" not in inquiry.words(Share.STAT).context


def test_what_a_command_hides_is_shown() -> None:
    inquiry = permission_inquiry(bash(input={"command": "rm \u202e-rf /"}), "/w", "")
    assert "⟨U+202E⟩" in inquiry.detail
    assert "⟨U+202E⟩" in inquiry.title


def test_how_it_is_called(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from runners.agents.base import AskDoor, Launch

    monkeypatch.setenv("CLAUDECODE", "1")
    launch = Launch("claude", (), tmp_path, tmp_path / "log", rules="--rules", model="opus", mode="plan")
    words = arguments(launch, session="new", resume="", servers=tmp_path / "mcp.json")
    assert {"--session-id=new", "--append-system-prompt=--rules", "--model=opus", "--permission-mode=plan"} <= set(
        words
    )
    assert "--resume=old" in arguments(launch, session="new", resume="old", servers=None)
    assert "CLAUDECODE" not in environment(launch)
    (entry,) = servers(AskDoor("http://127.0.0.1:1/mcp", "secret"))["mcpServers"].values()
    assert entry["timeout"] == 86_400_000
    assert entry["headers"] == {"Authorization": "Bearer secret"}
