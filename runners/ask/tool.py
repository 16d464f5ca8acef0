"""The tool ``ask_human`` as a model reads it, and what it gets back. Pure; every word of it costs tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from bot.wire.types import Urgency
from runners.agents.base import Answered, Chosen, Inquiry, Text, Unanswered
from runners.ask.calls import MOST_OPTIONS, MOST_QUESTIONS, Call

NAME = "ask_human"
DESCRIPTION = """\
Ask the people who own this work. Gather all open questions into ONE call: they stand on one card.
blocking: you need the answer before you can go on; the call waits for it. If it returns without one, the question \
stays open.
assumed: you go on with `default` at once; a person may object until `within` is over, and you are told. Prefer this \
for whatever can be taken back.
Do not ask for permission to run tools here, nor what you can find out yourself. The same words are the same question: \
asking twice is harmless; to ask anew what was answered before, give a new `id`."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "questions": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_QUESTIONS,
            "items": {
                "type": "object",
                "properties": {
                    "question": {
                        "type": "string",
                        "description": "One line that stands alone: it is read on a phone's lock screen.",
                    },
                    "context": {"type": "string", "description": "What decides it, in two or three short lines."},
                    "options": {
                        "type": "array",
                        "maxItems": MOST_OPTIONS,
                        "description": "Leave out for a free-text answer.",
                        "items": {
                            "type": "object",
                            "properties": {
                                "label": {"type": "string", "description": "A few words, on a button."},
                                "description": {"type": "string", "description": "What it costs and brings."},
                                "recommended": {"type": "boolean"},
                            },
                            "required": ["label"],
                        },
                    },
                    "multiple": {"type": "boolean", "description": "Several options may be chosen."},
                    "urgency": {"type": "string", "enum": ["blocking", "assumed"]},
                    "default": {"type": "string", "description": "With assumed: the option, or words, you go on with."},
                    "within": {
                        "type": "string",
                        "description": "With assumed: how long a person may object, as 30m or 4h (4h).",
                    },
                },
                "required": ["question"],
            },
        },
        "id": {"type": "string", "description": "Your own name for this call; seldom needed."},
    },
    "required": ["questions"],
}

TOOL: dict[str, Any] = {
    "name": NAME,
    "title": "Ask the people who own this work",
    "description": DESCRIPTION,
    "inputSchema": SCHEMA,
    # It changes nothing, and the same call is the same question: clients need not ask before they call it.
    "annotations": {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False},
}

Outcome: TypeAlias = tuple[Answered | None, ...]
"""In the order of the questions; None: nobody has answered yet."""


def result(call: Call, outcome: Outcome, *, comes: bool) -> str:
    """What the model reads. ``comes``: an answer that is not here yet reaches it as a message by itself."""
    lines = [_line(asked, answered) for asked, answered in zip(call.questions, outcome, strict=True)]
    if len(lines) > 1:
        lines = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
    waits = [
        answered is None and asked.urgency is Urgency.BLOCKING
        for asked, answered in zip(call.questions, outcome, strict=True)
    ]
    if any(waits):
        lines.append(PARKED if comes else PARKED_BY_HAND)
    return "\n".join(lines)


PARKED = (
    "Posted, no answer yet; nothing is lost. If there is other work that does not depend on it, do that. Otherwise "
    "end your turn now: the answer comes as your next message. Do not wait, poll or guess."
)
PARKED_BY_HAND = (
    "Posted, no answer yet; nothing is lost. Go on with what does not depend on it, then call this tool again with "
    "the same questions: it waits on, or returns the answer."
)


def _line(asked: Inquiry, answered: Answered | None) -> str:
    match answered:
        case None if asked.urgency is Urgency.ASSUMED:
            return (
                f"{asked.title} Go on with “{label(asked, asked.default)}”. A person may object "
                f"{_until(asked.until)}; you would be told."
            )
        case None if asked.urgency is Urgency.INFO:
            return f"{asked.title} Posted for their next look; go on."
        case None:
            return f"{asked.title} (open)"
        case Unanswered(reason):
            return f"{asked.title} Closed without an answer: {reason}."
        case _:
            return f"{asked.title} {said(asked, answered)}"


def said(asked: Inquiry, answered: Answered) -> str:
    """An answer in words, labels before ids."""
    match answered:
        case Text(text):
            return text
        case Chosen() as chosen:
            labels = ", ".join(label(asked, each) for each in chosen_ids(chosen)) or "(none of these)"
            return f"{labels}: {chosen.text}" if chosen.text else labels
        case Unanswered(reason):
            return f"(no answer: {reason})"


def chosen_ids(chosen: Chosen) -> Sequence[str]:
    return chosen.options or ((chosen.option,) if chosen.option else ())


def label(asked: Inquiry, option: str) -> str:
    return next((each.label for each in asked.options if each.id == option), option)


def _until(until: datetime | None) -> str:
    return f"until {until:%H:%M} UTC on {until:%d %b}" if until else "for a while"
