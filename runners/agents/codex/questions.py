"""Codex's requests as questions, and the answers in Codex's words. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from bot.wire.types import ALLOW, ALWAYS, APPROVE, DENY, REVISE, Option, QuestionKind
from runners.agents.base import Answered, Chosen, Inquiry, Shown, Text, Unanswered
from runners.agents.codex import changes as files
from runners.agents.codex.rpc import Json, table, tables
from runners.agents.text import exact, heading, one_line, prose

PLAN_OPTIONS = (Option(APPROVE, "Approve"), Option(REVISE, "Revise"))
_SHELLS = frozenset(("bash", "sh", "zsh"))
_MARK = re.compile(r"\s*\((?:recommended|default)\)\s*$", re.IGNORECASE)
_HUSH = "It is marked as secret: what is typed here can be read by everybody in this channel."


def options(always: str) -> tuple[Option, ...]:
    """``always`` says exactly what is granted for the rest of the session; empty: nothing can be."""
    more = (Option(ALWAYS, always),) if always else ()
    return (Option(ALLOW, "Allow"), *more, Option(DENY, "Deny"))


def key(params: Json) -> str:
    """One name for one request, also when a later connection is told of it: ids of messages begin anew."""
    own = params.get("approvalId") or params.get("startedAtMs") or ""
    return f"codex:{params.get('threadId', '')}:{params.get('itemId', '')}:{own}".rstrip(":")


def command_inquiry(params: Json, cwd: str) -> Inquiry:
    command = script(params.get("command"))
    match params.get("networkApprovalContext"):
        case {"host": str(host), **more}:
            how = more.get("protocol")
            title = f"Let it reach {one_line(exact(host), 200)}?"
            reach = f"Over {one_line(how)}" if isinstance(how, str) else ""
            always = "Allow this host for the session"
        case _ if params.get("kind") == "writeStdin":
            title, reach, always = "Type into a running command?", "", ""
        case _:
            title = f"Run {one_line(exact(command), 70)}?" if command else "Run a command?"
            reach, always = "", "Allow this same command for the session"
    where = params.get("cwd")
    place = f"In {exact(where, 300)}" if isinstance(where, str) and where != cwd else ""
    context = _lines(_reason(params), reach, _wants(params.get("additionalPermissions")), place)
    detail = exact(command)
    return Inquiry(
        QuestionKind.PERMISSION, title, context, detail, options(always), allow_text=False, key=key(params),
        # A command is what is decided on: it is shown to whoever decides, however little code is shared.
        stat=Shown(title, context, detail), none=Shown(title, context, detail),
    )  # fmt: skip


def script(command: Any) -> str:
    """What the shell is given, without the shell itself."""
    if not isinstance(command, str):
        return ""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if len(words) == 3 and words[0].rpartition("/")[2] in _SHELLS and words[1] in ("-c", "-lc"):
        return words[2]
    return command


def change_inquiry(params: Json, changed: Sequence[files.Change]) -> Inquiry:
    why = _reason(params)
    root = params.get("grantRoot")
    wider = f"It asks to write below {exact(root, 300)} for the rest of the session." if isinstance(root, str) else ""
    if not changed:
        title = "Change files?"
        lost = "What it would change is not known: this runner was not there when it was proposed."
        return Inquiry(
            QuestionKind.PERMISSION, title, _lines(why, wider, lost), options=options(""), allow_text=False,
            key=key(params), none=Shown(title, _lines(why, lost)),
        )  # fmt: skip
    names = ", ".join(change.path for change in changed[:3])
    rest = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    title = f"Edit {one_line(exact(names), 200)}{rest}?"
    context = _lines(why, wider)
    return Inquiry(
        QuestionKind.PERMISSION, title, context, files.whole(changed),
        options("Allow changes to these files for the session"), allow_text=False, key=key(params),
        stat=Shown(title, context, files.stat(changed)),
        none=Shown(f"Edit {files.files(len(changed))}?", _lines(why), files.counts(changed)),
    )  # fmt: skip


def grant_inquiry(params: Json) -> Inquiry:
    wants = _wants(params.get("permissions"))
    title = "Give it more rights?"
    context = _reason(params)
    return Inquiry(
        QuestionKind.PERMISSION, title, context, wants, options("Allow this for the session"), allow_text=False,
        key=key(params), none=Shown(title, context, "Rights beyond its worktree"),
    )  # fmt: skip


def tool_inquiry(params: Json, name: str) -> Inquiry:
    """An MCP tool that wants a permission: Codex puts it as an empty form."""
    meta = table(params.get("_meta"))
    server = one_line(str(params.get("serverName", "")), 60)
    tool = _tool(params)
    title = f"Use {tool} of {server}?" if tool else one_line(str(params.get("message", "")), 200)
    given = table(meta.get("tool_params"))
    detail = "\n".join(f"{exact(str(word), 100)}: {exact(_value(value))}" for word, value in given.items())
    names = "\n".join(exact(str(word), 100) for word in given)
    about = prose(str(meta.get("tool_description") or ""), 500)
    lasting = meta.get("persist")
    always = "Allow this tool for the session" if isinstance(lasting, list) and "session" in lasting else ""
    return Inquiry(
        QuestionKind.PERMISSION, title, about, detail, options(always), allow_text=False, key=name,
        stat=Shown(title, about, names), none=Shown(title, about),
    )  # fmt: skip


def _tool(params: Json) -> str:
    found = re.search(r'tool "([^"]{1,100})"', str(params.get("message", "")))
    return one_line(found[1], 100) if found else ""


def _value(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _reason(params: Json) -> str:
    why = params.get("reason")
    return prose(why, 2000) if isinstance(why, str) else ""


def _wants(found: Any) -> str:
    """Rights beyond the sandbox, in words."""
    if not isinstance(found, dict):
        return ""
    told = []
    if isinstance(net := found.get("network"), dict) and net.get("enabled"):
        told.append("Wants to reach the network")
    files_ = found.get("fileSystem")
    if isinstance(files_, dict):
        for word in ("read", "write"):
            paths = files_.get(word)
            for path in paths if isinstance(paths, list) else ():
                told.append(f"Wants to {word} {exact(str(path), 300)}")
        for entry in tables(files_.get("entries")):
            told.append(f"Wants {exact(str(entry), 300)}")
    return "\n".join(told)


def _lines(*words: str) -> str:
    return "\n".join(dict.fromkeys(word for word in words if word))


def of_helper(inquiry: Inquiry) -> Inquiry:
    """Asked by a sub-agent."""

    def told(shown: Shown | None) -> Shown | None:
        return shown and replace(shown, context=_lines("Asked by a sub-agent.", shown.context))

    context = _lines("Asked by a sub-agent.", inquiry.context)
    return replace(inquiry, context=context, stat=told(inquiry.stat), none=told(inquiry.none))


# --- answers to permissions -----------------------------------------------------------------------------------------


def decision(answer: Answered) -> str:
    """``decline``: the model goes on without; ``cancel``: its turn ends."""
    match answer:
        case Chosen(option="allow"):
            return "accept"
        case Chosen(option="always"):
            return "acceptForSession"
        case Chosen(then_stop=True) | Unanswered():
            return "cancel"
        case _:
            return "decline"


def reason(inquiry: Inquiry, answer: Answered) -> str:
    """A person's words with a denial, as the model is to hear them: Codex has no place for them in its answer."""
    if isinstance(answer, Unanswered) or decision(answer) not in ("decline", "cancel") or not answer.text.strip():
        return ""
    return f"You asked: “{inquiry.title}” The answer was no. {answer.text.strip()}"


