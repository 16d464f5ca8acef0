"""Modals. Each form's input blocks are named after the field they fill, so that a problem shows beside its field."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from bot.domain.intents import Prefs, StartOffers
from bot.slack import text
from bot.slack.blocks.kit import VIEW_BLOCKS, Block, Card, mrkdwn, option, plain, section
from bot.wire.types import Question


class Form(StrEnum):
    """A modal's ``callback_id``."""

    START = "start"
    ANSWER = "answer"
    DENY = "deny"
    REVISE = "revise"
    SEND_BACK = "send_back"
    TELL = "tell"
    PREFS = "prefs"
    STOP = "stop"
    RESET = "reset"
    NOTE = "note"


@dataclass(frozen=True)
class Context:
    """What a modal must remember of where it was opened: its ``private_metadata``."""

    ref: str = ""
    arg: str = ""
    channel: str = ""
    thread_ts: str = ""
    ts: str = ""

    def pack(self) -> str:
        return json.dumps({key: value for key, value in asdict(self).items() if value}, separators=(",", ":"))


def context_of(packed: object) -> Context:
    """Tolerant: whatever is not ours reads as empty."""
    try:
        found = json.loads(packed) if isinstance(packed, str) else {}
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        return Context()
    known = Context.__dataclass_fields__
    return Context(**{key: value for key, value in found.items() if key in known and isinstance(value, str)})


def modal(form: Form, title: str, blocks: Sequence[Block], context: Context, submit: str = "") -> Block:
    view: Block = {
        "type": "modal",
        "callback_id": form.value,
        "title": plain(title, 24),
        "close": plain("Cancel" if submit else "Close", 24),
        "private_metadata": context.pack(),
        "blocks": list(blocks[:VIEW_BLOCKS]),
    }
    return {**view, "submit": plain(submit, 24)} if submit else view


def _input(name: str, label: str, element: Block, hint: str = "", optional: bool = False) -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain(label, 2000),
        "element": {**element, "action_id": name},
        "optional": optional,
    }
    return {**block, "hint": plain(hint, 2000)} if hint else block


def _write(initial: str = "", lines: bool = False, placeholder: str = "", focus: bool = False) -> Block:
    element: Block = {"type": "plain_text_input", "multiline": lines}
    if initial:
        element["initial_value"] = text.cut(text.clean(initial), 2900)
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    if focus:
        element["focus_on_load"] = True
    return element


def _pick(names: Sequence[str], default: str, placeholder: str) -> Block:
    """A menu, or plain writing where nothing is known to choose from."""
    if not names:
        return _write(default)
    options = [option(name, text.cut(name, 150) or "-") for name in names[:100]]
    element: Block = {"type": "static_select", "options": options, "placeholder": plain(placeholder, 150)}
    if default in names[:100]:
        element["initial_option"] = options[names.index(default)]
    return element


def waiting(form: Form, title: str) -> Block:
    """Stands in while the real form is being made: Slack lets a form be opened for three seconds only."""
    return modal(form, title, [section("One moment…")], Context())


def start(offers: StartOffers, context: Context, task: str = "") -> Block:
    """``offers.problem`` is ready mrkdwn; where nothing can be started, it is all there is to show."""
    if offers.problem and not offers.repos:
        return note(f"⚠️ {offers.problem}", "Start a session")
    base = offers.base_of.get(offers.default_repo, "")
    blocks = [
        _input("task", "Task", _write(task, lines=True, placeholder="What should the agent do?", focus=True)),
        _input("repo", "Repository", _pick(offers.repos, offers.default_repo, "Choose a repository")),
        _input("agent", "Agent", _pick(offers.agents, "", "The repository's own"), optional=True),
        _input("base", "Base branch", _write(placeholder=base or "The repository's own"), optional=True),
        _input(
            "scope",
            "Allowed paths",
            _write(placeholder="src/**, tests/**"),
            "Empty: wherever the repository allows.",
            optional=True,
        ),
        _input("reviewer", "Reviewer", {"type": "users_select"}, "Empty: you review it.", optional=True),
        _input("name", "Name", _write(placeholder="Made from the task"), optional=True),
        _input(
            "budget",
            "Budget in US dollars",
            _write(placeholder="No limit"),
            "Once spent, it rests and asks.",
            optional=True,
        ),
    ]
    return modal(Form.START, "Start a session", blocks, context, "Start")


def answer(question: Question, name: str, context: Context) -> Block:
    return modal(Form.ANSWER, "Answer", [*_asked(question, name), _text("Your answer")], context, "Answer")


