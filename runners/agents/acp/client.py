"""What an ACP agent may ask of us: it reports, asks permission, has forms filled in, and uses the worktree."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog
from acp.schema import (
    AcceptElicitationResponse,
    AllowedOutcome,
    CancelElicitationResponse,
    DeclineElicitationResponse,
    DeniedOutcome,
    ElicitationFormRequestMode,
    ElicitationFormSessionMode,
    ElicitationSchema,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from bot.wire.types import ALLOW
from runners.agents.acp import forms, questions
from runners.agents.acp.asks import is_own_ask, is_own_form
from runners.agents.acp.lines import REQUEST
from runners.agents.acp.permissions import lasting, pick, reason, ruling
from runners.agents.acp.translate import Translator
from runners.agents.acp.worktree import AcpWorktree
from runners.agents.base import Answered, Chosen, Desk, Inquiry, Launch, Text, Unanswered
from runners.agents.profiles import Quirks
from runners.agents.text import shorten

log = structlog.get_logger()

Filled = AcceptElicitationResponse | DeclineElicitationResponse | CancelElicitationResponse


class AcpClient(AcpWorktree):
    """The SDK calls this for each message of the agent's, in order up to the first await."""

    def __init__(self, desk: Desk, launch: Launch, quirks: Quirks) -> None:
        super().__init__(launch)
        self._desk = desk
        self._quirks = quirks
        self.translator = Translator(str(launch.cwd))
        self.muted = False
        """History is being replayed: nothing of it is progress."""
        self.refusing = False
        """The turn is being cancelled: what is still asked is answered as cancelled at once."""
        self.owed: list[str] = []
        """Words of people that the agent's protocol had no place for: they go with the next prompt."""
        self.on_stop: Callable[[], None] = lambda: None
        self._open: dict[int | str | None, asyncio.Task[tuple[Answered, ...]]] = {}

    # --- called by the SDK

    async def session_update(self, session_id: str, update: object, **_: Any) -> None:
        if self.muted:
            return
        for told in self.translator.updates(update):
            self._desk.update(told)

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        call = self.translator.call(tool_call)
        if is_own_ask(call) and (once := pick(options, "allow_once", "allow_always")):
            return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=once))
        if self._quirks.question == "permission" and (asked := questions.inquiries(call)):
            return await self._answer(asked, options)
        always = lasting(options, self._quirks.always)
        inquiry = self.translator.permission(call, always.name if always else "")
        (answer,) = await self._ask([inquiry])
        verdict = ruling(inquiry, answer, options, always)
        if verdict.owed:
            self.owed.append(verdict.owed)
        if verdict.stop:
            self.on_stop()
        if verdict.option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=verdict.option))

    async def _answer(self, asked: Sequence[Inquiry], options: Sequence[PermissionOption]) -> RequestPermissionResponse:
        found = questions.answers(asked, await self._ask(asked))
        yes = pick(options, "allow_once", "allow_always")
        if found is None or yes is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return questions.Filled(outcome=AllowedOutcome(outcome="selected", option_id=yes), answers=found)

    async def create_elicitation(self, message: str, mode: object, **meta: Any) -> Filled:
        if not isinstance(mode, ElicitationFormSessionMode | ElicitationFormRequestMode):
            log.info("agent.elicitation.declined", mode=type(mode).__name__)
            return DeclineElicitationResponse(action="decline")
        if not mode.requested_schema.properties:
            if is_own_form(message, meta):
                return AcceptElicitationResponse(action="accept", content={})
            return await self._confirm(message, mode.requested_schema)
        return await self._fill(forms.fields(message, mode.requested_schema))

    async def complete_elicitation(self, elicitation_id: str, **_: Any) -> None:
        """Of forms that live at a URL; we take none."""

    # --- called by the adapter

    def withdraw(self, request: int | str) -> None:
        """The agent has taken one request back."""
        if task := self._open.get(request):
            task.cancel()

    def withdraw_all(self) -> None:
        self.refusing = True
        for task in self._open.values():
            task.cancel()

    def take_owed(self) -> str:
        words, self.owed = "\n\n".join(self.owed), []
        return words

    # --- forms

    async def _confirm(self, message: str, schema: ElicitationSchema) -> Filled:
        inquiry = forms.confirmation(message, schema)
        (answer,) = await self._ask([inquiry])
        match answer:
            case Unanswered():
                return CancelElicitationResponse(action="cancel")
            case Chosen(option=option) if option == ALLOW:
                return AcceptElicitationResponse(action="accept", content={})
            case Chosen(then_stop=True):
                self.on_stop()
        if words := reason(inquiry, answer.text):
            self.owed.append(words)
        return DeclineElicitationResponse(action="decline")

    async def _fill(self, fields: Sequence[forms.Field]) -> Filled:
        """Ask all of it on one card, and again what does not fit."""
        content: dict[str, Any] = {}
        told: dict[str, str] = {}
        spoilt, left = False, [(field, field.inquiry) for field in fields]
        while left:
            again: list[tuple[forms.Field, Inquiry]] = []
            answers = await self._ask([inquiry for _, inquiry in left])
            for (field, inquiry), answer in zip(left, answers, strict=True):
                if isinstance(answer, Unanswered):
                    return CancelElicitationResponse(action="cancel")
                told[inquiry.title] = forms.told(field, answer)
                try:
                    content |= forms.value(field, answer)
                except forms.NoneOfThese:
                    spoilt = True
                    told[inquiry.title] = f"None of your options; the answer is: {answer.text.strip()}"
                except forms.NotThat as fault:
                    again.append((field, _with_problem(field, answer, fault)))
            left = again
        if not spoilt:
            return AcceptElicitationResponse(action="accept", content=content)
        self.owed.append("\n".join(f"You asked: “{title}” {words}" for title, words in told.items()))
        return DeclineElicitationResponse(action="decline")

    async def _ask(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        if self.refusing:
            return tuple(Unanswered("the turn is being cancelled") for _ in inquiries)
        request = REQUEST.get()
        task = asyncio.create_task(self._put(inquiries), name="agent.asks")
        self._open[request] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # only matters where this handler was cancelled itself
            self._open.pop(request, None)
        if task.cancelled():
            return tuple(Unanswered("the question was withdrawn") for _ in inquiries)
        return task.result()

    async def _put(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        if len(inquiries) == 1:
            return (await self._desk.ask(inquiries[0]),)
        return await self._desk.ask_all(inquiries)


def _with_problem(field: forms.Field, answer: Chosen | Text, fault: forms.NotThat) -> Inquiry:
    said = shorten(forms.told(field, answer), 80, mark="…")
    problem = f"“{said}” does not fit. {fault}" if said else str(fault)
    return replace(field.inquiry, context=f"{problem}\n{field.inquiry.context}".strip())
