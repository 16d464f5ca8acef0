"""What an ACP agent may ask of us: it reports, asks permission, and has forms filled in. No files, no terminals yet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from runners.agents import acp_forms as forms
from runners.agents.acp_lines import REQUEST
from runners.agents.acp_permissions import ruling
from runners.agents.acp_translate import Translator
from runners.agents.base import Answered, Desk, Inquiry, Unanswered
from runners.agents.text import shorten

log = structlog.get_logger()


class AcpClient:
    """The SDK calls this for each message of the agent's, in order up to the first await."""

    def __init__(self, desk: Desk, cwd: str) -> None:
        self._desk = desk
        self.translator = Translator(cwd)
        self.muted = False
        """History is being replayed: nothing of it is progress."""
        self.refusing = False
        """The turn is being cancelled: what is still asked is answered as cancelled at once."""
        self.owed: list[str] = []
        """Words of people that the agent's protocol had no place for: they go with the next prompt."""
        self.on_stop: Callable[[], None] = lambda: None
        self._open: dict[int | str | None, asyncio.Task[Answered]] = {}

    # --- called by the SDK

    async def session_update(self, session_id: str, update: object, **_: Any) -> None:
        if self.muted:
            return
        for told in self.translator.updates(update):
            self._desk.update(told)

    async def request_permission(
        self, session_id: str, tool_call: ToolCallUpdate, options: list[PermissionOption], **_: Any
    ) -> RequestPermissionResponse:
        inquiry = self.translator.permission(tool_call)
        verdict = ruling(inquiry, await self._ask(inquiry), options)
        if verdict.owed:
            self.owed.append(verdict.owed)
        if verdict.stop:
            self.on_stop()
        if verdict.option is None:
            return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
        return RequestPermissionResponse(outcome=AllowedOutcome(outcome="selected", option_id=verdict.option))

    async def create_elicitation(
        self, message: str, mode: object, **_: Any
    ) -> AcceptElicitationResponse | DeclineElicitationResponse | CancelElicitationResponse:
        if not isinstance(mode, ElicitationFormSessionMode | ElicitationFormRequestMode):
            log.info("agent.elicitation.declined", mode=type(mode).__name__)
            return DeclineElicitationResponse(action="decline")
        content: dict[str, Any] = {}
        for field in forms.fields(message, mode.requested_schema):
            try:
                filled = await self._fill(field)
            except forms.NoneOfThese as words:
                self.owed.append(f"You asked: “{field.inquiry.title}” None of your options; the answer is: {words}")
                return DeclineElicitationResponse(action="decline")
            if filled is None:
                return CancelElicitationResponse(action="cancel")
            content |= filled
        return AcceptElicitationResponse(action="accept", content=content)

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

    async def _fill(self, field: forms.Field) -> dict[str, Any] | None:
        """Ask until the answer fits. None: withdrawn."""
        inquiry, problem = field.inquiry, ""
        while True:
            context = f"{problem}\n{inquiry.context}".strip() if problem else inquiry.context
            asked = Inquiry(inquiry.kind, inquiry.title, context, inquiry.detail, inquiry.options, inquiry.allow_text)
            answer = await self._ask(asked)
            if isinstance(answer, Unanswered):
                return None
            try:
                return forms.value(field, answer)
            except forms.NotThat as fault:
                problem = f"“{shorten(answer.text, 80, mark='…')}” does not fit. {fault}"

    async def _ask(self, inquiry: Inquiry) -> Answered:
        if self.refusing:
            return Unanswered("the turn is being cancelled")
        request = REQUEST.get()
        task = asyncio.ensure_future(self._desk.ask(inquiry))
        self._open[request] = task
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()  # only matters where this handler was cancelled itself
            self._open.pop(request, None)
        return Unanswered("the question was withdrawn") if task.cancelled() else task.result()
