"""Fault switches: what a test turns on to see how the app copes. Everything is off until asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from bot.local_slack.errors import PersonError

Effect = Literal["ratelimited", "error", "status", "drop_before", "drop_after", "delay"]
Disconnect = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets", "abort", "ghost"]
RETRY_DELAYS = (1.0, 60.0, 300.0)
ACK_SECONDS = 3.0


@dataclass
class Rule:
    """What the next ``times`` calls of ``method`` meet; ``*`` is any method."""

    method: str
    effect: Effect
    times: int = 1
    retry_after: int = 1
    error: str = "internal_error"
    status: int = 500
    seconds: float = 0.0
    channel: str = ""


@dataclass
class Faults:
    rules: list[Rule] = field(default_factory=list)
    duplicate_events: int = 0
    drop_acks: int = 0
    refuse_tickets: int = 0
    refuse_connections: int = 0
    rate_limits: bool = False
    retry_delays: tuple[float, ...] = RETRY_DELAYS
    ack_seconds: float = ACK_SECONDS

    def for_call(self, method: str, channel: str) -> Rule | None:
        """The first rule that fits, used up by one."""
        for rule in self.rules:
            if rule.method in {method, "*"} and rule.channel in {"", channel}:
                rule.times -= 1
                if rule.times <= 0:
                    self.rules.remove(rule)
                return rule
        return None

    def take_duplicate(self) -> bool:
        return self._take("duplicate_events")

    def take_lost_ack(self) -> bool:
        return self._take("drop_acks")

    def take_refused_ticket(self) -> bool:
        return self._take("refuse_tickets")

    def take_refused_connection(self) -> bool:
        return self._take("refuse_connections")

    def clear(self) -> None:
        fresh = Faults()
        for name, value in vars(fresh).items():
            setattr(self, name, value)

    def change(self, wanted: dict[str, Any]) -> None:
        """Applies the parts of a ``/person/faults`` body that are switches; all of it or nothing."""
        rules = [_rule(item) for item in _list(wanted, "rules")]
        counts = {
            name: _count(wanted[name], name)
            for name in ("duplicate_events", "drop_acks", "refuse_tickets", "refuse_connections")
            if name in wanted
        }
        delays = [_seconds(item, "retry_delays") for item in _list(wanted, "retry_delays")]
        ack = _seconds(wanted["ack_seconds"], "ack_seconds") if "ack_seconds" in wanted else self.ack_seconds
        if wanted.get("clear"):
            self.clear()
        self.rules.extend(rules)
        for name, count in counts.items():
            setattr(self, name, count)
        if "rate_limits" in wanted:
            self.rate_limits = wanted["rate_limits"] is True
        if "retry_delays" in wanted:
            self.retry_delays = tuple(delays)
        if "ack_seconds" in wanted:
            self.ack_seconds = ack

    def describe(self) -> dict[str, Any]:
        return {**vars(self), "rules": [vars(rule) for rule in self.rules], "retry_delays": list(self.retry_delays)}

    def _take(self, name: str) -> bool:
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0


def _rule(item: Any) -> Rule:
    if not isinstance(item, dict) or item.get("effect") not in get_args(Effect):
        raise PersonError("bad_fault", f"a rule needs an effect, one of: {', '.join(get_args(Effect))}")
    unknown = set(item) - set(Rule.__dataclass_fields__)
    if unknown or not isinstance(item.get("method"), str):
        raise PersonError("bad_fault", f"a rule needs a method, and has no {', '.join(sorted(unknown)) or 'other key'}")
    rule = Rule(**item)
    _count(rule.times, "times")
    _seconds(rule.seconds, "seconds")
    return rule


def _list(wanted: dict[str, Any], name: str) -> list[Any]:
    value = wanted.get(name, [])
    if not isinstance(value, list):
        raise PersonError("bad_fault", f"{name} must be a list")
    return value


def _count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise PersonError("bad_fault", f"{name} must be a number, 0 or more")
    return value


def _seconds(value: Any, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise PersonError("bad_fault", f"{name} must be seconds, 0 or more")
    return float(value)
