"""What Claude Code tells its hooks, in the words of the port, and answers in the words of its hooks. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, REVISE, Option, PlanStep, QuestionKind, StepState
from runners.agents.base import (
    Answered,
    BackgroundChanged,
    Chosen,
    Inquiry,
    PlanChanged,
    Said,
    Shown,
    Text,
    ToolEnded,
    ToolStarted,
    Trouble,
    Unanswered,
    Update,
)
from runners.agents.text import exact, heading, one_line, prose
from runners.attach.tools import Told, told

EVENTS = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PermissionRequest", "PostToolUse", "PostToolUseFailure",
    "SubagentStart", "SubagentStop", "Stop", "StopFailure", "SessionEnd",
)  # fmt: skip
"""What is listened to. ``Notification`` is not: that a terminal is idle is no evidence of a question."""
ASKS, PLANS = "AskUserQuestion", "ExitPlanMode"
MOST_QUESTIONS = 8
STAYS = ("clear", "resume")
"""Reasons for which a session ends while its terminal goes on with another."""


@dataclass(frozen=True)
class Heard:
    """One call of a hook."""

    event: str
    session: str = ""
    tool: str = ""
    input: Mapping[str, Any] = field(default_factory=dict)
    call: str = ""
    """The tool call's id; a permission request has none."""
    sub: str = ""
    """The sub-agent it happens in; empty: the foreground."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """The rest, as it came."""
    pid: int = 0
    """Of the agent."""
    home: str = ""
    program: str = ""
    hook: int = 0
    """The hook's own process."""
    ask: str = ""
    """That process's name of what it asks: the same when it asks the next runner, and nobody else's."""

    def text(self, key: str) -> str:
        value = self.said.get(key)
        return value if isinstance(value, str) else ""


def heard(message: object) -> Heard | None:
    """What ``hook.py`` passes on; None: it is nothing of the kind."""
    said = message.get("said") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(said, dict) or not isinstance(said.get("hook_event_name"), str):
        return None

    def text(key: str, of: Mapping[str, Any] = said) -> str:
        value = of.get(key)
        return value if isinstance(value, str) else ""

    def number(key: str) -> int:
        value = message.get(key)
        return value if isinstance(value, int) else 0

    given = said.get("tool_input")
    return Heard(
        event=text("hook_event_name"),
        session=text("session_id"),
        tool=text("tool_name"),
        input=given if isinstance(given, dict) else {},
        call=text("tool_use_id"),
        sub=text("agent_id"),
        said=said,
        pid=number("pid"),
        home=text("home", message),
        program=text("program", message),
        hook=number("hook"),
        ask=text("ask", message),
    )


def fingerprint(one: Heard) -> str:
    """Names a tool call by what it is; the request for it and the call itself have this in common."""
    what = json.dumps([one.session, one.sub, one.tool, one.input], sort_keys=True, default=str)
    return hashlib.sha256(what.encode("utf-8", "replace")).hexdigest()[:24]


# --- questions --------------------------------------------------------------------------------------------------------


def inquiries(one: Heard, key: str) -> tuple[Inquiry, ...]:
    """What a permission request asks of people; several for a call of the question tool."""
    match one.tool:
        case "AskUserQuestion":
            return tuple(_question(each, f"{key}.{n}") for n, each in enumerate(_questions(one))) or (
                _permission(one, key),
            )
        case "ExitPlanMode":
            return (_plan(one, key),)
        case _:
            return (_permission(one, key),)


def _questions(one: Heard) -> list[dict[str, Any]]:
    found = one.input.get("questions")
    return [each for each in (found if isinstance(found, list) else []) if isinstance(each, dict)][:MOST_QUESTIONS]


def _question(each: Mapping[str, Any], key: str) -> Inquiry:
    title, rest = heading(str(each.get("question") or each.get("header") or ""))
    offered = each.get("options")
    options = [option for option in offered if isinstance(option, dict)] if isinstance(offered, list) else []
    return Inquiry(
        QuestionKind.CHOICE,
        title,
        context=rest,
        options=tuple(
            Option(
                str(number),
                one_line(str(option.get("label", "")), 200),
                prose(str(option.get("description") or ""), 1000),
                recommended="(recommended)" in str(option.get("label", "")).lower(),
            )
            for number, option in enumerate(options)
        ),
        multiple=each.get("multiSelect") is True,
        key=key,
    )


def _plan(one: Heard, key: str) -> Inquiry:
    plan = one.input.get("plan")
    return Inquiry(
        QuestionKind.PLAN,
        "Go ahead with this plan?",
        detail=exact(plan if isinstance(plan, str) else "") or "(The agent sent no text with its plan.)",
        options=(Option(APPROVE, "Approve"), Option(REVISE, "Revise")),
        key=key,
    )


def _permission(one: Heard, key: str) -> Inquiry:
    what: Told = told(one.tool, one.input)
    where = f"In a sub-agent ({one.text('agent_type')})." if one.sub else ""
    context = "\n".join(filter(None, (what.why, where)))
    always = always_rules(one)
    options: tuple[Option, ...] = (Option(ALLOW, "Allow"), Option(DENY, "Deny"))
    if always:
        options = (
            *options,
            Option(ALWAYS, f"Always allow {one_line(', '.join(map(_rule, always)), 100)} this session"),
        )
    return Inquiry(
        QuestionKind.PERMISSION,
        what.title,
        context,
        what.detail,
        options,
        allow_text=False,
        stat=Shown(what.title, context, what.stat),
        none=Shown(what.nameless, where if what.names_files else context, what.counts),
        key=key,
    )


