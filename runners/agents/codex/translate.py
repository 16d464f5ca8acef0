"""Codex's notices in the port's words, in order. Pure but for what it remembers of its thread and the running turn."""

from __future__ import annotations

from typing import Any

from bot.wire.types import PlanStep, StepState
from runners.agents.base import PlanChanged, Said, ToolEnded, ToolStarted, Trouble, Update, UsageChanged
from runners.agents.codex.changes import changes
from runners.agents.codex.questions import script
from runners.agents.codex.rpc import Json, table, tables
from runners.agents.text import exact, one_line, prose

_STEPS = {"pending": StepState.PENDING, "inProgress": StepState.ACTIVE, "completed": StepState.DONE}
_MOST_STEPS = 50
_MOST_CHANGES = 200
_KINDS = {
    "commandExecution": "execute",
    "fileChange": "edit",
    "mcpToolCall": "other",
    "dynamicToolCall": "other",
    "collabAgentToolCall": "other",
    "webSearch": "fetch",
    "imageView": "read",
    "imageGeneration": "other",
}


class Translator:
    """``thread`` is the one whose words are the session's; others are its sub-agents'."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self.thread = ""
        self.changes: dict[str, Any] = {}
        """File changes as they were proposed, by item: the request to approve one names it only."""
        self.helpers: dict[str, str] = {}
        """Sub-agents at work, by their thread."""
        self.limits: dict[str, Json] = {}
        """The account's rate limits, by their id."""
        self.plan = ""
        """What the model proposes to do, where it was told to plan first."""
        self._words = self._before = self._message = ""
        self._streamed: set[str] = set()
        self._troubled = False

    def turn(self) -> None:
        self.plan = self._words = self._before = self._message = ""
        self._streamed.clear()

    @property
    def last_words(self) -> str:
        """The message after the last tool call, else the one before it."""
        return prose(self._words or self._before)

    def updates(self, method: str, params: Json) -> list[Update]:
        if method == "account/rateLimits/updated":
            self._note_limits(params.get("rateLimits"))
            return []
        if method == "thread/tokenUsage/updated":
            return self._usage(params)
        if params.get("threadId") != self.thread:
            return []
        match method:
            case "item/agentMessage/delta":
                return self._delta(str(params.get("itemId", "")), str(params.get("delta", "")))
            case "item/started" | "item/completed" if isinstance(item := params.get("item"), dict):
                return [*self._recovered(), *self._item(item, done=method == "item/completed")]
            case "turn/plan/updated":
                return [_plan(params.get("plan"))]
            case "error":
                return self._trouble(params)
            case "turn/completed":
                return self._recovered()
        return []

    # --- words

    def _delta(self, item: str, text: str) -> list[Update]:
        if not text:
            return []
        self._streamed.add(item)
        return self._said(item, text)

    def _said(self, item: str, text: str) -> list[Update]:
        gap = ""
        if item != self._message:
            gap = "\n\n" if self._words or self._before else ""
            self._boundary()
            self._message = item
        self._words = (self._words + text)[-20_000:]
        return [Said(gap + text)]

    def _boundary(self) -> None:
        if self._words.strip():
            self._before = self._words
        self._words = ""

    # --- tools

    def _item(self, item: Json, *, done: bool) -> list[Update]:
        kind, id_ = str(item.get("type", "")), str(item.get("id", ""))
        if kind == "agentMessage":
            text = item.get("text")
            if item.get("questions"):
                return []  # they go to people as questions
            whole = done and id_ not in self._streamed and isinstance(text, str) and text
            return self._said(id_, str(text)) if whole else []
        if kind == "plan" and done:
            self.plan = prose(str(item.get("text") or ""))
        if kind == "fileChange":
            self.note_changes(id_, item.get("changes"))
        if kind in ("collabAgentToolCall", "subAgentActivity"):
            self._note_helpers(item)
        if kind not in _KINDS:
            return []
        if done:
            # Declined or failed, it did not do what it set out to.
            return [ToolEnded(id_, ok=item.get("status", "completed") == "completed")]
        self._boundary()
        self._message = ""
        return [ToolStarted(id_, self._title(kind, item), _KINDS[kind], self._paths(item))]

    def _title(self, kind: str, item: Json) -> str:
        match kind:
            case "commandExecution":
                return one_line(exact(script(item.get("command"))), 200)
            case "fileChange":
                return one_line("Edit " + ", ".join(self._paths(item)), 200)
            case "mcpToolCall":
                return one_line(f"{item.get('server', '')}: {item.get('tool', '')}", 200)
            case "webSearch":
                return one_line(f"Search {item.get('query') or 'the web'}", 200)
            case _:
                return one_line(str(item.get("tool") or kind), 200)

    def _paths(self, item: Json) -> tuple[str, ...]:
        return tuple(change.path for change in changes(item.get("changes"), self._cwd))

    def note_changes(self, item: str, found: Any) -> None:
        self.changes[item] = found
        if len(self.changes) > _MOST_CHANGES:
            del self.changes[next(iter(self.changes))]

    def _note_helpers(self, item: Json) -> None:
        if item.get("type") == "subAgentActivity":
            thread, name = str(item.get("agentThreadId", "")), str(item.get("agentPath") or "sub-agent")
            if item.get("kind") in ("started", "interacted"):
                self.helpers[thread] = one_line(name, 100)
            else:
                self.helpers.pop(thread, None)
            return
        states = item.get("agentsStates")
        for thread, state in table(states).items():
            if table(state).get("status") in ("pendingInit", "running"):
                title = one_line(str(item.get("prompt") or "sub-agent"), 100)
                self.helpers.setdefault(thread, title)
            else:
                self.helpers.pop(thread, None)

    # --- the rest

    def _usage(self, params: Json) -> list[Update]:
        thread, usage = params.get("threadId"), params.get("tokenUsage")
        match usage:
            case {"total": {"totalTokens": int(total)}, "last": {"totalTokens": int(context)}}:
                own = thread == self.thread
                return [UsageChanged(tokens=total, context=context if own else None, meter=str(thread))]
        return []

    def _note_limits(self, found: Any) -> None:
        if isinstance(found, dict):
            known = self.limits.get(name := str(found.get("limitId") or ""), {})
            self.limits[name] = known | {word: value for word, value in found.items() if value is not None}

    def _trouble(self, params: Json) -> list[Update]:
        error = params.get("error")
        if not params.get("willRetry") or not isinstance(error, dict):
            return []
        self._troubled = True
        words = [error.get("message"), error.get("additionalDetails")]
        return [Trouble(one_line(": ".join(word for word in words if isinstance(word, str)), 500))]

    def _recovered(self) -> list[Update]:
        if not self._troubled:
            return []
        self._troubled = False
        return [Trouble("")]


def _plan(found: Any) -> PlanChanged:
    steps = tables(found)[:_MOST_STEPS]
    return PlanChanged(
        tuple(
            PlanStep(one_line(str(s.get("step", ""))), _STEPS.get(str(s.get("status")), StepState.PENDING))
            for s in steps
        )
    )
