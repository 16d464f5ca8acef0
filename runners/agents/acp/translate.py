"""ACP's session updates in the port's words, in order. Pure but for what it remembers of the running turn."""

from __future__ import annotations

from typing import Any

from acp.schema import (
    AgentMessageChunk,
    AgentPlanUpdate,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    UsageUpdate,
)

from bot.wire.types import PlanStep, StepState
from runners.agents.acp.calls import Call, merge
from runners.agents.acp.permissions import permission_inquiry, plan_inquiry
from runners.agents.base import Inquiry, PlanChanged, Said, ToolEnded, ToolStarted, Update
from runners.agents.base import UsageChanged as Usage
from runners.agents.text import one_line, prose

_STEPS = {"pending": StepState.PENDING, "in_progress": StepState.ACTIVE, "completed": StepState.DONE}
_MAX_STEPS = 50
_MAX_CALLS = 500


class Translator:
    """One agent session's updates, in order. Remembers tool calls, and the words of the running turn."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self.spent = 0
        """Tokens of this turn, where they come with its messages."""
        self.meter = ""
        """What the session's costs are counted under."""
        self._calls: dict[str, Call] = {}
        self._words = ""
        self._before = ""
        self._fresh = True
        self._message: str | None = None

    def turn(self) -> None:
        self._words, self._before, self._fresh, self._message = "", "", True, None
        self.spent = 0

    @property
    def last_words(self) -> str:
        """The message after the last tool call, else the one before it."""
        return prose(self._words or self._before)

    def updates(self, update: object) -> list[Update]:
        match update:
            case AgentMessageChunk():
                return self._said(update)
            case ToolCallStart() | ToolCallProgress():
                return self._tool(update)
            case AgentPlanUpdate():
                entries = update.entries[:_MAX_STEPS]
                return [PlanChanged(tuple(PlanStep(one_line(e.content), _STEPS[e.status]) for e in entries))]
            case UsageUpdate():
                cost = update.cost.amount if update.cost and update.cost.currency.upper() == "USD" else None
                return [Usage(cost=cost, context=update.used, meter=self.meter)]
            case _:
                return []

    def _said(self, chunk: AgentMessageChunk) -> list[Update]:
        self.spent += spent(chunk.field_meta)
        if not isinstance(chunk.content, TextContentBlock) or not chunk.content.text:
            return []
        if chunk.message_id != self._message and self._words:
            self._boundary()
        self._message = chunk.message_id
        gap = "\n\n" if self._fresh and self._before else ""
        self._fresh = False
        self._words = (self._words + chunk.content.text)[-20_000:]
        return [Said(gap + chunk.content.text)]

    def _boundary(self) -> None:
        if self._words.strip():
            self._before = self._words
        self._words, self._fresh = "", True

    def _tool(self, update: ToolCallStart | ToolCallProgress) -> list[Update]:
        new = update.tool_call_id not in self._calls
        before = self._calls.get(update.tool_call_id, Call())
        call = self._remember(update)
        told: list[Update] = []
        if new:
            self._boundary()
        if new or (call.title, call.kind, call.paths) != (before.title, before.kind, before.paths):
            told.append(ToolStarted(update.tool_call_id, one_line(call.title, 200), call.kind, call.paths))
        if call.raw != before.raw and (steps := _todos(call.raw)):
            told.append(PlanChanged(steps))
        if call.ended and not before.ended:
            told.append(ToolEnded(update.tool_call_id, ok=update.status == "completed"))
        return told

    def _remember(self, update: ToolCallStart | ToolCallUpdate) -> Call:
        call = merge(self._calls.get(update.tool_call_id, Call()), update, self._cwd)
        self._calls[update.tool_call_id] = call
        if len(self._calls) > _MAX_CALLS:
            del self._calls[next(iter(self._calls))]
        return call

    def call(self, update: ToolCallUpdate) -> Call:
        """All that is known of the call which this update speaks of."""
        return merge(self._calls.get(update.tool_call_id, Call()), update, self._cwd)

    def permission(self, call: Call, always: str = "") -> Inquiry:
        return plan_inquiry(call) if call.kind == "switch_mode" else permission_inquiry(call, self._cwd, always)


def spent(meta: dict[str, Any] | None) -> int:
    """Tokens told beside: ``usage.totalTokens`` by Qwen Code, ``quota.token_count`` by Gemini CLI."""
    usage, quota = (meta or {}).get("usage"), (meta or {}).get("quota")
    count = quota.get("token_count") if isinstance(quota, dict) else None
    found = [usage.get("totalTokens")] if isinstance(usage, dict) else []
    found += [count.get("input_tokens"), count.get("output_tokens")] if isinstance(count, dict) else []
    return sum(number for number in found if isinstance(number, int) and number > 0)


def _todos(raw: Any) -> tuple[PlanStep, ...]:
    """Some agents keep their plan with a tool (``todowrite``) and send no plan of ACP's."""
    todos = raw.get("todos") if isinstance(raw, dict) else None
    if not isinstance(todos, list):
        return ()
    items = [t for t in todos[:_MAX_STEPS] if isinstance(t, dict) and isinstance(t.get("content"), str)]
    return tuple(PlanStep(one_line(t["content"]), _STEPS.get(str(t.get("status")), StepState.PENDING)) for t in items)
