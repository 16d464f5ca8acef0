"""JSON-RPC with a Codex app-server: websocket frames over its unix socket, in order. Knows no method by name."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog

log = structlog.get_logger()

Json = dict[str, Any]


def table(found: Any) -> Json:
    """What should be an object; anything else is an empty one."""
    return found if isinstance(found, dict) else {}


def tables(found: Any) -> list[Json]:
    """The objects of what should be a list of them."""
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


MAX_FRAME = 64 * 1024 * 1024


class RpcError(Exception):
    """The server answered with an error."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Request:
    """Something the server wants answered. Its id is the server's own count, good for one life of its process."""

    id: int | str
    method: str
    params: Json


class Rpc:
    """One connection. ``on_notice`` and ``on_request`` are called in the order of arrival and must not block.

    ``closed`` is set once, whatever ended the connection; ``fault`` then says what the server did wrong, if it did.
    """

    def __init__(self, on_notice: Callable[[str, Json], None], on_request: Callable[[Request], None]) -> None:
        self._on_notice, self._on_request = on_notice, on_request
        self._next = 1
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self.closed = asyncio.Event()
        self.fault = ""

    async def connect(self, path: Path) -> None:
        """Raises OSError or aiohttp.ClientError where nobody answers."""
        session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)))
        try:
            self._socket = await session.ws_connect(
                "http://localhost/", max_msg_size=MAX_FRAME, timeout=aiohttp.ClientWSTimeout(ws_close=1.0)
            )
        except BaseException:
            await session.close()
            raise
        self._session = session
        self._reader = asyncio.create_task(self._read(self._socket), name="codex.read")

    async def call(self, method: str, params: Json, timeout: float | None = None) -> Any:
        """Raises RpcError, ConnectionError once the connection is gone, TimeoutError."""
        number, self._next = self._next, self._next + 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await self._send({"id": number, "method": method, "params": params})
            async with asyncio.timeout(timeout):
                return await future
        finally:
            self._waiting.pop(number, None)

    async def notify(self, method: str) -> None:
        await self._send({"method": method})

    async def answer(self, request: Request, result: Json) -> None:
        await self._send({"id": request.id, "result": result})

    async def refuse(self, request: Request, why: str) -> None:
        await self._send({"id": request.id, "error": {"code": -32601, "message": why}})

    async def close(self) -> None:
        """Idempotent; never raises."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
        self._ended()

    async def _send(self, message: Json) -> None:
        if self._socket is None or self.closed.is_set():
            raise ConnectionResetError("the app-server is gone")
        try:
            await self._socket.send_str(json.dumps(message))
        except (aiohttp.ClientError, RuntimeError) as problem:
            raise ConnectionResetError(str(problem)) from problem

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.ERROR:
                    self.fault = f"a frame that cannot be read ({frame.data})"
                    break
                if frame.type is aiohttp.WSMsgType.TEXT and not self._take(frame.data):
                    break
            if isinstance(problem := socket.exception(), aiohttp.WebSocketError) and not self.fault:
                self.fault = f"a frame that cannot be read ({problem})"
        finally:
            self._ended()

    def _take(self, text: str) -> bool:
        """False: the peer does not speak JSON-RPC; there is no point in listening on."""
        try:
            message = json.loads(text)
        except ValueError:
            self.fault = "a frame that is not JSON"
            return False
        if not isinstance(message, dict):
            self.fault = "a frame that is not a JSON object"
            return False
        params = message.get("params")
        given: Json = params if isinstance(params, dict) else {}
        match message:
            case {"method": str(method), "id": int() | str() as id_}:
                self._hand_over(method, lambda: self._on_request(Request(id_, method, given)))
            case {"method": str(method)}:
                self._hand_over(method, lambda: self._on_notice(method, given))
            case {"id": int(id_)}:
                self._answered(id_, message)
        return True

    def _hand_over(self, method: str, handle: Callable[[], None]) -> None:
        try:
            handle()
        except Exception:  # a message of a shape that we do not know must not end the session
            log.exception("codex.not_understood", method=method)

    def _answered(self, number: int, message: Json) -> None:
        future = self._waiting.get(number)
        if future is None or future.done():
            return
        match message.get("error"):
            case None:
                future.set_result(message.get("result"))
            case {"code": int(code), "message": str(words)}:
                future.set_exception(RpcError(code, words))
            case other:
                future.set_exception(RpcError(0, str(other)))

    def _ended(self) -> None:
        self.closed.set()
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(ConnectionResetError("the app-server is gone"))
                future.exception()  # a call that was itself cancelled meanwhile leaves nobody to look
