"""The workspace as one object: what every part needs, and the order in which a change takes effect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.local_slack.clock import Clock
from bot.local_slack.delivery import Delivery
from bot.local_slack.faults import Faults
from bot.local_slack.hub import Hub
from bot.local_slack.manifest import AppManifest
from bot.local_slack.models import Json, PendingEvent
from bot.local_slack.socket_mode import SocketMode
from bot.local_slack.state import State
from bot.local_slack.traffic import Traffic
from bot.local_slack.triggers import Triggers

if TYPE_CHECKING:
    from bot.local_slack.uploads import Uploads


@dataclass
class Workspace:
    """Changes are made to ``state`` without awaiting in between, then settled: first on disk, then told to anyone."""

    state: State
    clock: Clock
    manifest: AppManifest
    hub: Hub
    traffic: Traffic
    faults: Faults
    delivery: Delivery
    socket_mode: SocketMode
    triggers: Triggers
    scopes: frozenset[str]
    uploads: Uploads = field(init=False)
    base_url: str = ""
    old_versions: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    """Bodies that messages had before their last edits; see ``messages.OLD_VERSIONS``."""
    _after: list[Callable[[], None]] = field(default_factory=list)

    def tell(self, people: Iterable[str], push: Json) -> None:
        """Once settled: show it to these people's open pages."""
        wanted = list(people)
        self._after.append(lambda: self.hub.tell(wanted, push))

    def tell_all(self, push: Json) -> None:
        self._after.append(lambda: self.hub.tell_all(push))

    def emit(self, event: PendingEvent) -> None:
        """Kept with the change that caused it; goes out once settled."""
        self.state.save_pending(event)
        self._after.append(lambda: self.delivery.send(event))

    async def settle(self) -> None:
        after, self._after = self._after, []
        await self.state.store.commit()
        for action in after:
            action()

    def names(self) -> dict[str, str]:
        """Everything a person can be called in a mention, lowercase or as an id, with the id it stands for."""
        names: dict[str, str] = {}
        for person in self.state.people.values():
            if not person.deleted:
                for name in (person.id, person.name.lower(), person.real_name.split(" ")[0].lower()):
                    names.setdefault(name, person.id)
        return names

    def channel_names(self) -> dict[str, str]:
        channels = [channel for channel in self.state.channels.values() if channel.kind == "channel"]
        return {name: channel.id for channel in channels for name in (channel.id, channel.name)}
