"""A tool call that needs leave, as a question, and the ruling in Claude Code's words. Pure."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from pathlib import PurePath

from bot.wire.types import ALLOW, ALWAYS, DENY, Option, QuestionKind
from runners.agents.base import Answered, Chosen, Inquiry, Shown, Text, Unanswered
from runners.agents.claude.fields import Json, table, tables, text
from runners.agents.text import exact, one_line, prose

OUR_TOOLS = "mcp__switchboard__"
"""Our own tool asks people anyway: it needs no leave."""
_EDITS = ("Edit", "MultiEdit", "Write", "NotebookEdit")


def short(path: str, cwd: str) -> str:
    try:
        return PurePath(path).relative_to(cwd).as_posix()
    except ValueError:
        return path


def permission_inquiry(request: Json, cwd: str, asker: str) -> Inquiry:
    name, given = text(request, "tool_name"), table(request, "input")
    path = short(text(given, "file_path") or text(given, "notebook_path"), cwd)
    why = _lines(asker, text(given, "description"), text(request, "decision_reason"), _blocked(request, cwd, given))
    options = (Option(ALLOW, "Allow"), *_always(request), Option(DENY, "Deny"))
    key = text(request, "tool_use_id")
    if command := text(given, "command"):
        shown = Shown(f"Run {one_line(exact(command), 70)}?", why, exact(command.strip("\n")))
        stat = none = None  # it is what is decided on
    elif name in _EDITS and path:
        verb = "Write" if name == "Write" else "Edit"
        diff = _diff(given, path)
        added, gone = _count(diff, "+"), _count(diff, "-")
        shown = Shown(f"{verb} {one_line(exact(path), 200)}?", why, exact("\n".join(diff)))
        stat = Shown(shown.title, why, f"{exact(path, 300)} +{added} −{gone}")
        none = Shown(f"{verb} a file?", asker, f"1 file, +{added} −{gone}")
    else:
        title = one_line(text(request, "title") or _use(request, given), 200)
        shown = Shown(title if title.endswith("?") else f"{title}?", why, exact(_raw(given)))
        stat = Shown(shown.title, why, "\n".join(f"{key}: {_size(value)}" for key, value in given.items()))
        none = Shown(f"Use {one_line(name, 60)}?", asker, "")
    return Inquiry(
        kind=QuestionKind.PERMISSION,
        title=shown.title,
        context=shown.context,
        detail=shown.detail,
        options=options,
        allow_text=False,
        stat=stat,
        none=none,
        key=key,
    )


def _use(request: Json, given: Json) -> str:
    name = text(request, "display_name") or text(request, "tool_name") or "a tool"
    what = text(given, "url") or text(given, "query") or text(given, "pattern") or text(given, "file_path")
    return f"Use {name}: {what}" if what else f"Use {name}"


def _blocked(request: Json, cwd: str, given: Json) -> str:
    path = text(request, "blocked_path")
    inside = not path or short(path, cwd) != path
    return "" if inside or path == text(given, "file_path") else f"Outside the worktree: {exact(path, 300)}"


def _lines(*words: str) -> str:
    return "\n".join(dict.fromkeys(prose(word, 2000) for word in words if word.strip()))


def _diff(given: Json, path: str) -> list[str]:
    edits = tables(given, "edits") or [given]
    lines: list[str] = []
    for edit in edits:
        old = text(edit, "old_string").splitlines()
        new = (text(edit, "new_string") or text(edit, "content") or text(edit, "new_source")).splitlines()
        lines += difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="")
    return lines


def _count(diff: list[str], sign: str) -> int:
    return sum(line.startswith(sign) and not line.startswith(sign * 3) for line in diff)


def _raw(given: Json) -> str:
    return json.dumps(given, indent=2, ensure_ascii=False) if given else ""


def _size(value: object) -> str:
    match value:
        case str():
            return f"{len(value.splitlines())} lines" if "\n" in value else f"{len(value)} characters"
        case list() | dict():
            return f"{len(value)} entries"
        case _:
            return str(value)


# --- "always", for this session only ---------------------------------------------------------------------------------


def granted(request: Json) -> list[Json]:
    """What *always* grants: Claude Code's own suggestion, never to its settings files, where every worktree
    would inherit it."""
    rules = [
        suggestion
        for suggestion in tables(request, "permission_suggestions")
        if suggestion.get("type") == "addRules" and suggestion.get("behavior") == "allow" and _names(suggestion)
    ]
    mode = [
        suggestion
        for suggestion in tables(request, "permission_suggestions")
        if suggestion.get("type") == "setMode" and suggestion.get("mode") == "acceptEdits"
    ]
    edits = text(request, "tool_name") in _EDITS
    return [{**each, "destination": "session"} for each in rules or (mode if edits else [])]


def _names(suggestion: Json) -> list[str]:
    return [
        f"{text(rule, 'toolName')}({content})" if (content := text(rule, "ruleContent")) else text(rule, "toolName")
        for rule in tables(suggestion, "rules")
    ]


def _always(request: Json) -> tuple[Option, ...]:
    updates = granted(request)
    if not updates:
        return ()
    names = [name for update in updates for name in _names(update)]
    what = ", ".join(names) if names else "all edits of files in the worktree"
    return (Option(ALWAYS, f"Always allow {one_line(exact(what), 120)} in this session"),)


# --- the ruling ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ruling:
    """``response`` goes back to Claude Code; ``stop`` ends its turn. ``owed``: words for the next prompt, where
    stopping leaves no place for them."""

    response: Json
    stop: bool = False
    owed: str = ""


def allowed(given: Json, updates: list[Json] | None = None) -> Ruling:
    response: Json = {"behavior": "allow", "updatedInput": given}
    return Ruling({**response, "updatedPermissions": updates} if updates else response)


def denied(message: str, *, stop: bool = False, title: str = "") -> Ruling:
    # Of a call that is refused and interrupted, the model never sees the words (2.1.330): they follow later.
    owed = f"You asked: “{title}” The answer was no. {message}" if stop and message != REFUSED else ""
    return Ruling({"behavior": "deny", "message": message}, stop, owed)


REFUSED = "The person said no. Do not try it another way; go on without it, or ask."


def permission_ruling(request: Json, inquiry: Inquiry, answer: Answered) -> Ruling | None:
    """None: nobody answered, so nothing may be said."""
    match answer:
        case Chosen(option=option) if option == ALLOW:
            return allowed(table(request, "input"))
        case Chosen(option=option) if option == ALWAYS:
            return allowed(table(request, "input"), granted(request))
        case Chosen(text=words, then_stop=stop):
            return denied(words.strip() or REFUSED, stop=stop, title=inquiry.title)
        case Text(text=words):
            return denied(words.strip() or REFUSED)  # text never grants
        case Unanswered():
            return None
