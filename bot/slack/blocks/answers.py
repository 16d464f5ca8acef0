"""What the services say back to one person, as a message."""

from __future__ import annotations

from typing import assert_never

from bot.domain.intents import AskHow, AskWhich, Listing, Note, Nothing, Queued, Response, StatusOf
from bot.domain.naming import named
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import Button, Card, Message
from bot.slack.blocks.session import listing, status
from bot.slack.commands import help_text
from bot.wire.types import ALLOW, APPROVE, Question, QuestionKind

ASKED = 8


def response(answer: Response, command: str) -> Message | None:
    match answer:
        case Nothing():
            return None
        case Note():
            return note(localised(answer.text, command), answer.problem)
        case Listing():
            return listing(answer, command)
        case StatusOf():
            return status(answer)
        case AskHow():
            return _ask_how(answer)
        case AskWhich():
            return _ask_which(answer)
        case Queued():
            return _queued(answer)
    assert_never(answer)


def localised(ready: str, command: str) -> str:
    """The services speak of `/session`; in this workspace it may be called otherwise."""
    return ready.replace("`/session ", f"`{command} ")


def note(ready: str, problem: bool = False) -> Message:
    return Card().say(f"⚠️ {ready}" if problem else ready).message()


def help_message(command: str) -> Message:
    return Card().say(help_text(command)).message()


def invite(words: str, label: str, verb: Verb) -> Message:
    """Stands for a form that cannot be opened yet: only a click brings the permission to open one."""
    return Card().say(words).buttons([Button(label, Act(verb), primary=True)]).message()


def _queued(answer: Queued) -> Message:
    name, waiting = text.line(answer.session_name, 80), answer.waiting
    card = Card().say(f"📨 *{name}* is at work: it reads your words when its turn ends")
    card.say(f"“{text.line(waiting.text, 1500)}”")
    now = [Button("Send now", Act(Verb.STEER, waiting.prompt))] if answer.can_steer else []
    return card.buttons([*now, Button("Take back", Act(Verb.UNSEND, waiting.prompt))]).message()


def _ask_how(ask: AskHow) -> Message:
    reply = str(ask.reply)
    if ask.problem:
        card = Card().say(f"⚠️ {ask.problem}").say(f"Your words are kept: “{text.line(ask.text, 1500)}”")
        return card.buttons(_else(reply)).message()
    card = Card().say(f"“{text.line(ask.text, 200)}” · is it the answer to: {text.line(ask.question.title, 240)}")
    does = _does(ask.question, ask.text)
    if not does:
        card.say("Words never grant a permission; the button on its card does.")
    answer = [Button(does, Act(Verb.AS_ANSWER, reply, ask.question.id), primary=True)] if does else []
    return card.buttons([*answer, *_else(reply)]).message()


def _ask_which(ask: AskWhich) -> Message:
    reply = str(ask.reply)
    card = Card().say(f"“{text.line(ask.text, 200)}” · which question does it answer?")
    which = [
        Button(f"{does.removeprefix('Send as ').capitalize()}: {q.title}", Act(Verb.AS_ANSWER, reply, q.id))
        for q in ask.questions[:ASKED]
        if (does := _does(q, ask.text))
    ]
    if len(ask.questions) > ASKED:
        card.small(f"{len(ask.questions) - ASKED} more are open: answer those on their cards")
    return card.buttons([*which, *_else(reply)]).message()


def _else(reply: str) -> list[Button]:
    return [Button("Send as prompt", Act(Verb.AS_PROMPT, reply)), Button("Discard", Act(Verb.DISCARD, reply))]


def _does(question: Question, words: str) -> str:
    """What these words would do as an answer, so that nobody denies or approves unawares; empty: nothing."""
    option = named(question, words)
    match question.kind:
        case QuestionKind.PERMISSION:
            return "" if option and option.id == ALLOW else "Deny with this reason"
        case QuestionKind.PLAN:
            return "Approve" if option and option.id == APPROVE else "Revise like this"
        case _:
            return "Send as answer"
