"""Claude Code's messages in the port's words, in order. Pure but for what it remembers of the running turn."""

from __future__ import annotations

from dataclasses import dataclass

from bot.wire.types import PlanStep, StepState
from runners.agents.base import (
    BackgroundChanged,
    PlanChanged,
    Said,
    ToolEnded,
    ToolStarted,
    Trouble,
    Update,
    UsageChanged,
)
from runners.agents.claude.failures import retry_words
from runners.agents.claude.fields import Json, number, table, tables, text
from runners.agents.claude.permissions import OUR_TOOLS, short
from runners.agents.claude.questions import ASK, PLAN
from runners.agents.text import exact, one_line, prose

_KINDS = {
    "Edit": "edit", "MultiEdit": "edit", "Write": "edit", "NotebookEdit": "edit", "Read": "read", "Glob": "search",
    "Grep": "search", "Bash": "execute", "WebFetch": "fetch", "WebSearch": "fetch",
}  # fmt: skip
_QUIET = ("TodoWrite", ASK, PLAN, "ToolSearch")
"""Tools that are told otherwise, or are of no interest."""
_STEPS = {"pending": StepState.PENDING, "in_progress": StepState.ACTIVE, "completed": StepState.DONE}
_MOST_STEPS, _MOST_CALLS, _MOST_TASKS = 50, 500, 20
_TOKENS = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens")


@dataclass(frozen=True)
class Spent:
    """Of one session of Claude Code, as its result messages count."""

    cost: float
    tokens: int


def spent(models: Json) -> Spent:
    each = [model for model in models.values() if isinstance(model, dict)]
    tokens = sum(number(model, key) for model in each for key in _TOKENS)
    return Spent(sum(number(model, "costUSD") for model in each), int(tokens))


class Translator:
    """One life of Claude Code. ``calls`` are its tool calls by id, ``tasks`` the names of its sub-agents."""

    def __init__(self, cwd: str, life: str = "") -> None:
        self._cwd = cwd
        self.life = life
        self.calls: dict[str, Json] = {}
        self.tasks: dict[str, str] = {}
        self.background: tuple[str, ...] = ()
        self.baselines: dict[str, list[float]] = {}
        """By session, what it had cost before this life: Claude Code counts on after a clean end, not after a kill."""
        self._quiet: set[str] = set()
        self._words = self._before = ""
        self._trouble = False

    def turn(self) -> None:
        self._words = self._before = ""

    @property
    def last_words(self) -> str:
        return prose(self._words or self._before)

    def updates(self, message: Json) -> list[Update]:
        match message.get("type"):
            case "assistant":
                return self._assistant(message)
            case "user":
                return self._results(message)
            case "result":
                if self._words.strip():  # what a background task's end begins next speaks for itself
                    self._before, self._words = self._words, ""
                return [*self._over(), self._usage(message)]
            case "system":
                return self._system(message)
            case _:
                return []

    def _assistant(self, message: Json) -> list[Update]:
        inner, own = table(message, "message"), not message.get("parent_tool_use_id")
        if message.get("error"):
            return []  # Claude Code's own words about a failure; the turn's end tells it
        told: list[Update] = list(self._over())
        for block in tables(inner, "content"):
            if block.get("type") == "text" and own and text(block, "text").strip():
                told.append(self._said(text(block, "text")))
            elif block.get("type") == "tool_use":
                told += self._called(block, own)
        if own and (context := _context(table(inner, "usage"))):
            told.append(UsageChanged(context=context))
        return told

    def _said(self, words: str) -> Said:
        gap = "\n\n" if self._words or self._before else ""
        self._words = (self._words + ("\n\n" if self._words else "") + words)[-20_000:]
        return Said(gap + words)

    def _called(self, block: Json, own: bool) -> list[Update]:
        number_, name, given = text(block, "id"), text(block, "name"), table(block, "input")
        self.calls[number_] = given
        if len(self.calls) > _MOST_CALLS:
            del self.calls[next(iter(self.calls))]
        if name in _QUIET or name.startswith(OUR_TOOLS):
            self._quiet.add(number_)
            return [PlanChanged(_steps(given))] if name == "TodoWrite" and own else []
        if own and self._words.strip():
            self._before, self._words = self._words, ""
        path = text(given, "file_path") or text(given, "notebook_path")
        paths = (short(path, self._cwd),) if path else ()
        return [ToolStarted(number_, _title(name, given, self._cwd), _KINDS.get(name, "other"), paths)]

    def _results(self, message: Json) -> list[Update]:
        told: list[Update] = []
        for block in tables(table(message, "message"), "content"):
            done = text(block, "tool_use_id")
            if block.get("type") != "tool_result" or done not in self.calls:
                continue
            if done in self._quiet:
                self._quiet.discard(done)
            else:
                told.append(ToolEnded(done, ok=not block.get("is_error")))
        return told

    def _system(self, message: Json) -> list[Update]:
        match message.get("subtype"):
            case "api_retry":
                self._trouble = True
                return [Trouble(retry_words(message))]
            case "background_tasks_changed":
                listed = tables(message, "tasks")[:_MOST_TASKS]
                self.background = tuple(one_line(text(task, "description"), 100) or "a task" for task in listed)
                return [BackgroundChanged(self.background)]
            case "task_started":
                self.tasks[text(message, "task_id")] = one_line(text(message, "description"), 100)
        return []

    def _over(self) -> list[Update]:
        """The service answers again."""
        if not self._trouble:
            return []
        self._trouble = False
        return [Trouble("")]

    def _usage(self, result: Json) -> UsageChanged:
        session = text(result, "session_id")
        total = spent(table(result, "modelUsage"))
        cost = number(result, "total_cost_usd") or total.cost
        if session not in self.baselines:
            now = spent(table(result, "model_usage_since_last_result"))
            before = cost - now.cost, total.tokens - now.tokens
            self.baselines[session] = [max(before[0], 0.0), max(before[1], 0)] if now.tokens else [0.0, 0]
        earlier = self.baselines[session]
        return UsageChanged(
            tokens=max(total.tokens - int(earlier[1]), 0),
            cost=max(round(cost - earlier[0], 6), 0.0),
            meter=f"{session}/{self.life}",
        )


def _context(usage: Json) -> int:
    keys = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    return int(sum(number(usage, key) for key in keys))


def _steps(given: Json) -> tuple[PlanStep, ...]:
    todos = [todo for todo in tables(given, "todos")[:_MOST_STEPS] if text(todo, "content")]
    return tuple(
        PlanStep(one_line(text(todo, "content")), _STEPS.get(text(todo, "status"), StepState.PENDING)) for todo in todos
    )


def _title(name: str, given: Json, cwd: str) -> str:
    path = text(given, "file_path") or text(given, "notebook_path")
    what = short(path, cwd) if path else ""
    for key in ("command", "pattern", "url", "query", "description"):
        what = what or text(given, key)
    return one_line(f"{name} {exact(what, 400)}".strip(), 200)
