"""A question as it may leave this machine: shared, redacted, cut to size. Pure."""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec.structs import replace

from bot.wire.types import DENY, REVISE, Option, Question, QuestionId, QuestionKind, Share, Urgency
from runners.agents.base import Inquiry
from runners.redact import redact
from runners.runner.progress import one_line
from runners.runner.session import KEPT_OPEN

TITLE, CONTEXT, DETAIL, LABEL, MOST_OPTIONS = 300, 8_000, 60_000, 3_000, 100
CUT = "\n… (cut: too long for one message)"
TOO_LONG = (
    "It is too long to be shown whole, so it cannot be allowed from here. Deny it, and say how to ask for less at a "
    "time: in steps, or from a file."
)
REFUSALS = (DENY, REVISE)
_REFUSE = {QuestionKind.PERMISSION: Option(DENY, "Deny"), QuestionKind.PLAN: Option(REVISE, "Ask for changes")}


def kept_back(inquiry: Inquiry, share: Share) -> bool:
    """Something of it stays on this machine: whoever decides with the host before them can read it there."""
    return bool(inquiry.detail) and (inquiry.words(share).detail != inquiry.detail or len(inquiry.detail) > DETAIL)


def unseen(inquiry: Inquiry, share: Share) -> bool:
    """It asks for leave, and is too long to be shown: nobody can know what they would allow."""
    words = inquiry.words(share)
    long = len(words.detail) > DETAIL or len(words.context) > CONTEXT
    return inquiry.kind not in KEPT_OPEN and (long or (not words.detail and len(words.title) > TITLE))


def key(inquiry: Inquiry, name: str) -> str:
    """The agent's name of a request. What it lets the agent do is part of it: a grant never reaches anything else."""
    if not name or inquiry.kind in KEPT_OPEN:
        return name
    content = "\0".join((inquiry.kind, inquiry.title, inquiry.detail))
    return f"{name} {hashlib.sha256(content.encode('utf-8', 'replace')).hexdigest()[:16]}"


def question(
    inquiry: Inquiry, number: QuestionId, share: Share = Share.STAT, whole: Path | None = None, group: str = ""
) -> Question:
    """A choice of nothing is a request for text. ``whole`` is where the rest of it can be read."""
    words = inquiry.words(share)
    rest = f"\nIt is shown whole on its host, in {whole}" if whole else ""
    kind = QuestionKind.TEXT if inquiry.kind is QuestionKind.CHOICE and not inquiry.options else inquiry.kind
    urgency = _urgency(inquiry.urgency, kind)
    options = () if kind is QuestionKind.TEXT else inquiry.options[:MOST_OPTIONS]
    hidden = unseen(inquiry, share)
    if hidden:
        options = tuple(option for option in options if option.id in REFUSALS) or (_REFUSE[kind],)
        rest = f"\n{TOO_LONG}{rest}"
    default = inquiry.default if any(each.id == inquiry.default for each in options) else _cut(inquiry.default, TITLE)
    return Question(
        id=number,
        kind=kind,
        title=redact(one_line(_plain(words.title), TITLE)) or "A question without words",
        context=(_cut(words.context, CONTEXT) + rest).lstrip("\n"),
        detail=_cut(words.detail, DETAIL),
        options=tuple(_option(option) for option in options),
        allow_text=inquiry.allow_text or hidden or kind is QuestionKind.TEXT,
        multiple=inquiry.multiple and kind is QuestionKind.CHOICE,
        group=group,
        urgency=urgency,
        default=default if urgency is Urgency.ASSUMED else "",
        until=inquiry.until if urgency in (Urgency.ASSUMED, Urgency.INFO) else None,
    )


def _urgency(wanted: Urgency, kind: QuestionKind) -> Urgency:
    """What an agent calls urgent is blocking; a permission or a plan is never assumed."""
    if kind in (QuestionKind.PERMISSION, QuestionKind.PLAN) or wanted is Urgency.URGENT:
        return Urgency.BLOCKING
    return wanted


def _option(option: Option) -> Option:
    return replace(
        option,
        label=redact(one_line(_plain(option.label), LABEL)) or option.id,
        description=_cut(option.description, LABEL),
    )


def _plain(text: str) -> str:
    return text.replace("\0", "")


def _cut(text: str, most: int) -> str:
    clean = redact(_plain(text))
    return clean if len(clean) <= most else clean[:most] + CUT
