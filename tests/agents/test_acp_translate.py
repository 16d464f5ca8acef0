"""Updates of real agents, as they came over the wire, in the port's words."""

from __future__ import annotations

from typing import Any

import pytest
from acp.schema import SessionNotification, ToolCallUpdate

from bot.wire.types import PlanStep, StepState
from runners.agents.acp.translate import Translator
from runners.agents.base import PlanChanged, Said, ToolEnded, ToolStarted, Update, UsageChanged

CWD = "/trees/x"


def told(translator: Translator, **update: Any) -> list[Update]:
    note = SessionNotification.model_validate({"sessionId": "s", "update": update})
    return translator.updates(note.update)


def says(translator: Translator, text: str, message: str = "m1") -> list[Update]:
    content = {"type": "text", "text": text}
    return told(translator, sessionUpdate="agent_message_chunk", content=content, messageId=message)


def call(translator: Translator, **more: Any) -> list[Update]:
    return told(translator, sessionUpdate="tool_call", toolCallId="c1", title="write", kind="edit", **more)


def test_messages_around_tools_are_kept_apart() -> None:
    translator = Translator(CWD)
    assert says(translator, "I be") == [Said("I be")]
    assert says(translator, "gin.") == [Said("gin.")]
    call(translator)
    assert translator.last_words == "I begin."
    assert says(translator, "Done.", "m2") == [Said("\n\nDone.")]
    assert translator.last_words == "Done."
    translator.turn()
    assert translator.last_words == ""


def test_a_tool_call_told_in_pieces_is_one_call() -> None:
    translator = Translator(CWD)
    assert call(translator, status="pending") == [ToolStarted("c1", "write", "edit")]
    piece = {"sessionUpdate": "tool_call_update", "toolCallId": "c1"}
    assert told(translator, **piece, status="in_progress") == []
    assert told(translator, **piece, locations=[{"path": "/trees/x/a.py"}, {"path": "/etc/b"}]) == [
        ToolStarted("c1", "write", "edit", ("a.py", "/etc/b"))
    ]
    assert told(translator, **piece, status="failed") == [ToolEnded("c1", ok=False)]
    assert told(translator, **piece, status="failed") == []


def test_an_update_of_an_unknown_call_starts_it() -> None:
    update = {"sessionUpdate": "tool_call_update", "toolCallId": "c9", "title": "grep", "status": "completed"}
    assert told(Translator(CWD), **update) == [ToolStarted("c9", "grep"), ToolEnded("c9")]


@pytest.mark.parametrize("raw", [{"todos": [{"content": "Write", "status": "in_progress", "priority": "high"}]}])
def test_a_todo_tool_is_a_plan(raw: dict[str, Any]) -> None:
    assert PlanChanged((PlanStep("Write", StepState.ACTIVE),)) in call(Translator(CWD), rawInput=raw)


def test_usage_is_told_with_its_cost_in_dollars() -> None:
    translator = Translator(CWD)
    translator.meter = "s"
    usage = {"sessionUpdate": "usage_update", "used": 100, "size": 200}
    assert told(translator, **usage) == [UsageChanged(context=100, meter="s")]
    dollars, euros = {"amount": 0.5, "currency": "USD"}, {"amount": 0.5, "currency": "EUR"}
    assert told(translator, **usage, cost=dollars) == [UsageChanged(cost=0.5, context=100, meter="s")]
    assert told(translator, **usage, cost=euros) == [UsageChanged(context=100, meter="s")]


def test_thoughts_and_echoes_are_not_told() -> None:
    content = {"type": "text", "text": "hm"}
    assert told(Translator(CWD), sessionUpdate="agent_thought_chunk", content=content) == []
    assert told(Translator(CWD), sessionUpdate="user_message_chunk", content=content) == []


def test_a_permission_that_names_only_its_call_is_filled_from_what_was_told() -> None:
    translator = Translator(CWD)
    told(
        translator,
        sessionUpdate="tool_call",
        toolCallId="c1",
        title="bash",
        kind="execute",
        rawInput={"command": "make", "description": "Builds"},
    )
    inquiry = translator.permission(translator.call(ToolCallUpdate(tool_call_id="c1")))
    assert (inquiry.title, inquiry.detail, inquiry.context) == ("Run make?", "make", "Builds")
