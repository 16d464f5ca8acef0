"""Intake: a payload becomes an intent, the services store it, the person is answered, and only then Slack is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from slack_bolt.async_app import AsyncAck
from slack_bolt.response import BoltResponse

from bot.domain.intents import Intent, Note, Nothing, Origin, Pause, Reply, Response, Resume, Start, Status
from bot.services import Services
from bot.slack import commands, payloads, text
from bot.slack.actions import Verb
from bot.slack.blocks import answers, forms
from bot.slack.blocks.forms import Form
from bot.slack.blocks.kit import Message
from bot.slack.commands import Help, OpenForm, Problem, Words
from bot.slack.desk_forms import DeskForms
from bot.slack.meaning import Opens, meaning, submitted
from bot.slack.order import Turns
from bot.slack.payloads import Back, Clicked, Deleted, HomeOpened, Me, PersonChanged, Replied, Said, Shortcut, Submitted
from bot.slack.people import PeopleLoop
from bot.slack.private import Private
from bot.wire.types import PersonId

Body: TypeAlias = Mapping[str, Any]
AT_ONCE: Mapping[str, Intent] = {"status": Status(""), "pause": Pause(""), "resume": Resume("")}
"""Message shortcuts that need no form: they concern the session of the thread they are used in."""


class Listeners:
    """One method for each payload type. What raises here is not acknowledged, so Slack delivers it again."""

    def __init__(self, services: Services, private: Private, people: PeopleLoop, me: Me, command: str) -> None:
        self._services = services
        self._private = private
        self._people = people
        self._me = me
        self._command = command
        self._forms = DeskForms(services, private)
        self._turns = Turns()

    # --- what Slack sends ---------------------------------------------------------------------------------------

    async def on_event(self, body: Body, ack: AsyncAck) -> None:
        match payloads.event(body, self._me):
            case Said() as said:
                await self._said(said)
            case Replied() as replied:
                await self._replied(replied)
            case HomeOpened(person):
                await self._people.meet(person)
                await self._services.desk.home_opened(person)
            case Deleted(channel, ts):
                await self._services.desk.message_lost(channel, ts)
            case PersonChanged(user):
                await self._people.changed(user)
        await ack()

    async def on_command(self, body: Body, ack: AsyncAck) -> BoltResponse | None:
        said = payloads.command(body)
        if said is None:
            return await ack()
        message = await self._command_answer(said)
        if message is None:
            return await ack()
        return await ack(response_type="ephemeral", text=message.text, blocks=list(message.blocks))

    async def on_action(self, body: Body, ack: AsyncAck) -> None:
        clicked = payloads.action(body)
        if clicked is not None:
            await self._clicked(clicked)
        await ack()

    async def on_view(self, body: Body, ack: AsyncAck) -> BoltResponse:
        sent = payloads.submission(body)
        return await (ack() if sent is None else self._submitted(sent, ack))

    async def on_shortcut(self, body: Body, ack: AsyncAck) -> None:
        used = payloads.shortcut(body)
        if used is not None:
            await self._shortcut(used)
        await ack()

    # --- what it means ------------------------------------------------------------------------------------------

    def _turn(self, origin: Origin) -> AbstractAsyncContextManager[None]:
        """Held from before the first await until the intent is stored: what a thread says is stored in its order."""
        key = f"{origin.channel}/{origin.thread_ts or origin.ts}" if origin.thread_ts or origin.ts else ""
        return self._turns.turn(key, origin.ts)

    async def _handle(self, intent: Intent, by: PersonId, origin: Origin) -> Response:
        async with self._turn(origin):
            return await self._store(intent, by, origin)

    async def _store(self, intent: Intent, by: PersonId, origin: Origin) -> Response:
        await self._people.meet(by)
        if isinstance(intent, Start) and intent.reviewer:
            await self._people.meet(intent.reviewer)
        return await self._services.desk.handle(intent, by, origin)

    async def _command_answer(self, said: Said) -> Message | None:
        """A slash command's answer, which travels in the acknowledgement itself."""
        match commands.parse(said.words, self._command):
            case Help():
                return answers.help_message(self._command)
            case Problem(words) | Words(problem=Problem(words)):
                return answers.note(words, problem=True)
            case OpenForm(form="start"):
                await self._forms.start(said.back)
                return None
            case OpenForm():
                await self._forms.prefs(said.back)
                return None
            case intent:
                return answers.response(await self._handle(intent, said.back.person, said.origin), self._command)

    async def _said(self, said: Said) -> None:
        """A mention or a direct message: the same verbs, answered beside it."""
        thread = bool(said.origin.thread_ts)
        match commands.parse(said.words, self._command, in_thread=thread):
            case Help():
                await self._private.say(said.back, answers.help_message(self._command))
            case Problem(words):
                await self._private.say(said.back, answers.note(words, problem=True))
            case Words(words, problem):
                if thread and not commands.looks_like_typo(words):
                    await self._replied(Replied(said.words, said.origin, said.back), mentioned=True)
                else:
                    await self._private.say(said.back, answers.note(problem.text, problem=True))
            case OpenForm(form="start"):
                invite = answers.invite("What should the agent do, and where?", "Start a session…", Verb.START)
                await self._private.say(said.back, invite)
            case OpenForm():
                invite = answers.invite("When should your digest come?", "Preferences…", Verb.PREFS)
                await self._private.say(said.back, invite)
            case intent:
                await self._answer(said.back, await self._handle(intent, said.back.person, said.origin))

    async def _replied(self, replied: Replied, mentioned: bool = False) -> None:
        """A message in a thread concerns us only where the thread is a session's."""
        origin, answer = replied.origin, None
        async with self._turn(origin):
            if await self._services.desk.session_in(origin.channel, origin.thread_ts) is not None:
                answer = await self._store(Reply(text.inbound(replied.words)), replied.back.person, origin)
        if answer is not None:
            await self._answer(replied.back, answer)
        elif mentioned:
            words = f"This thread belongs to no session. `{self._command} list` shows yours."
            await self._private.say(replied.back, answers.note(words, problem=True))

    async def _clicked(self, clicked: Clicked) -> None:
        match await meaning(clicked.act, self._services.desk, clicked.picked):
            case None:
                pass
            case Opens(verb):
                await self._forms.open(verb, clicked)
            case Note() as note:
                await self._answer(clicked.back, note)
            case intent:
                answer = await self._handle(intent, clicked.back.person, clicked.origin)
                if isinstance(answer, Nothing):
                    await self._private.clear(clicked.back)
                else:
                    await self._answer(clicked.back, answer)

    async def _answer(self, back: Back, answer: Response) -> bool:
        message = answers.response(answer, self._command)
        return message is None or await self._private.say(back, message)

    async def _submitted(self, sent: Submitted, ack: AsyncAck) -> BoltResponse:
        intent = submitted(sent)
        if intent is None:
            return await ack()
        answer = intent if isinstance(intent, Note) else await self._handle(intent, sent.back.person, sent.origin)
        if isinstance(answer, Note) and answer.problem and sent.values:
            beside = answer.field if answer.field in sent.values else next(iter(sent.values))
            return await ack(response_action="errors", errors={beside: text.inbound(answer.text)[:2000]})
        told = await self._answer(sent.back, answer)
        message = None if told else answers.response(answer, self._command)
        if message is None:
            return await ack()
        return await ack(response_action="update", view=forms.note(message.text))

    async def _shortcut(self, used: Shortcut) -> None:
        words = text.inbound(used.words)
        match used.callback:
            case "start":
                await self._forms.start(used.back, task=words)
            case "tell" | "stop" | "reset":
                await self._forms.in_thread(Form(used.callback), used)
            case "status" | "pause" | "resume":
                intent = AT_ONCE[used.callback]
                await self._answer(used.back, await self._handle(intent, used.back.person, used.origin))
