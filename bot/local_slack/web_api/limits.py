"""Slack's rate limits, where a test switches them on: per method and minute, and one post a second in a channel."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field

from bot.local_slack.clock import Clock

TIER_2, TIER_3, TIER_4 = 20, 50, 100
PER_MINUTE = {
    "apps.connections.open": TIER_3,
    "chat.update": TIER_3,
    "chat.delete": TIER_3,
    "chat.postEphemeral": TIER_4,
    "conversations.open": TIER_3,
    "conversations.info": TIER_3,
    "conversations.history": TIER_3,
    "conversations.replies": TIER_3,
    "conversations.join": TIER_3,
    "users.info": TIER_4,
    "reactions.add": TIER_3,
    "views.open": TIER_4,
    "views.push": TIER_4,
    "views.update": TIER_4,
    "views.publish": TIER_4,
    "files.getUploadURLExternal": TIER_4,
    "files.completeUploadExternal": TIER_4,
    "chat.postMessage": 300,
}
"""Calls a minute for the whole workspace; Slack says "several hundred" of posting."""
BURST = 3
"""Posts at once in a channel before one a second counts; Slack allows "short bursts"."""


@dataclass
class Limits:
    clock: Clock
    _calls: dict[str, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    _channels: dict[str, float] = field(default_factory=dict)

    def wait(self, method: str, channel: str) -> int:
        """Counts this call and returns 0, or does not count it and returns after how many seconds it may come again."""
        now = self.clock.time()
        calls = self._calls[method]
        while calls and calls[0] <= now - 60:
            calls.popleft()
        most = PER_MINUTE.get(method)
        if most is not None and len(calls) >= most:
            return max(1, math.ceil(calls[0] + 60 - now))
        if method == "chat.postMessage":
            # ``free`` is when this channel's posts so far would have been made at one a second.
            free = max(self._channels.get(channel, 0.0), now)
            if free - now > BURST - 1:
                return max(1, math.ceil(free - now - (BURST - 1)))
            self._channels[channel] = free + 1
        calls.append(now)
        return 0
