"""A whole bot without Slack and without wire: the real services on a real database, with a clock that tests set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain.deliveries import Delivery, MessageRef, Subject
from bot.domain.intents import Intent, Origin, Response, Start, Surface
from bot.domain.views import View
from bot.services import Services
from bot.services.links import HostPeer, RunnerPeer
from bot.services.people import Profile
from bot.services.settings import ServiceSettings
from bot.store.database import Database
from bot.wire import codec
from bot.wire.messages import CommandBody, EventBody, Hello, HostDescribed, SessionPlaced, StartSession
from bot.wire.types import AgentOffer, HostId, PersonId, Place, RepoOffer, SessionId, SessionSpec

ANA, BEN, CLEO, GUS = PersonId("UANA"), PersonId("UBEN"), PersonId("UCLEO"), PersonId("UGUS")
ADMIN = PersonId("UADMIN")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Runner:
    """One session's runner, as the link server would speak for it."""

    board: Board
    spec: SessionSpec
    peer: RunnerPeer
    epoch: str = "e1"
    seq: int = 0

    async def says(self, *bodies: EventBody) -> int:
        events = []
        for body in bodies:
            self.seq += 1
            events.append(codec.event(self.seq, self.board.clock.now(), body, self.peer.session))
        return await self.board.links.record(self.peer, self.epoch, events)

    async def takes(self) -> list[CommandBody]:
        """Fetch and acknowledge what waits."""
        taken: list[CommandBody] = []
        for number, kind, body in await self.board.links.commands(self.peer, 0):
            taken.append(codec.command_body(kind, body))
            await self.board.links.command_acked(self.peer, number, "")
        return taken


@dataclass
class Message:
    """One message as the fake channel keeps it: what it shows now, and how often it was changed."""

    channel: str
    ts: str
    delivery: Delivery
    view: View
    edits: int = 0


@dataclass
class Board:
    db: Database
    clock: SetClock
    settings: ServiceSettings
    services: Services
    messages: list[Message] = field(default_factory=list)
    keys: int = 0
    posts: int = 0
    host_seq: int = 0

    @property
    def desk(self):  # type: ignore[no-untyped-def]
        return self.services.desk

    @property
    def links(self):  # type: ignore[no-untyped-def]
        return self.services.links

    # --- people -----------------------------------------------------------------------------------------------------

    async def does(
        self,
        by: PersonId,
        intent: Intent,
        *,
        surface: Surface = "button",
        channel: str = "C1",
        thread: str = "",
        key: str = "",
        ts: str = "",
    ) -> Response:
        self.keys += 1
        origin = Origin(key or f"k{self.keys}", surface, channel, thread, ts)
        return await self.services.desk.handle(intent, by, origin)

    async def knows(self, *people: PersonId, guest: bool = False, tz: str = "UTC") -> None:
        for person in people:
            name = person[1:].title()
            await self.services.people.know(
                Profile(person, name.lower(), name, f"{name.lower()}@example.com", tz, is_guest=guest)
            )

    # --- machines ---------------------------------------------------------------------------------------------------

    async def host(
        self, name: str = "laptop", owner: PersonId = ANA, *, shared: bool = False, channel: str = "C1", **repo: object
    ) -> HostPeer:
        token = await self.services.links.enroll(HostId(name), owner, shared)
        peer = await self.services.links.authenticate(token)
        assert isinstance(peer, HostPeer)
        await self.services.links.greet(peer, Hello((1,), "host", name, "h1", 0))
        offer = RepoOffer("app", "main", agent="demo", channel=channel)
        await self.host_says(peer, HostDescribed((offer,), (AgentOffer("demo"), AgentOffer("codex"))))
        return peer

    async def host_says(self, peer: HostPeer, body: EventBody, session: SessionId | None = None) -> None:
        self.host_seq += 1
        await self.services.links.record(peer, "h1", [codec.event(self.host_seq, self.clock.now(), body, session)])

    async def runner(self, peer: HostPeer) -> Runner:
        """Take the one start command that waits, place its session and connect its runner."""
        (number, kind, body), *_ = await self.services.links.commands(peer, 0)
        start = codec.command_body(kind, body)
        assert isinstance(start, StartSession)
        await self.services.links.command_acked(peer, number, "")
        spec = start.spec
        place = Place(spec.branch, f"/trees/{spec.name}", spec.base, "b" * 40, spec.agent)
        await self.host_says(peer, SessionPlaced(place), spec.session)
        runner = await self.services.links.authenticate(spec.token)
        assert isinstance(runner, RunnerPeer)
        await self.services.links.greet(runner, Hello((1,), "runner", spec.session, "e1", 0))
        return Runner(self, spec, runner)

    async def session(self, task: str = "Add search", by: PersonId = ANA, **start: object) -> Runner:
        """A host if there is none, a session started on it, its card posted."""
        known = await self.services.links.hosts()
        peer = HostPeer(known[0].id, known[0].owner, known[0].shared) if known else await self.host()
        await self.does(by, Start(task, **start), surface="slash")  # type: ignore[arg-type]
        runner = await self.runner(peer)
        await self.deliver()
        return runner

    # --- Slack ------------------------------------------------------------------------------------------------------

    async def deliver(self, limit: int = 100) -> list[Message]:
        """Do all deliveries that can be claimed now, as Slack would; returns what was posted or edited."""
        changed = []
        while claimed := await self.services.outbox.claim(limit):
            for delivery in claimed:
                if message := await self._do(delivery):
                    changed.append(message)
        return changed

    async def _do(self, delivery: Delivery) -> Message | None:
        view = await self.services.outbox.view(delivery)
        if view is None:
            await self.services.outbox.done(delivery, None)
            return None
        if delivery.message:
            message = next(m for m in self.messages if (m.channel, m.ts) == _at(delivery.message))
            message.view, message.delivery = view, delivery
            message.edits += 1
        else:
            self.posts += 1
            channel = delivery.to.channel or f"D{delivery.to.person}"
            message = Message(channel, f"{self.posts}.0", delivery, view)
            self.messages.append(message)
        stays = delivery.subject not in (Subject.PRIVATE, Subject.FILE, Subject.HOME)
        await self.services.outbox.done(delivery, MessageRef(message.channel, message.ts) if stays else None, "x")
        return message

    def shown(self, subject: Subject, channel: str = "") -> Sequence[View]:
        """What the messages of this kind show now."""
        return [m.view for m in self.messages if m.delivery.subject is subject and channel in ("", m.channel)]

    def thread(self, runner: Runner) -> str:
        """The ts of a session's card."""
        return next(
            m.ts
            for m in reversed(self.messages)
            if m.delivery.subject is Subject.SESSION and m.delivery.ref == runner.peer.session
        )


def _at(message: MessageRef) -> tuple[str, str]:
    return message.channel, message.ts


async def open_board(folder: Path, **settings: object) -> Board:
    values = {"admins": frozenset({ADMIN}), "card_edit_every": timedelta(0), **settings}
    chosen = ServiceSettings(**values)  # type: ignore[arg-type]
    clock = SetClock()
    db = await Database.open(folder / "data" / "switchboard.db")
    return Board(db, clock, chosen, Services(db, chosen, clock))
