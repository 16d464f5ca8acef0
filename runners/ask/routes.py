"""The door's routes for scripts and for the shim: ``/ask`` streams lines of JSON until there is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct

from bot.wire.types import QuestionId
from runners.agents.base import Answered, Chosen, Inquiry, Text, Unanswered
from runners.ask import tool
from runners.ask.asking import AT_ONCE, RESENT, Asker
from runners.ask.calls import BadCall, Call, parse
from runners.ask.door import Door, refused
from runners.ask.mcp import BEAT
from runners.ask.tool import Outcome

log = structlog.get_logger()


class AskBody(Struct, frozen=True):
    """``arguments`` are those of ``ask_human``."""

    arguments: Any
    wait: float | None = None
    """Seconds; None: for as long as it takes. 0: post it and come back."""
    for_all: bool = False
    """Wait for assumed questions as well: who asks goes on only when their time is over."""
    tool: bool = False
    """It comes from an agent's tool, which may send it again; a script that runs again asks anew."""


class WithdrawBody(Struct, frozen=True):
    """By the ids that ``/ask`` gave, or by the same ``arguments`` where its caller has not seen them yet."""

    reason: str
    ids: tuple[QuestionId, ...] = ()
    arguments: Any = None


class Routes:
    def __init__(self, asker: Asker, clock: Callable[[], datetime], *, comes: bool, beat: float = BEAT) -> None:
        self._asker = asker
        self._clock = clock
        self._comes = comes
        self._beat = beat

    def mount(self, door: Door) -> None:
        door.mount("/ask", self._ask)
        door.mount("/withdraw", self._withdraw)

    async def _ask(self, request: web.Request, _names: Mapping[str, str]) -> web.StreamResponse:
        try:
            body = msgspec.json.decode(await request.read(), type=AskBody)
            call = parse(body.arguments, self._clock())
            ids = await self._asker.post(call, RESENT if body.tool else AT_ONCE)
        except msgspec.DecodeError as err:
            return refused(400, f"The body cannot be read: {err}")
        except BadCall as err:
            return web.json_response({"error": str(err), "problems": err.problems}, status=422)
        log.info("ask.posted", questions=ids)
        stream = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        await stream.prepare(request)
        await _line(stream, {"posted": ids})
        outcome = await self._waited(stream, body, call, ids)
        answers = [told(asked, found) for asked, found in zip(call.questions, outcome, strict=True)]
        await _line(stream, {"answers": answers, "text": tool.result(call, outcome, comes=self._comes)})
        await stream.write_eof()
        await self._asker.given(call, outcome)
        return stream

    async def _waited(
        self, stream: web.StreamResponse, body: AskBody, call: Call, ids: tuple[QuestionId, ...]
    ) -> Outcome:
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._asker.wait(call, ids, body.wait, for_all=body.for_all), name="ask.script")
            while not (await asyncio.wait({work}, timeout=self._beat))[0]:
                await _line(stream, {})
        return work.result()

    async def _withdraw(self, request: web.Request, _names: Mapping[str, str]) -> web.StreamResponse:
        try:
            body = msgspec.json.decode(await request.read(), type=WithdrawBody)
            call = parse(body.arguments, self._clock()) if body.arguments is not None else None
            ids = body.ids or (await self._asker.post(call, AT_ONCE) if call else ())
        except msgspec.DecodeError as err:
            return refused(400, f"The body cannot be read: {err}")
        except BadCall as err:
            return refused(422, str(err))
        withdrawn = self._asker.withdraw(ids, body.reason[:300] or "it is no longer needed")
        return web.json_response({"withdrawn": withdrawn})


class Told(Struct, frozen=True):
    """What became of one question."""

    question: str
    status: str
    """``answered``, ``open`` or ``closed``."""
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    text: str = ""
    reason: str = ""
    """Why it was closed without an answer."""


def told(asked: Inquiry, answered: Answered | None) -> dict[str, Any]:
    match answered:
        case None:
            found = Told(asked.title, "open")
        case Unanswered(reason):
            found = Told(asked.title, "closed", reason=reason)
        case Text(text):
            found = Told(asked.title, "answered", text=text)
        case Chosen() as chosen:
            options = tuple(tool.chosen_ids(chosen))
            labels = tuple(tool.label(asked, each) for each in options)
            found = Told(asked.title, "answered", options, labels, chosen.text)
    return msgspec.structs.asdict(found)


async def _line(stream: web.StreamResponse, message: object) -> None:
    await stream.write(msgspec.json.encode(message) + b"\n")
