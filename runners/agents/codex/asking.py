"""Carries each of Codex's requests to people and the answer back; each lives in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import structlog

from bot.wire.types import APPROVE, Option, QuestionKind
from runners.agents.base import Answered, Chosen, Desk, Inquiry, Text, Unanswered
from runners.agents.codex import forms, questions
from runners.agents.codex.changes import changes
from runners.agents.codex.papers import Drawer
from runners.agents.codex.rpc import Json, Request, RpcError
from runners.agents.codex.translate import Translator
from runners.agents.text import exact, heading, one_line, shorten

log = structlog.get_logger()

_OPENED = (Option("done", "I have done that"), Option("no", "Decline"))


@dataclass(frozen=True)
class Line:
    """Ways back to Codex. ``say`` puts words into a turn under way (words, thread, turn); False: nothing was said."""

    answer: Callable[[Request, Json], Awaitable[None]]
    refuse: Callable[[Request, str], Awaitable[None]]
    say: Callable[[str, str, str], Awaitable[bool]]
    owe: Callable[[str], None]
    """Words that go with the next message."""
    tell: Callable[[str], Awaitable[None]]
    """Words for the agent, whether it is at work or not."""
    stopping: Callable[[], None]
    """The next answer ends the turn."""


class Asking:
    def __init__(self, desk: Desk, translator: Translator, drawer: Drawer, cwd: str, line: Line) -> None:
        self._desk, self._translator, self._drawer, self._cwd, self._line = desk, translator, drawer, cwd, line
        self._open: dict[int | str, asyncio.Task[None]] = {}
        self.later: set[asyncio.Task[None]] = set()
        self._plan: asyncio.Task[Answered] | None = None
        self._arrived = asyncio.Event()

    @property
    def count(self) -> int:
        return len(self._open)

    def take(self, request: Request) -> None:
        task = asyncio.create_task(self._handle(request), name=f"codex.ask {request.method}")
        self._open[request.id] = task
        task.add_done_callback(lambda _: self._open.pop(request.id, None))
        self._arrived.set()

    def take_later(self, item: Json) -> None:
        """Questions that the model left behind while it goes on."""
        if inquiries := questions.later(item):
            task = asyncio.create_task(self._handle_later(inquiries), name="codex.ask later")
            self.later.add(task)
            task.add_done_callback(self.later.discard)

    async def some(self, within: float) -> None:
        """Wait for a first request."""
        try:
            async with asyncio.timeout(within):
                await self._arrived.wait()
        except TimeoutError:
            log.warning("codex.request_missing")

    def resolved(self, number: int | str) -> None:
        """Codex no longer waits for this one: another client answered, or its turn ended."""
        if (task := self._open.get(number)) is not None:
            task.cancel("another client of this Codex answered, or its turn ended")

    def withdraw(self, *, later: bool) -> None:
        for task in (*self._open.values(), *(self.later if later else ())):
            task.cancel()
        if self._plan is not None:
            self._plan.cancel()

    async def ended(self) -> None:
        """Wait for all that was withdrawn."""
        if left := {*self._open.values(), *self.later}:
            await asyncio.wait(left)

    # --- one request

    async def _handle(self, request: Request) -> None:
        try:
            await self._ask(request)
        except (ConnectionError, RpcError) as problem:
            log.info("codex.answer_too_late", method=request.method, problem=str(problem))
        except Exception:  # a request of a shape that we do not know must not wait for ever
            log.exception("codex.not_understood", method=request.method)
            with suppress(ConnectionError):
                await self._line.refuse(request, "Switchboard does not understand this")

    def _ask(self, request: Request) -> Coroutine[Any, Any, None]:
        match request.method:
            case "item/commandExecution/requestApproval":
                return self._permission(request, questions.command_inquiry(request.params, self._cwd))
            case "item/fileChange/requestApproval":
                return self._change(request)
            case "item/permissions/requestApproval":
                return self._permission(request, questions.grant_inquiry(request.params))
            case "item/tool/requestUserInput":
                return self._input(request)
            case "mcpServer/elicitation/request":
                return self._elicitation(request)
            case _:
                log.info("codex.request_refused", method=request.method)
                return self._refuse(request)

    async def _refuse(self, request: Request) -> None:
        await self._line.refuse(request, "Switchboard does not serve this")

    async def _change(self, request: Request) -> None:
        item = str(request.params.get("itemId", ""))
        proposed = self._translator.changes.get(item)
        if proposed is not None and item not in self._drawer.papers.changes:
            await self._drawer.keep(changes={**self._drawer.papers.changes, item: proposed})
        await self._permission(request, questions.change_inquiry(request.params, changes(proposed, self._cwd)))
        left = {name: found for name, found in self._drawer.papers.changes.items() if name != item}
        await self._drawer.keep(changes=left)

    async def _permission(self, request: Request, inquiry: Inquiry) -> None:
        params = request.params
        if params.get("threadId") != self._translator.thread:
            inquiry = questions.of_helper(inquiry)
        answer = await self._desk.ask(inquiry)
        await self._give_reason(params, inquiry, answer)
        if request.method == "item/permissions/requestApproval":
            await self._line.answer(request, questions.grant(params, answer))
        else:
            await self._line.answer(request, {"decision": questions.decision(answer)})

    async def _give_reason(self, params: Json, inquiry: Inquiry, answer: Answered) -> None:
        """Ahead of the denial itself: the model then reads both at once."""
        words, ends = questions.reason(inquiry, answer), questions.decision(answer) == "cancel"
        if ends:
            self._line.stopping()
        if not words:
            return
        thread, turn = str(params.get("threadId", "")), str(params.get("turnId") or "")
        if ends or not await self._line.say(words, thread, turn):
            self._line.owe(words)

    async def _input(self, request: Request) -> None:
        inquiries = [inquiry for _, inquiry in questions.asked(request.params)]
        answers = await self._all(inquiries)
        if any(isinstance(answer, Unanswered) for answer in answers):
            return  # the turn is being ended; an empty answer would let the model go on meanwhile
        await self._line.answer(request, questions.input_result(request.params, answers))

    async def _all(self, inquiries: Sequence[Inquiry]) -> tuple[Answered, ...]:
        if len(inquiries) == 1:
            return (await self._desk.ask(inquiries[0]),)
        return await self._desk.ask_all(inquiries) if inquiries else ()

    async def _handle_later(self, inquiries: Sequence[Inquiry]) -> None:
        answers = await self._all(inquiries)
        if words := questions.later_words(inquiries, answers):
            try:
                await self._line.tell(words)
            except (ConnectionError, RpcError) as problem:
                log.info("codex.answer_too_late", problem=str(problem))

    async def plan(self, plan: str, turn: str) -> tuple[str, str]:
        """What to say next and in which mode; no words: nothing more is to be done."""
        name = f"codex:{self._translator.thread}:{turn}:plan"
        title = "Go ahead with this plan?"
        inquiry = Inquiry(QuestionKind.PLAN, title, detail=exact(plan), options=questions.PLAN_OPTIONS, key=name)
        self._plan = asyncio.create_task(self._desk.ask(inquiry), name="codex.ask plan")
        try:
            await asyncio.wait({self._plan})
        finally:
            self._plan.cancel()  # only matters where this call was cancelled itself
        if self._plan.cancelled():
            return "", "plan"
        match self._plan.result():
            case Chosen(option=option, text=text) if option == APPROVE:
                return f"Implement the plan. {text}".strip(), ""
            case Chosen(text=text) | Text(text=text) if text.strip():
                return f"Your plan was not approved yet. Revise it: {text.strip()}", "plan"
        return "", "plan"

    # --- forms of MCP servers

    async def _elicitation(self, request: Request) -> None:
        params, meta = request.params, request.params.get("_meta")
        name = f"codex:{params.get('serverName', '')}:{self._drawer.papers.pid}:{request.id}"
        if isinstance(meta, dict) and meta.get("codex_approval_kind") == "mcp_tool_call":
            inquiry = questions.tool_inquiry(params, name)
            answer = await self._desk.ask(inquiry)
            await self._give_reason(params, inquiry, answer)
            await self._line.answer(request, questions.tool_answer(answer))
        elif params.get("mode") == "form":
            await self._form(request, name)
        elif params.get("mode") == "url":
            await self._page(request, name)
        else:
            log.info("codex.elicitation_declined", mode=params.get("mode"))
            await self._line.answer(request, {"action": "decline", "content": None, "_meta": None})

    async def _page(self, request: Request, name: str) -> None:
        title, rest = heading(str(request.params.get("message") or "A tool asks you to open a page"))
        link = exact(one_line(str(request.params.get("url", "")), 2000))
        context = f"{rest}\nOpen {link}".strip()
        inquiry = Inquiry(QuestionKind.CHOICE, title, context, options=_OPENED, allow_text=False, key=name)
        match await self._desk.ask(inquiry):
            case Chosen(option="done"):
                await self._line.answer(request, {"action": "accept", "content": None, "_meta": None})
            case Unanswered():
                await self._line.answer(request, {"action": "cancel", "content": None, "_meta": None})
            case _:
                await self._line.answer(request, {"action": "decline", "content": None, "_meta": None})

    async def _form(self, request: Request, name: str) -> None:
        """Ask until every answer fits."""
        content: dict[str, Any] = {}
        left = list(forms.fields(request.params, name))
        while left:
            answers = await self._all([field.inquiry for field in left])
            again = []
            for field, answer in zip(left, answers, strict=True):
                if isinstance(answer, Unanswered):
                    await self._line.answer(request, {"action": "cancel", "content": None, "_meta": None})
                    return
                try:
                    content[field.name] = forms.value(field, answer)
                except forms.NotThat as fault:
                    problem = f"“{shorten(answer.text, 80, mark='…')}” does not fit. {fault}"
                    context = f"{problem}\n{field.inquiry.context}".strip()
                    # Another question: under its old name it would have its old answer, for ever.
                    key = f"{field.inquiry.key}, again"
                    again.append(replace(field, inquiry=replace(field.inquiry, context=context, key=key)))
            left = again
        await self._line.answer(request, {"action": "accept", "content": content, "_meta": None})