def grant(params: Json, answer: Answered) -> Json:
    wanted = params.get("permissions")
    given = decision(answer)
    if given not in ("accept", "acceptForSession") or not isinstance(wanted, dict):
        return {"permissions": {}, "scope": "turn"}
    named = {word: value for word, value in wanted.items() if value is not None}
    return {"permissions": named, "scope": "session" if given == "acceptForSession" else "turn"}


def tool_answer(answer: Answered) -> Json:
    match decision(answer):
        case "accept":
            return {"action": "accept", "content": {}, "_meta": None}
        case "acceptForSession":
            return {"action": "accept", "content": {}, "_meta": {"persist": "session"}}
        case "cancel":
            return {"action": "cancel", "content": None, "_meta": None}
        case _:
            return {"action": "decline", "content": None, "_meta": None}


# --- questions of the model's own -----------------------------------------------------------------------------------


def asked(params: Json) -> tuple[tuple[str, Inquiry], ...]:
    """``requestUserInput``: pairs of Codex's question id and the question."""
    found = []
    for entry in tables(params.get("questions")):
        if isinstance(entry.get("id"), str):
            found.append((entry["id"], _question(entry, f"{key(params)}/{entry['id']}")))
    return tuple(found)


def _question(entry: Json, name: str) -> Inquiry:
    title, rest = heading(str(entry.get("question") or entry.get("header") or "The agent asks"))
    context = _lines(rest, _HUSH if entry.get("isSecret") else "")
    return choice(title, context, entry.get("options"), name)