def deny(question: Question, name: str, context: Context) -> Block:
    box: Block = {"type": "checkboxes", "options": [option("End its turn as well", "stop")]}
    blocks = [
        *_asked(question, name),
        _text("Deny, and tell it", "What should it do instead, or why not?"),
        _input("stop", "And stop", box, optional=True),
    ]
    return modal(Form.DENY, "Deny and tell it", blocks, context, "Deny")


def revise(question: Question, name: str, context: Context) -> Block:
    blocks = [*_asked(question, name), _text("What should change?", "The agent makes a new plan from this.")]
    return modal(Form.REVISE, "Revise the plan", blocks, context, "Send")


def send_back(name: str, commit: str, context: Context) -> Block:
    head = section(f"*{text.line(name, 80)}* at {text.inline(commit[:7], 12)} goes back to its agent, which works on.")
    return modal(Form.SEND_BACK, "Send back", [head, _text("What should change?")], context, "Send back")


def tell(name: str, context: Context) -> Block:
    words = f"The agent of *{text.line(name, 80) or 'this session'}* gets this as its next prompt."
    if context.arg:  # from a card that says so
        words = "It runs in a terminal, and reads this when a turn of its own ends or begins."
    head = section(words)
    return modal(Form.TELL, "Tell the session", [head, _text("Prompt")], context, "Send")


def stop(name: str, context: Context) -> Block:
    words = f"*{text.line(name, 80) or 'This session'}* stops. Its branch and commits stay."
    return modal(Form.STOP, "Stop the session", [section(words)], context, "Stop it")


def reset(name: str, context: Context) -> Block:
    words = f"The agent of *{text.line(name, 80) or 'this session'}* forgets this conversation once its turn is over."
    kept = "Its files and commits stay, and so does what runs in the background, where the agent can keep it."
    return modal(Form.RESET, "Reset the session", [section(f"{words}\n{kept}")], context, "Reset it")


def prefs(now: Prefs, context: Context) -> Block:
    hint = "every 30m · every 2h · off · or a crontab line such as 0 9,13,17 * * mon-fri"
    blocks = [
        _input("digest", "Digest", _write(now.digest), hint),
        _input("tz", "Time zone", _write(now.tz, placeholder="Europe/Berlin"), "Empty: as in Slack.", optional=True),
        *([section(f"Next digest: {text.line(now.next_digest, 200)}")] if now.next_digest else []),
    ]
    return modal(Form.PREFS, "Preferences", blocks, context, "Save")


def note(ready: str, title: str = "Switchboard") -> Block:
    """Says something where no message can: ``ready`` is mrkdwn."""
    return modal(Form.NOTE, title, Card().say(ready).blocks or [section("-")], Context())


def whole(question: Question, name: str) -> Block:
    """All of a question, however long: as much as Slack lets a modal hold."""
    blocks = [section(f"*{text.line(name, 80)}* · {text.prose(question.title, 2800)}")]
    blocks += [section(text.prose(piece, 3000)) for piece in _pieces(question.context)]
    blocks += [section(text.fence(piece, 3000)) for piece in _pieces(question.detail)]
    for place, choice in enumerate(question.options[:80], 1):
        pieces = _pieces(f"{choice.label}\n{choice.description}".strip())
        blocks += [section(f"*{place}* {text.prose(piece, 2900)}") for piece in pieces]
    shown: list[Block] = []
    room = 200_000
    for block in blocks:
        room -= len(json.dumps(block))
        if room < 0 or len(shown) == VIEW_BLOCKS - 1:
            shown.append({"type": "context", "elements": [mrkdwn("The rest is longer than Slack can show.")]})
            break
        shown.append(block)
    return modal(Form.NOTE, "In full", shown, Context())


def _pieces(long: str, length: int = 2200) -> list[str]:
    """Parts of at most ``length`` characters, at line ends where there are some. Escaping may still lengthen them."""
    rest = text.clean(long).strip()
    parts: list[str] = []
    while rest and len(parts) < 60:
        end = length if len(rest) > length else len(rest)
        if end < len(rest) and (turn := rest.rfind("\n", length // 2, end)) > 0:
            end = turn
        while end > 1 and text.size(text.escape(rest[:end])) > 2700:
            end = end * 2 // 3
        parts.append(rest[:end])
        rest = rest[end:].lstrip("\n")
    return parts


def _text(label: str, hint: str = "") -> Block:
    return _input("text", label, _write(lines=True, focus=True), hint)


def _asked(question: Question, name: str) -> list[Block]:
    asked = [section(f"*{text.line(name, 80)}* · {text.line(question.title, 500) or 'A question'}")]
    if context := text.prose(question.context, 1500):
        asked.append(section(context))
    if question.detail.strip():
        asked.append(section(text.fence(question.detail, 1500)))
    return asked
