"""ACP's updates and permission requests in the port's words, and answers in ACP's. Pure."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from acp.schema import (
    AgentMessageChunk,
    AgentPlanUpdate,
    ContentToolCallContent,
    FileEditToolCallContent,
    PermissionOption,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    UsageUpdate,
)

from bot.wire.types import ALLOW, APPROVE, DENY, REVISE, Option, PlanStep, QuestionKind, StepState
from runners.agents.base import (
    Answered,
    Chosen,
    Inquiry,
    PlanChanged,
    Said,
    Text,
    ToolEnded,
    ToolStarted,
    Unanswered,
    Update,
)
from runners.agents.base import UsageChanged as Usage
from runners.agents.text import exact, one_line, prose

_STEPS = {"pending": StepState.PENDING, "in_progress": StepState.ACTIVE, "completed": StepState.DONE}
_MAX_STEPS = 50
_MAX_CALLS = 500


@dataclass(frozen=True)
class Call:
    """What is known of a tool call so far: a permission request may name nothing but its id."""

    title: str = ""
    kind: str = ""
    paths: tuple[str, ...] = ()
    raw: Any = None
    texts: tuple[str, ...] = ()
    diffs: tuple[tuple[str, str, str], ...] = ()
    """(path, old text, new text)"""
    ended: bool = False


class Translator:
    """One agent session's updates, in order. Remembers tool calls, and the words of the running turn."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd
        self._calls: dict[str, Call] = {}
        self._words = ""
        self._before = ""
        self._fresh = True
        self._message: str | None = None

    def turn(self) -> None:
        self._words, self._before, self._fresh, self._message = "", "", True, None

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
                return [Usage(tokens=update.used, cost=cost)]
            case _:
                return []

    def _said(self, chunk: AgentMessageChunk) -> list[Update]:
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
        if call.ended and not before.ended:
            told.append(ToolEnded(update.tool_call_id, ok=update.status == "completed"))
        return told

    def _remember(self, update: ToolCallStart | ToolCallUpdate) -> Call:
        call = merge(self._calls.get(update.tool_call_id, Call()), update, self._cwd)
        self._calls[update.tool_call_id] = call
        if len(self._calls) > _MAX_CALLS:
            del self._calls[next(iter(self._calls))]
        return call

    def permission(self, update: ToolCallUpdate) -> Inquiry:
        call = merge(self._calls.get(update.tool_call_id, Call()), update, self._cwd)
        return plan_inquiry(call) if call.kind == "switch_mode" else permission_inquiry(call, self._cwd)


def merge(call: Call, update: ToolCallStart | ToolCallUpdate, cwd: str) -> Call:
    texts, diffs = call.texts, call.diffs
    if update.content is not None:
        texts, diffs = (), ()
        for item in update.content:
            if isinstance(item, ContentToolCallContent) and isinstance(item.content, TextContentBlock):
                texts += (item.content.text,)
            elif isinstance(item, FileEditToolCallContent):
                diffs += ((_short(item.path, cwd), item.old_text or "", item.new_text),)
    paths = call.paths if update.locations is None else tuple(_short(place.path, cwd) for place in update.locations)
    return Call(
        title=update.title or call.title,
        kind=update.kind or call.kind,
        paths=tuple(dict.fromkeys(paths)),
        raw=_newer(call.raw, update.raw_input),
        texts=texts,
        diffs=diffs,
        ended=call.ended or update.status in ("completed", "failed"),
    )


def _newer(before: Any, now: Any) -> Any:
    """Agents repeat of the raw input only what they like."""
    if isinstance(before, dict) and isinstance(now, dict):
        return before | now
    return before if now is None else now


# --- permissions and plans ------------------------------------------------------------------------------------------

PERMISSION_OPTIONS = (Option(ALLOW, "Allow"), Option(DENY, "Deny"))
PLAN_OPTIONS = (Option(APPROVE, "Approve"), Option(REVISE, "Revise"))