def choice(title: str, context: str, offered: Any, name: str) -> Inquiry:
    found = []
    for number, option in enumerate(offered if isinstance(offered, list) else (), 1):
        entry = {"label": option} if isinstance(option, str) else option
        if isinstance(entry, dict) and isinstance(label := entry.get("label"), str):
            words = one_line(_MARK.sub("", label), 3000) or f"Option {number}"
            about = prose(str(entry.get("description") or ""), 3000)
            found.append(Option(f"option-{number}", words, about, recommended=bool(_MARK.search(label))))
    kind = QuestionKind.CHOICE if found else QuestionKind.TEXT
    return Inquiry(kind, title, context, options=tuple(found), allow_text=True, key=name)


def input_result(params: Json, answers: Sequence[Answered]) -> Json:
    """The result of ``requestUserInput``: an option is said in the model's own words."""
    labels = {str(entry.get("id")): tables(entry.get("options")) for entry in tables(params.get("questions"))}
    given = {}
    for (id_, inquiry), answer in zip(asked(params), answers, strict=True):
        given[id_] = {"answers": _said(inquiry, answer, labels[id_])}
    return {"answers": given}


def _said(inquiry: Inquiry, answer: Answered, labels: list[Json]) -> list[str]:
    match answer:
        case Chosen(text=text):
            chosen = [_label(option, labels) for option in answer.options or (answer.option,) if option]
            return [*chosen, *([f"user_note: {text}"] if text.strip() else [])]
        case Text(text=text):
            named = _named(inquiry, text)
            return [_label(named, labels)] if named else [f"user_note: {text}" if inquiry.options else text]
        case Unanswered():
            return []


def _label(option: str, labels: list[Json]) -> str:
    try:
        return str(labels[int(option.removeprefix("option-")) - 1]["label"])
    except (ValueError, IndexError, KeyError, TypeError):
        return option


def _named(inquiry: Inquiry, text: str) -> str:
    wanted = text.strip().casefold()
    return next((option.id for option in inquiry.options if option.label.casefold() == wanted), "")


def later(item: Json) -> tuple[Inquiry, ...]:
    """Questions a model leaves behind while it goes on; their answers are messages."""
    name = f"codex:{item.get('id', '')}"
    told = []
    for number, entry in enumerate(tables(item.get("questions")), 1):
        if isinstance(entry.get("title"), str):
            title, rest = heading(entry["title"])
            inquiry = choice(title, rest, entry.get("options"), f"{name}/{number}")
            # The model is told to put the answer first that it recommends.
            first = tuple(structs.replace(option, recommended=True) for option in inquiry.options[:1])
            told.append(replace(inquiry, options=(*first, *inquiry.options[1:])))
    return tuple(told)


def later_words(inquiries: Sequence[Inquiry], answers: Sequence[Answered]) -> str:
    lines = []
    for inquiry, answer in zip(inquiries, answers, strict=True):
        if isinstance(answer, Unanswered):
            continue
        labels = {option.id: option.label for option in inquiry.options}
        picked = (answer.options or (answer.option,)) if isinstance(answer, Chosen) else ()
        words = [labels.get(option, option) for option in picked if option] + [answer.text.strip()]
        lines.append(f"You asked: “{inquiry.title}” The answer: {', '.join(word for word in words if word)}")
    return "\n".join(lines)
