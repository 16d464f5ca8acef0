"""trigger_ids: the right to open one modal for one person, for three seconds, once."""

from __future__ import annotations

from dataclasses import dataclass

from bot.local_slack.clock import Clock
from bot.local_slack.errors import SlackError
from bot.local_slack.ids import new_token

SECONDS = 3.0
REMEMBERED_SECONDS = 600.0


@dataclass
class Trigger:
    person: str
    made: float
    used: bool = False
    dead: bool = False


class Triggers:
    """Kept in memory only: a restart takes longer than a trigger lives."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, Trigger] = {}

    def make(self, person: str) -> str:
        now = self._clock.time()
        self._known = {key: found for key, found in self._known.items() if found.made > now - REMEMBERED_SECONDS}
        trigger_id = f"{int(now * 1000)}.{int(now)}.{new_token(size=16)}"
        self._known[trigger_id] = Trigger(person, now)
        return trigger_id

    def peek(self, trigger_id: str) -> Trigger:
        """The trigger, if it may still be used; Slack's own errors otherwise."""
        trigger = self._known.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if trigger.dead or self._clock.time() - trigger.made > SECONDS:
            raise SlackError("expired_trigger_id")
        return trigger

    def expire_all(self) -> None:
        for trigger in self._known.values():
            trigger.dead = True
