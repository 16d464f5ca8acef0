"""Claude Code's requests to people: put to the desk, answered in its own protocol, withdrawn when it no longer asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.wire.types import APPROVE
from runners.agents.base import Answered, Chosen, Desk, Text, Unanswered
from runners.agents.claude.fields import Json, table, text
from runners.agents.claude.permissions import (
    OUR_TOOLS,
    Ruling,
    allowed,
    denied,
    permission_inquiry,
    permission_ruling,
)
from runners.agents.claude.questions import ASK, PLAN, choice_input, choice_inquiries, plan_inquiry, revision
from runners.agents.claude.translate import Translator

log = structlog.get_logger()

Reply = Callable[[str, Json | None, str], Awaitable[None]]


class Asking:
    """One task for each open request: several may wait at once."""

    def __init__(
        self,
        desk: Desk,
        known: Translator,
        cwd: str,
        reply: Reply,
        stop_turn: Callable[[], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._desk, self._known, self._cwd, self._reply, self._stop_turn, self._failed = (
            desk,
            known,
            cwd,
            reply,
            stop_turn,
            failed,
        )
        self._open: dict[str, asyncio.Task[None]] = {}
        self._other: set[asyncio.Task[None]] = set()
        self._owed: list[str] = []

    def asked(self, message: Json) -> None:
        number, request = text(message, "request_id"), table(message, "request")
        if request.get("subtype") != "can_use_tool":
            self.later(self._reply(number, None, f"Switchboard does not know “{text(request, 'subtype')}”."))
        elif number not in self._open:
            task = asyncio.create_task(self._answer(number, request), name=f"agent.asked {number}")
            self._open[number] = task
            task.add_done_callback(lambda _: self._open.pop(number, None))

    def cancelled(self, number: str) -> None:
        if (task := self._open.get(number)) is not None:
            task.cancel()

    async def withdraw(self) -> None:
        """Nothing that is open now is answered any more."""
        if tasks := set(self._open.values()):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def take_owed(self) -> str:
        """What a person said that Claude Code has not heard yet."""
        words, self._owed = "\n".join(self._owed), []
        return words

    def later(self, work: Awaitable[None]) -> None:
        """Send something without being waited for."""
        task = asyncio.ensure_future(_quietly(work))
        self._other.add(task)
        task.add_done_callback(self._other.discard)

    async def close(self) -> None:
        await self.withdraw()
        for task in (others := set(self._other)):
            task.cancel()
        if others:
            await asyncio.wait(others)

    # --- one request

    async def _answer(self, number: str, request: Json) -> None:
        try:
            ruling = await self._ruling(request)
        except Exception as problem:  # noqa: BLE001  (a task's boundary)
            log.warning("agent.not_asked", tool=text(request, "tool_name"), problem=str(problem))
            self._failed(problem)
            return
        if ruling is None:
            return  # nobody answered: whatever is said now would be a refusal that nobody spoke
        await self._reply(number, ruling.response, "")
        if ruling.owed:
            self._owed.append(ruling.owed)
        if ruling.stop:
            self._stop_turn()

    async def _ruling(self, request: Json) -> Ruling | None:
        name = text(request, "tool_name")
        if name.startswith(OUR_TOOLS):
            return allowed(table(request, "input"))
        if name == ASK:
            return await self._choice(request)
        if name == PLAN:
            return await self._plan(request)
        inquiry = permission_inquiry(request, self._cwd, self._asker(request))
        return permission_ruling(request, inquiry, await self._desk.ask(inquiry))

    async def _choice(self, request: Json) -> Ruling | None:
        given = table(request, "input")
        inquiries = choice_inquiries(given, text(request, "tool_use_id"), self._asker(request))
        if not inquiries:
            return allowed(given)
        if len(inquiries) == 1:
            answers: tuple[Answered, ...] = (await self._desk.ask(inquiries[0]),)
        else:
            answers = await self._desk.ask_all(inquiries)
        told = choice_input(given, answers)
        return None if told is None else allowed(told)

    async def _plan(self, request: Json) -> Ruling | None:
        number, given = text(request, "tool_use_id"), table(request, "input")
        # The request itself may come without the plan; the call in the stream has it.
        inquiry = plan_inquiry({**self._known.calls.get(number, {}), **given}, number, self._asker(request))
        match await self._desk.ask(inquiry):
            case Chosen(option=option) if option == APPROVE:
                return allowed(given)
            case Chosen(text=words, then_stop=stop):
                return denied(revision(words), stop=stop, title=inquiry.title)
            case Text(text=words):
                return denied(revision(words))
            case Unanswered():
                return None

    def _asker(self, request: Json) -> str:
        agent = text(request, "agent_id")
        if not agent:
            return ""
        name = self._known.tasks.get(agent, "")
        return f"Asked by its sub-agent “{name}”" if name else "Asked by a sub-agent"


async def _quietly(work: Awaitable[None]) -> None:
    try:
        await work
    except Exception as problem:  # noqa: BLE001  (a task's boundary: the reader tells of the agent's end)
        log.info("agent.unsent", problem=str(problem))
