"""Where Claude Code stands: a turn under way, prompts not worked off, how the last turn ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from runners.agents.base import TurnEnded
from runners.agents.claude.failures import failed, limit_reset
from runners.agents.claude.fields import Json, text

_LIMITS = ("max_tokens", "model_context_window_exceeded")


@dataclass
class Course:
    """Fed with every message in order. A turn ends where Claude Code is idle and no prompt of ours is left over."""

    running: bool = False
    waiting: set[str] = field(default_factory=set)
    result: Json | None = None
    error: str = ""
    """What the newest message called its error; empty: it was none."""
    until: datetime | None = None
    session: str = ""
    model: str = ""
    resets: int = 0

    def sent(self, prompt: str) -> None:
        self.waiting.add(prompt)

    def take(self, message: Json) -> bool:
        """True: with this message a turn has ended."""
        self.session = text(message, "session_id") or self.session
        match message.get("type"), message.get("subtype"):
            case "system", "session_state_changed":
                return self._state(text(message, "state"))
            case "system", "init":
                self.model = text(message, "model")
            case "command_lifecycle", _:
                change = self.waiting.add if message.get("state") in ("queued", "started") else self.waiting.discard
                change(text(message, "command_uuid"))
            case "rate_limit_event", _:
                self.until = limit_reset(message) or self.until
            case "conversation_reset", _:
                self.resets += 1
            case "assistant", _ if not message.get("parent_tool_use_id"):
                self.error = text(message, "error")
            case "result", _:
                self.result = message
        return False

    def _state(self, state: str) -> bool:
        if state != "idle":
            self.running = True
            return False
        ended = self.running and not self.waiting
        self.running = self.running and not ended
        return ended

    def ended(self, words: str, now: datetime) -> TurnEnded | None:
        """How; None where something must be put right first (``failures.fault``)."""
        result, self.result = self.result, None
        error, self.error = self.error, ""
        if result is None:
            return TurnEnded("done", words)
        if text(result, "terminal_reason").startswith("aborted"):
            return TurnEnded("cancelled", words)
        if result.get("is_error"):
            return failed(result, error, words, self.until, now)
        if result.get("stop_reason") == "refusal":
            return TurnEnded("refused", words)
        if result.get("stop_reason") in _LIMITS:
            return TurnEnded("limit", words)
        return TurnEnded("done", words or text(result, "result"))