def always_rules(one: Heard) -> list[Mapping[str, str]]:
    """The rules that the terminal itself offers to allow from now on."""
    found: list[Mapping[str, str]] = []
    suggestions = one.said.get("permission_suggestions")
    for each in suggestions if isinstance(suggestions, list) else []:
        if isinstance(each, dict) and each.get("type") == "addRules" and each.get("behavior") == "allow":
            rules = each.get("rules")
            for rule in rules if isinstance(rules, list) else []:
                if isinstance(rule, dict) and isinstance(name := rule.get("toolName"), str):
                    content = rule.get("ruleContent")
                    found.append({"toolName": name} | ({"ruleContent": content} if isinstance(content, str) else {}))
    return found


def _rule(rule: Mapping[str, str]) -> str:
    content = rule.get("ruleContent", "")
    return f"{rule['toolName']}({content})" if content else rule["toolName"]


# --- answers ----------------------------------------------------------------------------------------------------------


def decision(one: Heard, asked: Sequence[Inquiry], answers: Sequence[Answered]) -> str:
    """The hook's output; empty where there is no answer, and the terminal alone decides."""
    if not asked or any(isinstance(answer, Unanswered) for answer in answers):
        return ""
    if asked[0].kind is QuestionKind.CHOICE:
        return _decided({"behavior": "allow", "updatedInput": {**one.input, "answers": _answers(one, asked, answers)}})
    answer = answers[0]
    match answer:
        case Chosen(option=option) if option in (ALLOW, APPROVE):
            return _decided({"behavior": "allow", "updatedInput": dict(one.input)})
        case Chosen(option=option) if option == ALWAYS:
            grant = {"type": "addRules", "rules": always_rules(one), "behavior": "allow", "destination": "session"}
            return _decided({"behavior": "allow", "updatedInput": dict(one.input), "updatedPermissions": [grant]})
        case Chosen(text=text, then_stop=stop):
            return _decided({"behavior": "deny", "message": _no(one, text), **({"interrupt": True} if stop else {})})
        case Text(text):
            return _decided({"behavior": "deny", "message": _no(one, text)})
        case Unanswered():
            return ""


def _no(one: Heard, text: str) -> str:
    if one.tool == PLANS:
        return f"The plan was not approved. Revise it: {text}" if text else "The plan was not approved. Revise it."
    return text or "A person denied this."


def _answers(one: Heard, asked: Sequence[Inquiry], answers: Sequence[Answered]) -> dict[str, str]:
    found = {}
    for each, inquiry, answer in zip(_questions(one), asked, answers, strict=True):
        labels = {option.id: option.label for option in inquiry.options}
        offered = each.get("options")
        for number, option in enumerate(offered if isinstance(offered, list) else []):
            if isinstance(option, dict):
                labels[str(number)] = str(option.get("label", ""))  # word for word, as the agent knows them
        match answer:
            case Text(text):
                words = text
            case Chosen(option, text, options=several):
                chosen = [labels.get(name, name) for name in several or ((option,) if option else ())]
                words = ", ".join([*chosen, *([text] if text else [])])
            case Unanswered():
                words = ""
        found[str(each.get("question", ""))] = words
    return found


def _decided(decision: Mapping[str, Any]) -> str:
    return _output("PermissionRequest", decision=decision)


def more_words(texts: Sequence[str]) -> str:
    """At a turn's end: it goes on with what people have said meanwhile."""
    return json.dumps({"decision": "block", "reason": "\n\n".join(texts)})


def beside_prompt(texts: Sequence[str]) -> str:
    """At a turn's beginning: what people had said is told with the terminal's own words."""
    return _output("UserPromptSubmit", additionalContext="\n\n".join(texts))


def _output(event: str, **more: object) -> str:
    return json.dumps({"hookSpecificOutput": {"hookEventName": event, **more}})


# --- progress ---------------------------------------------------------------------------------------------------------


def updates(one: Heard) -> tuple[Update, ...]:
    match one.event:
        case "PreToolUse" if one.tool not in (ASKS, PLANS):
            what = told(one.tool, one.input)
            return (ToolStarted(one.call, what.line, what.kind, what.paths),)
        case "PostToolUse" | "PostToolUseFailure":
            plan = _todos(one)
            return (ToolEnded(one.call, one.event == "PostToolUse"), *((PlanChanged(plan),) if plan else ()))
        case "SubagentStart":
            return (ToolStarted(one.sub, f"Sub-agent: {one.text('agent_type') or 'at work'}"),)
        case "SubagentStop":
            return (ToolEnded(one.sub),)
        case "Stop":
            words = one.text("last_assistant_message")
            return (Trouble(""), BackgroundChanged(background(one)), *((Said(words),) if words else ()))
        case "StopFailure":
            return (Trouble(one_line(one.text("error_details") or one.text("error") or "the model service failed")),)
        case _:
            return ()


def _todos(one: Heard) -> tuple[PlanStep, ...]:
    todos = one.input.get("todos") if one.tool == "TodoWrite" else None
    states = {"pending": StepState.PENDING, "in_progress": StepState.ACTIVE, "completed": StepState.DONE}
    return tuple(
        PlanStep(one_line(str(each.get("content", ""))), states.get(str(each.get("status")), StepState.PENDING))
        for each in (todos if isinstance(todos, list) else [])
        if isinstance(each, dict)
    )


def background(one: Heard) -> tuple[str, ...]:
    found = one.said.get("background_tasks")
    titles = []
    for each in found if isinstance(found, list) else []:
        if isinstance(each, dict) and str(each.get("status", "running")) in ("running", "pending", "in_progress"):
            words = each.get("description") or each.get("command") or each.get("type") or "background task"
            titles.append(one_line(str(words), 120))
    return tuple(titles)
