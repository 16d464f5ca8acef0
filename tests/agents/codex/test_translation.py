"""Codex's words in ours and back, without Codex."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wire.types import ALLOW, ALWAYS, DENY, QuestionKind, Share, StepState
from runners.agents.base import (
    AskDoor,
    Chosen,
    Launch,
    PlanChanged,
    Said,
    Text,
    ToolEnded,
    ToolStarted,
    Trouble,
    TurnEnded,
    Unanswered,
    UsageChanged,
)
from runners.agents.codex import changes, endings, faults, forms, opening, questions
from runners.agents.codex.rpc import RpcError
from runners.agents.codex.translate import Translator

CWD = "/trees/x"
EDITS = [
    {"path": "/trees/x/secret/plan.py", "kind": {"type": "update"}, "diff": "@@ -1 +1 @@\n-a\n+ALGO=2\n"},
    {"path": "/trees/x/new.py", "kind": {"type": "add"}, "diff": "ALGO=3\n"},
    {"path": "/elsewhere/old.py", "kind": {"type": "delete"}, "diff": "one\ntwo\n"},
]  # fmt: skip
WHO = {"threadId": "t", "turnId": "u", "itemId": "i", "startedAtMs": 7}


# --- permissions


def test_a_command_is_shown_as_the_shell_gets_it_however_little_is_shared() -> None:
    params = {**WHO, "command": "/bin/bash -lc 'git push && rm x'", "reason": "Ship it", "cwd": "/trees/x/sub"}
    inquiry = questions.command_inquiry(params, CWD)
    for share in Share:
        words = inquiry.words(share)
        assert words.title == "Run git push && rm x?"
        assert words.context == "Ship it\nIn /trees/x/sub"
        assert words.detail == "git push && rm x"
    assert inquiry.key == "codex:t:i:7"
    assert [option.id for option in inquiry.options] == [ALLOW, ALWAYS, DENY]


def test_hidden_characters_of_a_command_are_shown() -> None:
    inquiry = questions.command_inquiry({**WHO, "command": "echo \x1b[2K safe\u202e && rm -rf x"}, CWD)
    assert inquiry.detail == "echo ⟨U+001B⟩[2K safe⟨U+202E⟩ && rm -rf x"


def test_a_file_change_that_nobody_noted_says_so() -> None:
    inquiry = questions.change_inquiry(WHO, ())
    assert (inquiry.title, inquiry.detail) == ("Change files?", "")
    assert "is not known" in inquiry.context
    assert [option.id for option in inquiry.options] == [ALLOW, DENY]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("/bin/zsh -lc 'a b'", "a b"),
        ("bash -c 'a'", "a"),
        ("python -c 'a'", "python -c 'a'"),
        ("bash -lc 'a' b", "bash -lc 'a' b"),
        ("bash -lc 'a", "bash -lc 'a"),
        (None, ""),
        (7, ""),
    ],
)
def test_the_shell_itself_is_left_out(command: Any, shown: str) -> None:
    assert questions.script(command) == shown


def test_a_host_and_a_running_command_have_titles_of_their_own() -> None:
    reach = {**WHO, "networkApprovalContext": {"host": "example.com", "protocol": "https"}, "command": "curl"}
    inquiry = questions.command_inquiry(reach, CWD)
    assert (inquiry.title, inquiry.context) == ("Let it reach example.com?", "Over https")
    assert inquiry.options[1].label == "Allow this host for the session"
    typed = questions.command_inquiry({**WHO, "kind": "writeStdin", "approvalId": "c1", "command": "y"}, CWD)
    assert (typed.title, typed.key) == ("Type into a running command?", "codex:t:i:c1")
    assert [option.id for option in typed.options] == [ALLOW, DENY]


def test_a_file_change_is_told_in_as_many_words_as_are_shared() -> None:
    inquiry = questions.change_inquiry(WHO, changes.changes(EDITS, CWD))
    assert inquiry.title == "Edit secret/plan.py, new.py, /elsewhere/old.py?"
    assert "--- a/secret/plan.py\n+++ b/secret/plan.py\n@@ -1 +1 @@\n-a\n+ALGO=2" in inquiry.detail
    assert "--- /dev/null\n+++ b/new.py\n+ALGO=3" in inquiry.detail
    assert "+++ /dev/null\n-one\n-two" in inquiry.detail
    stat = inquiry.words(Share.STAT)
    assert stat.detail == "secret/plan.py +1 −1\nnew.py +1 −0\n/elsewhere/old.py +0 −2"
    none = inquiry.words(Share.NONE)
    assert (none.title, none.detail) == ("Edit 3 files?", "3 files, +2 −3")
    assert "ALGO" not in repr((stat, none))
    assert "plan" not in repr(none)


WORDS = ("path", "kind", "diff", "type", "questions", "id", "options", "label", "title", "item", "fileSystem", "read")
NAMES = st.sampled_from(WORDS)
PLAIN = st.none() | st.booleans() | st.integers() | st.text()


@settings(max_examples=60, deadline=None)
@given(st.recursive(PLAIN, lambda more: st.lists(more) | st.dictionaries(NAMES, more)))
def test_nothing_that_codex_may_send_is_too_odd(found: Any) -> None:
    params = found if isinstance(found, dict) else {"x": found}
    changes.changes(found, CWD)
    questions.command_inquiry({**params, "command": found}, CWD)
    questions.change_inquiry(params, changes.changes(found, CWD))
    questions.grant_inquiry({**params, "permissions": found})
    questions.tool_inquiry({**params, "_meta": {"tool_params": found, "persist": found}}, "k")
    questions.later(params)
    forms.fields({**params, "requestedSchema": {"properties": found}}, "k")
    endings.ended({"status": "failed", "error": found}, "", [], datetime.now(UTC))
    translator = Translator(CWD)
    for method in ("item/started", "item/completed", "turn/plan/updated", "error", "thread/tokenUsage/updated"):
        translator.updates(method, {**params, "threadId": "", "item": found, "plan": found, "tokenUsage": found})
    translator.updates("account/rateLimits/updated", {"rateLimits": found})


def test_answers_to_a_permission() -> None:
    assert questions.decision(Chosen(ALLOW)) == "accept"
    assert questions.decision(Chosen(ALWAYS)) == "acceptForSession"
    assert questions.decision(Chosen(DENY)) == "decline"
    assert questions.decision(Chosen(DENY, then_stop=True)) == "cancel"
    assert questions.decision(Text("yes, go on")) == "decline"  # text never grants
    assert questions.decision(Unanswered("stopping")) == "cancel"


def test_rights_are_granted_as_they_were_asked_or_not_at_all() -> None:
    wanted = {"network": {"enabled": True}, "fileSystem": None}
    params = {**WHO, "permissions": wanted, "reason": "To fetch"}
    inquiry = questions.grant_inquiry(params)
    assert (inquiry.context, inquiry.detail) == ("To fetch", "Wants to reach the network")
    granted = {"network": {"enabled": True}}
    assert questions.grant(params, Chosen(ALLOW)) == {"permissions": granted, "scope": "turn"}
    assert questions.grant(params, Chosen(ALWAYS)) == {"permissions": granted, "scope": "session"}
    assert questions.grant(params, Chosen(DENY)) == {"permissions": {}, "scope": "turn"}


# --- questions


def test_a_secret_question_warns_and_several_words_go_back() -> None:
    params = {**WHO, "questions": [{"id": "a", "question": "The token?", "isSecret": True, "options": None}]}
    ((_, inquiry),) = questions.asked(params)
    assert inquiry.kind is QuestionKind.TEXT
    assert "can be read by everybody" in inquiry.context
    assert questions.input_result(params, [Text("x")]) == {"answers": {"a": {"answers": ["x"]}}}


def test_a_form_takes_what_fits() -> None:
    schema = {
        "properties": {
            "size": {"type": "array", "items": {"enum": ["s", "m", "l"]}},
            "sure": {"type": "boolean", "default": True},
            "name": {"type": "string", "minLength": 2, "title": "Its name"},
            "kind": {"type": "string", "oneOf": [{"const": "a", "title": "Apple"}]},
        }
    }
    size, sure, name, kind = forms.fields({"message": "How?", "requestedSchema": schema}, "k")
    assert (size.inquiry.multiple, name.inquiry.title, name.inquiry.context) == (True, "Its name", "How?")
    assert forms.value(size, Chosen("option-1", options=("option-1", "option-3"))) == ["s", "l"]
    assert forms.value(size, Chosen("")) == []
    assert forms.value(size, Text("L, s")) == ["l", "s"]
    assert forms.value(sure, Text("no")) is False
    assert forms.value(kind, Text("apple")) == "a"
    with pytest.raises(forms.NotThat, match="At least 2"):
        forms.value(name, Text("x"))
    with pytest.raises(forms.NotThat, match="Name one of: Apple"):
        forms.value(kind, Text("pear"))


# --- notices


def item(method: str, **found: Any) -> list[Any]:
    return [method, {"threadId": "t", "item": found}]


def test_words_tools_and_usage_are_told_in_order() -> None:
    translator = Translator(CWD)
    translator.thread = "t"
    notices = [
        ["item/agentMessage/delta", {"threadId": "t", "itemId": "m1", "delta": "I look"}],
        ["item/agentMessage/delta", {"threadId": "t", "itemId": "m1", "delta": " around."}],
        item("item/completed", type="agentMessage", id="m1", text="I look around."),
        item("item/started", type="commandExecution", id="c", command="bash -lc 'ls -l'"),
        item("item/completed", type="commandExecution", id="c", status="failed"),
        item("item/started", type="fileChange", id="f", changes=EDITS[1:2]),
        ["turn/plan/updated", {"threadId": "t", "plan": [{"step": "Look", "status": "inProgress"}]}],
        ["item/agentMessage/delta", {"threadId": "other", "itemId": "m9", "delta": "not ours"}],
        item("item/completed", type="agentMessage", id="m2", text="Done."),
        ["error", {"threadId": "t", "willRetry": True, "error": {"message": "Reconnecting… 1/5"}}],
        ["turn/completed", {"threadId": "t"}],
    ]
    told = [update for method, params in notices for update in translator.updates(method, params)]
    steps = told[5]
    assert isinstance(steps, PlanChanged)
    assert [(step.title, step.state) for step in steps.steps] == [("Look", StepState.ACTIVE)]
    assert [*told[:5], *told[6:]] == [
        Said("I look"),
        Said(" around."),
        ToolStarted("c", "ls -l", "execute"),
        ToolEnded("c", ok=False),
        ToolStarted("f", "Edit new.py", "edit", ("new.py",)),
        Said("\n\nDone."),
        Trouble("Reconnecting… 1/5"),
        Trouble(""),
    ]
    assert translator.last_words == "Done."


def test_each_thread_is_a_meter_of_its_own() -> None:
    translator = Translator(CWD)
    translator.thread = "t"
    usage = {"total": {"totalTokens": 500}, "last": {"totalTokens": 90}}
    told = [translator.updates("thread/tokenUsage/updated", {"threadId": of, "tokenUsage": usage}) for of in "th"]
    assert told == [[UsageChanged(500, context=90, meter="t")], [UsageChanged(500, meter="h")]]


# --- endings

NOW = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)


def failed(info: Any, message: str = "It failed.", **more: Any) -> TurnEnded:
    turn = {"status": "failed", "error": {"message": message, "codexErrorInfo": info, **more}}
    lifted = int((NOW + timedelta(hours=2)).timestamp())
    windows = {"primary": {"usedPercent": 100, "resetsAt": lifted}, "secondary": {"usedPercent": 20, "resetsAt": 1}}
    return endings.ended(turn, "words", [windows], NOW)


def test_how_turns_end() -> None:
    assert endings.ended({"status": "completed"}, "words", [], NOW) == TurnEnded("done", "words")
    assert endings.ended({"status": "interrupted"}, "", [], NOW).reason == "cancelled"
    assert failed("usageLimitExceeded").until == NOW + timedelta(hours=2)
    assert failed("contextWindowExceeded").reason == "limit"
    assert failed("cyberPolicy").reason == "refused"
    assert failed({"httpConnectionFailed": {"httpStatusCode": 502}}, additionalDetails="502").detail == "It failed. 502"
    assert "codex login" in failed("unauthorized").detail
    assert failed(None).reason == "failed"


def test_a_time_in_words_is_in_this_machines_zone() -> None:
    here = NOW.astimezone()
    later = here + timedelta(hours=3)
    hour = later.strftime("%I:%M %p").lstrip("0")
    assert endings.said_time(f"try again at {hour}.", NOW) == later.replace(second=0)
    day = later.strftime("%b ") + f"{later.day}th, {later.year} "
    assert endings.said_time(f"or try again at {day}{hour}.", NOW) == later.replace(second=0)
    assert endings.said_time("try again later", NOW) is None
    assert endings.said_time("try again at Foo 99th, 2026 1:20 AM", NOW) is None


# --- its beginning


def launch(**more: Any) -> Launch:
    from pathlib import Path

    return Launch("codex", ("codex",), Path(CWD), Path("/tmp/log"), **more)


def test_a_thread_is_opened_with_rules_and_the_runners_tool() -> None:
    found = opening.opening(launch(rules="Ask.", model="m", ask=AskDoor("http://x/mcp", "tok"), mode="read-only"), "m")
    assert (found["developerInstructions"], found["model"], found["sandbox"]) == ("Ask.", "m", "read-only")
    assert (found["approvalPolicy"], found["approvalsReviewer"]) == ("on-request", "user")
    server = found["config"]["mcp_servers.switchboard"]
    assert server["url"] == "http://x/mcp?wait=86400"
    assert server["required"] is True
    assert server["http_headers"] == {"Authorization": "Bearer tok"}


@pytest.mark.parametrize(("model", "wait"), [("gpt-5.5", 86400), ("gpt-5.6-sol", 45), ("gpt-6.1-sol", 45), ("", 86400)])
def test_a_model_that_does_not_wait_for_a_tool_is_parked_soon(model: str, wait: int) -> None:
    found = opening.opening(launch(ask=AskDoor("http://x/mcp", "t")), model)
    assert found["config"]["mcp_servers.switchboard"]["url"] == f"http://x/mcp?wait={wait}"


def test_what_a_server_can_do_is_read_from_its_own_list() -> None:
    error = RpcError(-32600, "Invalid request: unknown variant `a/b`, expected one of `turn/start`, `thread/queue/add`")
    assert faults.methods(error) == {"turn/start", "thread/queue/add"}
    assert faults.methods(RpcError(-32601, "Method not found")) == frozenset()
    assert "does not know turn/start" in str(faults.too_old(launch(), "0.40.0", ["turn/start"]))
