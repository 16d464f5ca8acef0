"""What a click or a submitted form asks for: an intent, or another form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, assert_never

from bot.domain.intents import (
    AnswerText,
    Choose,
    DigestNow,
    Drop,
    Intent,
    Later,
    Merge,
    Note,
    Pause,
    ReplyAs,
    Reset,
    Resume,
    SendBack,
    SetPrefs,
    SetWake,
    Start,
    Status,
    Steer,
    Stop,
    Tell,
    Unsend,
)
from bot.domain.views import QuestionCard
from bot.slack.actions import Act, Verb
from bot.slack.blocks.forms import Form
from bot.slack.commands import globs, money
from bot.slack.payloads import Submitted
from bot.wire.types import DENY, REVISE, PersonId, PromptId, QuestionId, ReviewId


@dataclass(frozen=True)
class Opens:
    """The click opens a form."""

    verb: Verb


class Questions(Protocol):
    async def question(self, id: QuestionId) -> QuestionCard | None: ...  # noqa: A002 - the service's own name


Ticked: TypeAlias = Mapping[str, tuple[Act, ...]]
GONE = Note("This question is not there any more; its session may have ended.", problem=True)


async def meaning(act: Act, questions: Questions, ticked: Ticked) -> Intent | Opens | Note | None:
    """None for a link, which the client opens by itself, and for a tick, which is not sent yet."""
    match act.verb:
        case Verb.OPEN | Verb.PICK:
            return None
        case Verb.CHOOSE:
            return await _chosen(act, questions)
        case Verb.SEND:
            return await _sent(act, questions, ticked.get(act.arg, ()))
        case Verb.DENY_STOP:
            return Choose(QuestionId(act.ref), DENY, then_stop=True)
        case Verb.LATER:
            return Later(QuestionId(act.ref))
        case Verb.MERGE:
            return Merge(ReviewId(act.ref), act.arg)
        case Verb.STOP:
            return Stop(act.ref)
        case Verb.DROP:
            return Drop(act.ref)
        case Verb.PAUSE:
            return Pause(act.ref)
        case Verb.RESUME:
            return Resume(act.ref)
        case Verb.RESET:
            return Reset(act.ref)
        case Verb.SLEEP | Verb.WAKE:
            return SetWake(act.ref, on=act.verb is Verb.WAKE)
        case Verb.STEER:
            return Steer(PromptId(act.ref))
        case Verb.UNSEND:
            return Unsend(PromptId(act.ref))
        case Verb.STATUS:
            return Status(act.ref)
        case Verb.DIGEST:
            return DigestNow()
        case Verb.AS_ANSWER | Verb.AS_PROMPT | Verb.DISCARD:
            return _reply_as(act)
        case (
            Verb.OTHER | Verb.DENY_TELL | Verb.REVISE | Verb.SHOW | Verb.SEND_BACK | Verb.TELL | Verb.START | Verb.PREFS
        ):
            return Opens(act.verb)
    assert_never(act.verb)


async def _chosen(act: Act, questions: Questions) -> Intent | Note:
    if act.arg:
        return Choose(QuestionId(act.ref), act.arg)
    card = await questions.question(QuestionId(act.ref))
    if card is None or not 0 <= act.index < len(card.question.options):
        return GONE
    return Choose(QuestionId(act.ref), card.question.options[act.index].id)


async def _sent(act: Act, questions: Questions, ticked: Sequence[Act]) -> Intent | Note:
    """All that is ticked, in the question's own order; each named by its id, or by its place where that is too long."""
    card = await questions.question(QuestionId(act.ref))
    if card is None:
        return GONE
    options = card.question.options
    places = {one.index for one in ticked if not one.arg}
    named = {one.arg for one in ticked if one.arg}
    chosen = tuple(o.id for place, o in enumerate(options) if o.id in named or place in places)
    if len(chosen) < len(ticked):
        return Note("The question has changed since. Its card shows what can be chosen now.", problem=True)
    if not chosen:
        other = " “None of these…” answers in words." if card.question.allow_text else ""
        return Note(f"Tick what applies, then press Send.{other}", problem=True)
    return Choose(QuestionId(act.ref), "", options=chosen)


def _reply_as(act: Act) -> Intent | None:
    if not (act.ref.isascii() and act.ref.isdigit()):
        return None
    if act.verb is Verb.AS_ANSWER:
        return ReplyAs(int(act.ref), "answer", QuestionId(act.arg) if act.arg else None)
    return ReplyAs(int(act.ref), "prompt" if act.verb is Verb.AS_PROMPT else "discard")


def submitted(sent: Submitted) -> Intent | Note | None:
    """None for a form that asks for nothing."""
    values, context = sent.values, sent.context
    said = values.get("text", "")
    if "text" in values and not said:
        return Note("Write something first.", problem=True, field="text")
    match sent.form:
        case Form.ANSWER:
            return AnswerText(QuestionId(context.ref), said)
        case Form.DENY:
            return Choose(QuestionId(context.ref), DENY, said, then_stop=bool(values.get("stop")))
        case Form.REVISE:
            return Choose(QuestionId(context.ref), REVISE, said)
        case Form.SEND_BACK:
            return SendBack(ReviewId(context.ref), context.arg, said)
        case Form.TELL:
            return Tell(context.ref, said)
        case Form.STOP:
            return Stop(context.ref)
        case Form.RESET:
            return Reset(context.ref)
        case Form.PREFS:
            return SetPrefs(values.get("digest", ""), values.get("tz", ""))
        case Form.START:
            return _start(sent)
        case Form.NOTE:
            return None
    assert_never(sent.form)


def _start(sent: Submitted) -> Intent | Note:
    values = sent.values
    if not values.get("task"):
        return Note("Write what the agent should do.", problem=True, field="task")
    reviewer, said = values.get("reviewer", ""), values.get("budget", "")
    budget = money(said) if said else None
    if said and budget is None:
        return Note("Write a sum in US dollars, such as 5.", problem=True, field="budget")
    return Start(
        task=values["task"],
        repo=values.get("repo", ""),
        agent=values.get("agent", ""),
        base=values.get("base", ""),
        scope=globs(values.get("scope", "")),
        reviewer=PersonId(reviewer) if reviewer else None,
        name=values.get("name", ""),
        budget=budget,
    )
