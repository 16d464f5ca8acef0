"""What an operator may set, as the services see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bot.domain.attention import Policy
from bot.wire.types import PersonId


@dataclass(frozen=True)
class ServiceSettings:
    admins: frozenset[PersonId] = field(default_factory=frozenset)
    default_channel: str = ""
    """Where threads live when neither the repo nor the place of typing says; empty: the owner's DM."""
    digest: str = "every 30m"
    """Everybody's digest schedule until they choose their own."""
    progress_every: timedelta = timedelta(minutes=30)
    card_edit_every: timedelta = timedelta(seconds=3)
    heartbeat: timedelta = timedelta(seconds=10)
    asleep_after: timedelta = timedelta(seconds=30)
    """A host that is silent for this long is shown as asleep."""
    policies: Mapping[PersonId, Policy] = field(default_factory=dict)
    """When each person may be called; who is not named here, at any time."""
