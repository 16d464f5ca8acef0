"""What Claude Code said since a runner last took note of it. Standard library only."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

KEPT = 16 * 1024 * 1024
"""Bytes of output kept for a runner that is away; beyond them the oldest progress is dropped, never a turn's end."""
_NEVER_DROPPED = ("result", "conversation_reset", "rate_limit_event", "command_lifecycle")


class Journal:
    """Output since the last turn that a runner has taken note of, and what Claude Code waits to hear."""

    def __init__(self) -> None:
        self.last = 0
        self.lines: deque[tuple[int, bytes, bool]] = deque()
        self.pending: dict[str, bytes] = {}
        self.state = "idle"
        self.background = ""
        self.sessions: list[str] = []
        self._size = 0

    def take(self, line: bytes) -> bytes | None:
        """Note one line of output; the frame for a runner. None: no message of Claude Code's; others print too."""
        message = parsed(line)
        if not message:
            return None
        kind = message.get("type")
        if kind == "control_response":
            return b"0 " + line
        if kind == "control_request":
            self.pending[str(message.get("request_id"))] = line
            return b"0 " + line
        if kind == "control_cancel_request":
            self.pending.pop(str(message.get("request_id")), None)
            return b"0 " + line
        self._note(message)
        self.last += 1
        subtype = message.get("subtype")
        lasting = kind in _NEVER_DROPPED or subtype == "session_state_changed"
        self.lines.append((self.last, line, lasting))
        self._size += len(line)
        if self._size > KEPT:
            self._drop()
        return b"%d %s" % (self.last, line)

    def _note(self, message: dict[str, Any]) -> None:
        session = message.get("session_id")
        if isinstance(session, str) and session and session not in self.sessions[-1:]:
            self.sessions.append(session)
        match message.get("subtype"):
            case "session_state_changed":
                self.state = str(message.get("state"))
            case "background_tasks_changed":
                self.background = json.dumps(message)

    def _drop(self) -> None:
        lasting = [entry for entry in self.lines if entry[2]]
        passing = [entry for entry in self.lines if not entry[2]]
        size = sum(len(line) for _, line, _ in self.lines)
        while passing and size > KEPT // 2:
            size -= len(passing.pop(0)[1])
        self.lines = deque(sorted((*lasting[-2000:], *passing)))
        self._size = sum(len(line) for _, line, _ in self.lines)

    def answered(self, line: bytes) -> bool:
        """Note one line of input. False: an answer to something that is no longer asked, to be dropped."""
        if b'"control_response"' not in line[:200]:
            return True
        response = parsed(line).get("response")
        asked = str(response.get("request_id")) if isinstance(response, dict) else ""
        return self.pending.pop(asked, None) is not None

    def seen(self, upto: int) -> None:
        while self.lines and self.lines[0][0] <= upto:
            self._size -= len(self.lines.popleft()[1])


def parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}
