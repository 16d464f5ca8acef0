"""One peer's connection: events are recorded in groups and then acknowledged, commands are pushed in order."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, assert_never

import structlog
from aiohttp import WSCloseCode, WSMsgType, web
from msgspec import Raw

from bot.link.port import Links, Peer
from bot.wire import codec
from bot.wire.messages import Ack, Command, CommandAck, Error, Event, Frame, Hello, Welcome

log = structlog.get_logger()

GROUP = 256
"""Events in one transaction at most."""
INTAKE = 1024
"""Events held in memory before the socket is read no further."""
CLOSE_WITHIN = 2.0


class Refused(Exception):
    """The peer cannot be served; ``error`` says why, on its way out."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.error = Error(code, message, fatal=True)


class Connection:
    """Lives from the welcome to the close."""

    def __init__(self, ws: web.WebSocketResponse, links: Links, peer: Peer, epoch: str) -> None:
        self._ws = ws
        self._links = links
        self._peer = peer
        self._epoch = epoch
        self._intake: asyncio.Queue[Event] = asyncio.Queue(INTAKE)

    async def send(self, frame: Frame) -> None:
        await self._ws.send_bytes(codec.encode(frame))

    async def end(self, error: Error | None) -> None:
        """Say why and close; ``run`` then returns."""
        try:
            async with asyncio.timeout(CLOSE_WITHIN):
                if error is not None:
                    await self.send(error)
                await self._ws.close(code=WSCloseCode.GOING_AWAY if error is None else WSCloseCode.POLICY_VIOLATION)
        except (ConnectionError, TimeoutError):
            pass  # the peer is gone already, which is what was wanted

    async def run(self) -> None:
        """Until the connection ends, from whichever side."""
        async with asyncio.TaskGroup() as tasks:
            side = [tasks.create_task(job, name=name) for name, job in self._side_tasks()]
            try:
                await self._read()
            except Refused as refused:
                log.warning("link.bad_frame", code=refused.error.code, message=refused.error.message)
                await self.end(refused.error)
            finally:
                for task in side:
                    task.cancel()

    def _side_tasks(self) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        return [("link.record", self._record()), ("link.push", self._push())]

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            try:
                frame = codec.decode(message.data)
            except codec.WireError as err:
                raise Refused(err.code, str(err)) from err
            await self._take(frame)

    async def _take(self, frame: Frame) -> None:
        match frame:
            case Event():
                try:
                    codec.event_body(frame.type, frame.body)
                except codec.WireError as err:
                    # Said aloud, and recorded all the same: one bad event must not stop those behind it.
                    await self.send(Error(err.code, f"event {frame.seq}: {err}"))
                await self._intake.put(frame)
            case CommandAck():
                await self._links.command_acked(self._peer, frame.id, frame.problem)
            case Error():
                log.warning("link.peer_error", code=frame.code, message=frame.message)
            case Hello() | Welcome() | Ack() | Command():
                raise Refused("unexpected", f"a {type(frame).__name__} frame is not the peer's to send here")
            case _:
                assert_never(frame)

    async def _record(self) -> None:
        while True:
            group = [await self._intake.get()]
            while len(group) < GROUP and not self._intake.empty():
                group.append(self._intake.get_nowait())
            seq = await self._links.record(self._peer, self._epoch, group)
            try:
                await self.send(Ack(seq))
            except ConnectionError:
                return  # recorded; the peer learns it from the next welcome

    async def _push(self) -> None:
        sent = 0
        while True:
            for command_id, kind, body in await self._links.commands(self._peer, sent):
                try:
                    await self.send(Command(id=command_id, type=kind, body=Raw(body)))
                except ConnectionError:
                    return  # still unacknowledged: pushed again on the next connection
                sent = command_id
            await self._links.wait_commands(self._peer, sent)
