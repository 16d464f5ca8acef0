"""The line between runner and ACP agent: JSON-RPC messages out of what the agent prints, and what it prints instead.

The SDK's own transport skips garbage for ever, buffers a line of any length and ignores ``$/cancel_request``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from runners.agents.text import one_line

MAX_LINE = 32 * 1024 * 1024
MAX_STRAY = 100
"""Lines in a row that are no JSON-RPC; launchers print a few before the agent speaks."""

NOTIFICATIONS = ("session/update", "elicitation/complete")
QUESTIONS = ("session/request_permission", "elicitation/create")

_INTERNAL = -32603

REQUEST: ContextVar[int | str | None] = ContextVar("acp_request", default=None)
"""The id of the agent's request that the current handler answers. Set before the SDK makes the handler's task, which
copies the context: the SDK itself does not tell a handler which request it serves."""

Message = dict[str, Any]


class AcpLines:
    """Implements the SDK's ``Transport``. ``fault`` says what was wrong when it ended for another reason than EOF."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_cancelled: Callable[[int | str], None] = lambda _: None,
    ) -> None:
        self._reader, self._writer = reader, writer
        self._on_cancelled = on_cancelled
        self._buffer = bytearray()
        self._scanned = 0
        self._ended = False
        self._unanswered: set[int | str] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self.fault = ""
        self.stray = ""
        """The first line that was no JSON-RPC."""
        self._strays = 0
        self.spoken = False
        """At least one real message has come."""
        self.ended = asyncio.Event()

    async def receive(self) -> Message | None:
        while (line := await self._line()) is not None:
            message = _parse(line)
            if message is None:
                self._note_stray(line)
                continue
            self._strays = 0
            self.spoken = True
            if message.get("method") == "$/cancel_request":
                params = message.get("params")
                target = params.get("requestId") if isinstance(params, dict) else None
                if isinstance(target, int | str):
                    self._on_cancelled(target)
                continue
            if "id" not in message and message["method"] not in NOTIFICATIONS:
                continue  # of its own making, for somebody else; the SDK would log each as an error
            request = message.get("id") if "method" in message else None
            REQUEST.set(request)
            if request is not None and message["method"] in QUESTIONS:
                self._unanswered.add(request)
                self._quiet.clear()
            return message
        self.ended.set()
        self._quiet.set()
        return None

    async def send(self, message: Message) -> None:
        if self._ended or self._writer.is_closing():
            raise ConnectionError("the agent has closed its input")
        self._writer.write(_encoded(message))
        if "method" not in message:
            self._unanswered.discard(message["id"])
            if not self._unanswered:
                self._quiet.set()
        await self._writer.drain()

    async def close(self) -> None:
        self._ended = True
        self.ended.set()
        self._quiet.set()

    async def all_answered(self) -> None:
        """Wait until every question of the agent's has its answer written."""
        await self._quiet.wait()

    async def _line(self) -> bytes | None:
        while not self.fault and not self._ended:
            end = self._buffer.find(b"\n", self._scanned)
            if end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                self._scanned = 0
                if line.strip():
                    return line
                continue
            self._scanned = len(self._buffer)
            if self._scanned > MAX_LINE:
                self._buffer.clear()
                self.fault = f"it printed a line of more than {MAX_LINE // 1024 // 1024} MB"
                return None
            chunk = await self._reader.read(64 * 1024)
            if not chunk:
                return None
            self._buffer += chunk
        return None

    def _note_stray(self, line: bytes) -> None:
        self.stray = self.stray or one_line(line[:400].decode("utf-8", "replace"), 120)
        self._strays += 1
        if self._strays > MAX_STRAY:
            self.fault = f"it prints “{self.stray}” and the like instead of JSON-RPC messages"


def _encoded(message: Message) -> bytes:
    """The SDK's errors quote what they were about, which need not be JSON: an agent left without answer waits on."""
    try:
        text = json.dumps(message, separators=(",", ":"), default=str)
    except (TypeError, ValueError, RecursionError):
        if "method" in message:
            raise
        error = {"code": _INTERNAL, "message": "Internal error"}
        text = json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": error})
    return (text + "\n").encode()


def _parse(line: bytes) -> Message | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not isinstance(message.get("method", ""), str):
        return None
    if "method" not in message and "id" not in message:
        return None
    return message if isinstance(message.get("id"), int | str | None) else None
