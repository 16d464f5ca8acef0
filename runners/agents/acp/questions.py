"""Questions that an agent puts as a permission request, and their answers beside its outcome. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acp.schema import RequestPermissionResponse

from bot.wire.types import Option, QuestionKind
from runners.agents.acp.calls import Call
from runners.agents.base import Answered, Chosen, Inquiry, Unanswered
from runners.agents.text import heading, one_line, prose

MOST_QUESTIONS, MOST_OPTIONS = 20, 100


class Filled(RequestPermissionResponse):
    """An outcome with the answers, as Qwen Code reads them: by the question's position, several joined by commas."""

    answers: dict[str, str]


def inquiries(call: Call) -> tuple[Inquiry, ...]:
    """The questions in a call; none: it carries none."""
    asked = call.raw.get("questions") if isinstance(call.raw, dict) else None
    if not isinstance(asked, list) or not all(_is_question(item) for item in asked):
        return ()
    return tuple(_inquiry(item) for item in asked[:MOST_QUESTIONS])


def answers(asked: Sequence[Inquiry], given: Sequence[Answered]) -> dict[str, str] | None:
    """None: they were withdrawn."""
    if any(isinstance(answer, Unanswered) for answer in given):
        return None
    pairs = zip(asked, given, strict=True)
    return {str(number): _words(inquiry, answer) for number, (inquiry, answer) in enumerate(pairs)}


def _words(inquiry: Inquiry, answer: Answered) -> str:
    if not isinstance(answer, Chosen):
        return "" if isinstance(answer, Unanswered) else answer.text
    ids = answer.options or (answer.option,)
    return ", ".join(option.label for option in inquiry.options if option.id in ids) or "None of these"


def _is_question(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("question"), str) and bool(item["question"].strip())


def _inquiry(item: dict[str, Any]) -> Inquiry:
    title, rest = heading(item["question"])
    head = item.get("header")
    listed = [o for o in item.get("options") or () if isinstance(o, dict) and isinstance(o.get("label"), str)]
    options = tuple(
        Option(f"o{number}", one_line(option["label"], 3000), prose(str(option.get("description") or ""), 3000))
        for number, option in enumerate(listed[:MOST_OPTIONS])
    )
    return Inquiry(
        QuestionKind.CHOICE if options else QuestionKind.TEXT,
        title,
        "\n".join(filter(None, (one_line(head) if isinstance(head, str) else "", rest))),
        options=options,
        multiple=item.get("multiSelect") is True and bool(options),
    )
