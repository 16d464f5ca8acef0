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
            return _ask_which(answer, command)
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
    card.small("This agent cannot take words within a turn" if answer.not_now else "")
    now = [Button("Send now", Act(Verb.STEER, waiting.prompt))] if answer.can_steer else []
    return card.buttons([*now, Button("Take back", Act(Verb.UNSEND, waiting.prompt))]).message()


def _ask_how(ask: AskHow) -> Message:
    reply = str(ask.reply)
    if ask.problem:
        card = Card().say(f"⚠️ {ask.problem}").say(f"Your words are kept: “{text.line(ask.text, 1500)}”")
        return card.buttons(_else(reply)).message()
    card = Card().say(f"“{text.line(ask.text, 200)}” · is it the answer to: {text.line(ask.question.title, 240)}")
    does, gate = _does(ask.question, ask.text), ask.question.kind is QuestionKind.PERMISSION
    if gate:
        card.say("Words grant nothing: press Allow on the card.")
    answer = [Button(does, Act(Verb.AS_ANSWER, reply, ask.question.id), primary=not gate)] if does else []
    prompt, discard = _else(reply)
    # Nobody who meant yes should meet the denial first.
    return card.buttons([prompt, *answer, discard] if gate else [*answer, prompt, discard]).message()


def _ask_which(ask: AskWhich, command: str) -> Message:
    reply = str(ask.reply)
    card = Card().say(f"“{text.line(ask.text, 200)}” · which question does it answer?")
    # Those that have what was said among their options come first; grants and denials last.
    likely = sorted(ask.questions, key=lambda q: (q.kind is QuestionKind.PERMISSION, named(q, ask.text) is None))
    titles = [q.title for q in ask.questions]
    which = []
    for number, q in enumerate(likely[:ASKED], 1):
        twin = titles.count(q.title) > 1
        if twin:
            card.say(f"*{number}* · {text.line(q.title, 200)}{_options(q)}")
        if does := _does(q, ask.text):
            label = f"{does.removeprefix('Send as ').capitalize()}{f' {number}' if twin else ''}: {q.title}"
            which.append(Button(label, Act(Verb.AS_ANSWER, reply, q.id)))
    if len(ask.text.split()) == 1:
        card.small(f"or was it a command? `{command} help` lists them")
    if len(ask.questions) > ASKED:
        card.small(f"{len(ask.questions) - ASKED} more are open: answer those on their cards")
    return card.buttons([*which, *_else(reply)]).message()


def _options(question: Question) -> str:
    said = text.line(" / ".join(o.label for o in question.options) or question.context, 200)
    return f": {said}" if said else ""


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
