"""Opens the forms: each is made from what the services know, within the three seconds that Slack allows."""

from __future__ import annotations

from bot.domain.views import QuestionCard
from bot.services import Services
from bot.slack import text
from bot.slack.actions import Verb
from bot.slack.blocks import forms
from bot.slack.blocks.forms import Context, Form
from bot.slack.blocks.kit import Block
from bot.slack.payloads import Back, Clicked, Shortcut
from bot.slack.private import Private
from bot.wire.types import QuestionId, ReviewId


class DeskForms:
    """Opening a form stores nothing; sending it does."""

    def __init__(self, services: Services, private: Private) -> None:
        self._services = services
        self._private = private

    async def start(self, back: Back, task: str = "") -> None:
        async def make() -> Block:
            offers = await self._services.desk.offers(back.person)
            return forms.start(offers, Context(channel=back.channel), task)

        await self._private.form(back, Form.START, "Start a session", make)

    async def prefs(self, back: Back) -> None:
        async def make() -> Block:
            return forms.prefs(await self._services.desk.prefs(back.person), Context(channel=back.channel))

        await self._private.form(back, Form.PREFS, "Preferences", make)

    async def in_thread(self, form: Form, used: Shortcut) -> None:
        """A message shortcut: the session is the one of the thread it was used in."""
        origin = used.origin

        async def make() -> Block:
            if await self._services.desk.session_in(origin.channel, origin.thread_ts) is None:
                return forms.note("This message is not in a session's thread.")
            context = Context(channel=origin.channel, thread_ts=origin.thread_ts, ts=origin.ts)
            return {Form.TELL: forms.tell, Form.RESET: forms.reset}.get(form, forms.stop)("", context)

        await self._private.form(used.back, form, "Session", make)

    async def open(self, verb: Verb, clicked: Clicked) -> None:
        """The form behind a button."""
        match verb:
            case Verb.START:
                await self.start(clicked.back)
            case Verb.PREFS:
                await self.prefs(clicked.back)
            case Verb.TELL:
                context = _context(clicked)
                await self._private.show(clicked.back, forms.tell("", context))
            case Verb.SEND_BACK:
                await self._private.form(clicked.back, Form.SEND_BACK, "Send back", lambda: self._send_back(clicked))
            case _:
                await self._private.form(clicked.back, Form.ANSWER, "Answer", lambda: self._about(verb, clicked))

    async def _send_back(self, clicked: Clicked) -> Block:
        card = await self._services.desk.review(ReviewId(clicked.act.ref))
        if card is None:
            return forms.note("This review is not there any more.")
        if card.review.commit != clicked.act.arg:
            return forms.note("This card is out of date: the session has a newer commit. See its thread.")
        return forms.send_back(card.session_name, clicked.act.arg, _context(clicked))

    async def _about(self, verb: Verb, clicked: Clicked) -> Block:
        card = await self._services.desk.question(QuestionId(clicked.act.ref))
        if card is None:
            return forms.note("This question is not there any more; its session may have ended.")
        if verb is Verb.SHOW:
            return forms.whole(card.question, card.session_name)
        if settled := _settled(card):
            return forms.note(settled)
        make = {Verb.DENY_TELL: forms.deny, Verb.REVISE: forms.revise}.get(verb, forms.answer)
        return make(card.question, card.session_name, _context(clicked))


def _settled(card: QuestionCard) -> str:
    if card.answered:
        who, what = text.person(card.answered.by), text.line(card.answered.words, 300)
        return f"Already answered: {who} said *{what}*."
    if card.withdrawn:
        return f"The question was withdrawn: {text.line(card.withdrawn.reason, 500)}"
    return ""


def _context(clicked: Clicked) -> Context:
    origin = clicked.origin
    return Context(clicked.act.ref, clicked.act.arg, origin.channel, origin.thread_ts, origin.ts)