def permission_inquiry(call: Call, cwd: str) -> Inquiry:
    command = _command(call)
    detail = exact(command) or exact("\n".join(_diff(*diff) for diff in call.diffs)) or exact(_raw(call))
    context = [prose(text, 4000) for text in call.texts]
    if isinstance(call.raw, dict):
        context += [prose(v, 2000) for k in ("description", "reason") if isinstance(v := call.raw.get(k), str)]
        where = call.raw.get("cwd") or call.raw.get("workdir")
        if isinstance(where, str) and PurePath(where) != PurePath(cwd):
            context.append(f"In {exact(where, 300)}")
    fresh = [line for line in dict.fromkeys(context) if line and line.strip("`\n ") != command.strip()]
    return Inquiry(
        kind=QuestionKind.PERMISSION,
        title=_ask_for(call, command),
        context="\n".join(fresh),
        detail=detail,
        options=PERMISSION_OPTIONS,
        allow_text=False,
    )


def plan_inquiry(call: Call) -> Inquiry:
    plan = call.raw.get("plan") if isinstance(call.raw, dict) else None
    text = plan if isinstance(plan, str) else "\n\n".join(call.texts)
    return Inquiry(
        kind=QuestionKind.PLAN,
        title="Go ahead with this plan?",
        context="" if not call.title or call.title in text else one_line(call.title),
        detail=exact(text) or "(The agent sent no text with its plan.)",
        options=PLAN_OPTIONS,
        allow_text=True,
    )


def _ask_for(call: Call, command: str) -> str:
    """One line that says what is asked; the whole command or diff stands in ``detail``."""
    title = one_line(call.title.replace("`", ""), 120).rstrip("?.")
    what = ", ".join(call.paths[:3]) + (f" and {len(call.paths) - 3} more" if len(call.paths) > 3 else "")
    if command:
        return f"Run {one_line(exact(command), 70)}?"
    match call.kind:
        case "edit" | "delete" | "move" | "read" if what:
            return f"{call.kind.capitalize()} {one_line(exact(what), 200)}?"
        case "execute":
            return f"Run {title}?" if title else "Run a command?"
        case _:
            return f"{title}?" if title else "Go ahead with this step?"


def _command(call: Call) -> str:
    if not isinstance(call.raw, dict):
        return ""
    for key in ("command", "cmd"):
        match call.raw.get(key):
            case str(command) if command.strip():
                return command.strip("\n")
            case [str(), *_] as argv if all(isinstance(word, str) for word in argv):
                return shlex.join(argv)
    return ""


def _raw(call: Call) -> str:
    if call.raw in (None, "", {}, []):
        return ""
    if isinstance(call.raw, dict) and set(call.raw) <= {"description", "reason"}:
        return ""
    return call.raw if isinstance(call.raw, str) else json.dumps(call.raw, indent=2, ensure_ascii=False, default=str)


def _diff(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
    return "\n".join(lines) or f"{path}: no change of text"


def _short(path: str, cwd: str) -> str:
    try:
        return PurePath(path).relative_to(cwd).as_posix()
    except ValueError:
        return path


@dataclass(frozen=True)
class Ruling:
    """What goes back to the agent. ``option`` None: cancelled. ``owed``: words that ACP has no place for."""

    option: str | None
    owed: str = ""
    stop: bool = False


def ruling(inquiry: Inquiry, answer: Answered, options: Sequence[PermissionOption]) -> Ruling:
    match answer:
        case Chosen(option=option) if option in (ALLOW, APPROVE):
            return Ruling(_pick(options, "allow_once", "allow_always"))
        case Chosen() | Text():
            no = _pick(options, "reject_once", "reject_always")
            return Ruling(no, _owed(inquiry, answer.text), isinstance(answer, Chosen) and answer.then_stop)
        case Unanswered():
            return Ruling(None)


def _owed(inquiry: Inquiry, text: str) -> str:
    if not text.strip():
        return ""
    if inquiry.kind is QuestionKind.PLAN:
        return f"Your plan was not approved yet. Revise it: {text.strip()}"
    return f"You asked: “{inquiry.title}” The answer was no. {text.strip()}"


def _pick(options: Sequence[PermissionOption], *kinds: str) -> str | None:
    for kind in kinds:
        for option in options:
            if option.kind == kind:
                return option.option_id
    return None
