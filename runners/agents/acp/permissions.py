"""ACP's permission requests and plan approvals as questions, and the answers in ACP's words. Pure."""

from __future__ import annotations

import difflib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from acp.schema import PermissionOption

from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, REVISE, Option, QuestionKind
from runners.agents.acp import sharing
from runners.agents.acp.calls import Call
from runners.agents.base import Answered, Chosen, Inquiry, Shown, Text, Unanswered
from runners.agents.text import exact, one_line, prose

YES, NO = Option(ALLOW, "Allow"), Option(DENY, "Deny")
PLAN_OPTIONS = (Option(APPROVE, "Approve"), Option(REVISE, "Revise"))


def permission_inquiry(call: Call, cwd: str, always: str = "") -> Inquiry:
    """``always`` says what may be granted for the whole session; empty: nothing."""
    command = _command(call) or (call.title.strip() if call.kind == "execute" and not call.raw else "")
    detail = exact(command) or exact("\n".join(_diff(*diff) for diff in call.diffs)) or exact(_raw(call))
    title, why, place = _ask_for(call, command), _why(call), _elsewhere(call, cwd)
    texts = [prose(text, 4000) for text in call.texts]
    full = Shown(title, _lines([*texts, *why, *place], command), detail)
    words = _lines([*sharing.without_code(call, texts), *why, *place], command)
    if command:
        stat = none = Shown(title, words, detail)  # it is what is decided on
    else:
        stat = Shown(title, words, sharing.stat(call))
        none = Shown(sharing.nameless_title(call), _lines([*why], ""), sharing.counts(call))
    return Inquiry(
        kind=QuestionKind.PERMISSION,
        title=full.title,
        context=full.context,
        detail=full.detail,
        options=(YES, Option(ALWAYS, always), NO) if always else (YES, NO),
        allow_text=False,
        stat=stat,
        none=none,
    )


def _why(call: Call) -> list[str]:
    """The agent's own reason."""
    if not isinstance(call.raw, dict):
        return []
    return [prose(v, 2000) for key in ("description", "reason") if isinstance(v := call.raw.get(key), str)]


def _elsewhere(call: Call, cwd: str) -> list[str]:
    where = (call.raw.get("cwd") or call.raw.get("workdir")) if isinstance(call.raw, dict) else None
    return [f"In {exact(where, 300)}"] if isinstance(where, str) and PurePath(where) != PurePath(cwd) else []


def _lines(words: Sequence[str], command: str) -> str:
    """Nothing twice, and not the command again."""
    return "\n".join(word for word in dict.fromkeys(words) if word and word.strip("`\n ") != command.strip())


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


def lasting(options: Sequence[PermissionOption], known: tuple[str, ...]) -> PermissionOption | None:
    """The option that grants all like it, of those ``known`` to end with the session."""
    for option in options:
        if option.kind == "allow_always" and option.option_id in known:
            return option
    return None


@dataclass(frozen=True)
class Ruling:
    """What goes back to the agent. ``option`` None: cancelled. ``owed``: words that ACP has no place for."""

    option: str | None
    owed: str = ""
    stop: bool = False


def ruling(
    inquiry: Inquiry, answer: Answered, options: Sequence[PermissionOption], always: PermissionOption | None = None
) -> Ruling:
    match answer:
        case Chosen(option=option) if option == ALWAYS and always is not None:
            return Ruling(always.option_id)
        case Chosen(option=option) if option in (ALLOW, APPROVE):
            return Ruling(pick(options, "allow_once", "allow_always"))
        case Chosen() | Text():
            no = pick(options, "reject_once", "reject_always")
            return Ruling(no, reason(inquiry, answer.text), isinstance(answer, Chosen) and answer.then_stop)
        case Unanswered():
            return Ruling(None)


def reason(inquiry: Inquiry, text: str) -> str:
    """A denial's words, as the agent is told them in its next prompt."""
    if not text.strip():
        return ""
    if inquiry.kind is QuestionKind.PLAN:
        return f"Your plan was not approved yet. Revise it: {text.strip()}"
    return f"You asked: “{inquiry.title}” The answer was no. {text.strip()}"


def pick(options: Sequence[PermissionOption], *kinds: str) -> str | None:
    """The id of the first option of one of these kinds, in the order of the kinds."""
    for kind in kinds:
        for option in options:
            if option.kind == kind:
                return option.option_id
    return None
