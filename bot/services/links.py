"""What hosts and runners say: who they are, their events in one transaction each, their commands in order."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from bot.domain.sessions import SessionState
from bot.services import applying, closing, following, touch
from bot.services.ctx import Ctx
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.services.tokens import HOST_TOKEN, RUNNER_TOKEN, digest_of
from bot.store import commands, due, events, hosts, sessions
from bot.store.database import Database, Tx
from bot.wire import codec
from bot.wire.messages import Event, Hello, Progressed, Prompt, StartSession, StopSession
from bot.wire.types import AgentOffer, Ending, HostId, PersonId, RepoOffer, SessionId

log = structlog.get_logger()
T = TypeVar("T")

WAIT_AT_MOST = 60.0
TOKEN_OUTLIVES_SESSION = timedelta(days=1)
"""So that a runner whose last acknowledgement was lost can come back for it; its events change nothing any more."""
BELIEVABLE = timedelta(days=7)
MAX_SEQ = 2**62
"""Beyond what anybody can have counted to, and what the store can hold."""


@dataclass(frozen=True)
class HostPeer:
    host: HostId
    owner: PersonId
    shared: bool


@dataclass(frozen=True)
class RunnerPeer:
    session: SessionId


Peer = HostPeer | RunnerPeer


@dataclass(frozen=True)
class HostKnown:
    """An enrolled host, as far as it has described itself."""

    id: HostId
    owner: PersonId
    shared: bool
    connected: bool
    repos: tuple[RepoOffer, ...] = ()
    agents: tuple[AgentOffer, ...] = ()
    problems: tuple[str, ...] = ()


def key_of(peer: Peer) -> str:
    return commands.host_peer(peer.host) if isinstance(peer, HostPeer) else commands.runner_peer(peer.session)


class Links:
    """Called by the link server. Everything acknowledged here is on disk."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._woken = False

    async def authenticate(self, token: str) -> Peer | None:
        """None for a token that is unknown, revoked, or whose session ended a while ago."""
        hashed, recently = digest_of(token), self._clock.now() - TOKEN_OUTLIVES_SESSION

        def work(tx: Tx) -> Peer | None:
            if token.startswith(RUNNER_TOKEN):
                session = sessions.by_token(tx, hashed, recently)
                return RunnerPeer(session) if session else None
            host = hosts.by_token(tx, hashed)
            return HostPeer(host.id, host.owner, host.shared) if host else None

        return await self._db.read(work)

    async def greet(self, peer: Peer, hello: Hello) -> int:
        """Marks the peer as connected. Returns the newest event of its epoch that is on disk."""
        await self.wake()
        return await self._write(lambda ctx: _greet(ctx, peer, hello))

    async def record(self, peer: Peer, epoch: str, received: Sequence[Event]) -> int:
        """One transaction. Idempotent by (peer, epoch, seq); returns the newest event on disk."""
        return await self._write(lambda ctx: _record(ctx, peer, epoch, received))

    async def commands(self, peer: Peer, after: int) -> Sequence[tuple[int, str, bytes]]:
        """Unacknowledged ones, in order: id, type, body."""
        return await self._db.read(lambda tx: commands.waiting(tx, key_of(peer), after))

    async def command_acked(self, peer: Peer, command: int, problem: str = "") -> None:
        await self._write(lambda ctx: _command_acked(ctx, peer, command, problem))

    async def wait_commands(self, peer: Peer, after: int) -> None:
        """Until there is a command with a higher id. May return early; ask ``commands`` then."""
        bell = commands.bell(key_of(peer))
        seen = self._db.bells.rung(bell)
        if not await self.commands(peer, after):
            await self._db.bells.wait(bell, seen, WAIT_AT_MOST)

    async def disconnected(self, peer: Peer) -> None:
        await self._write(lambda ctx: _disconnected(ctx, peer))

    async def enroll(self, host: HostId, owner: PersonId, shared: bool = False) -> str:
        """Returns the clear token, once. Enrolling again replaces the token."""
        token = HOST_TOKEN + secrets.token_urlsafe(32)
        await self._db.write(lambda tx: hosts.enroll(tx, host, owner, digest_of(token), shared=shared))
        return token

    async def revoke(self, host: HostId) -> bool:
        return await self._db.write(lambda tx: hosts.revoke(tx, host))

    async def hosts(self) -> Sequence[HostKnown]:
        return [
            HostKnown(
                id=host.id,
                owner=host.owner,
                shared=host.shared,
                connected=host.connected,
                repos=host.offers.repos if host.offers else (),
                agents=host.offers.agents if host.offers else (),
                problems=host.offers.problems if host.offers else (),
            )
            for host in await self._db.read(hosts.everyone)
        ]

    async def wake(self) -> None:
        """Once for each process, before the first greeting: nobody is connected yet, whatever the table says."""
        if not self._woken:
            self._woken = True
            await self._write(_wake)

    async def _write(self, work: Callable[[Ctx], T]) -> T:
        now = self._clock.now()
        return await self._db.write(lambda tx: work(Ctx(tx, now, self._settings)))


def _wake(ctx: Ctx) -> None:
    events.nobody_connected(ctx.tx, ctx.now)
    for host in hosts.everyone(ctx.tx):
        if host.connected:
            _host_went(ctx, host.id)


def _host_went(ctx: Ctx, host: HostId) -> None:
    hosts.went(ctx.tx, host, ctx.now)
    due.schedule(ctx.tx, due.Due("asleep", host, "", ctx.now + ctx.settings.asleep_after))


def _greet(ctx: Ctx, peer: Peer, hello: Hello) -> int:
    key = key_of(peer)
    events.set_connected(ctx.tx, key, ctx.now, connected=True)
    if isinstance(peer, HostPeer):
        due.cancel(ctx.tx, "asleep", peer.host)
        if hosts.came(ctx.tx, peer.host):
            touch_host(ctx, peer.host)
    log.info("link.greeted", peer=key, epoch=hello.epoch, last_seq=hello.last_seq, software=hello.software)
    return events.acked(ctx.tx, key, hello.epoch)


def happened(said: datetime, now: datetime) -> datetime:
    """When a peer says that something happened, as far as its clock can be believed. Without a zone it means UTC."""
    if said.tzinfo is None:
        said = said.replace(tzinfo=UTC)
    return said if now - BELIEVABLE < said <= now else now


def touch_host(ctx: Ctx, host: HostId) -> None:
    """Its sessions look different: it fell asleep or woke up."""
    for session, _, _ in sessions.on_host(ctx.tx, host):
        touch.card(ctx, sessions.must(ctx.tx, session))


def _disconnected(ctx: Ctx, peer: Peer) -> None:
    events.set_connected(ctx.tx, key_of(peer), ctx.now, connected=False)
    if isinstance(peer, HostPeer):
        _host_went(ctx, peer.host)


def _record(ctx: Ctx, peer: Peer, epoch: str, received: Sequence[Event]) -> int:
    key = key_of(peer)
    acked = before = events.acked(ctx.tx, key, epoch)
    newest = max((e.seq for e in received if e.type == Progressed.type), default=0)
    for event in received:
        if not acked < event.seq <= MAX_SEQ:
            continue
        acked = event.seq
        if event.type == Progressed.type and event.seq < newest:
            continue  # a snapshot is the whole state: the newest of a batch says it all
        session = event.session or (peer.session if isinstance(peer, RunnerPeer) else None)
        context = {"peer": key, "seq": event.seq, "type": event.type}
        if isinstance(peer, RunnerPeer) and session != peer.session:
            log.warning("link.foreign_session", session=session, **context)
            continue
        host = peer.host if isinstance(peer, HostPeer) else None
        try:
            body = codec.event_body(event.type, event.body)
        except codec.UnknownType as err:  # from a newer peer: what it adds is not ours to show
            log.warning("link.event_skipped", error=str(err), **context)
            continue
        except codec.WireError:
            log.exception("link.event_skipped", session=session, **context)
            applying.lost(ctx, session, event.type, host)
            continue
        applying.guarded(ctx, session, body, host, happened(event.at, ctx.now), context)
    if acked > before:
        events.ack(ctx.tx, key, epoch, acked)
    return acked


def _command_acked(ctx: Ctx, peer: Peer, command: int, problem: str) -> None:
    taken = commands.take(ctx.tx, key_of(peer), command)
    if taken is None or not problem:
        return
    kind, session_id, refused = taken
    log.warning("link.command_refused", peer=key_of(peer), command=command, type=kind, problem=problem)
    session = sessions.get(ctx.tx, session_id)
    if session is None or not session.open:
        return
    if kind == StartSession.type:
        closing.refused(ctx, session, problem, "")
    elif kind == StopSession.type and session.state is SessionState.STOPPING:
        # Whoever else could still stop it will say so itself.
        if isinstance(peer, HostPeer) and events.connected(ctx.tx, commands.runner_peer(session.id)):
            return
        closing.close(ctx, session, Ending.STOPPED, detail=problem)
    else:
        touch.say(ctx, session, applying.command_problem(kind, problem))
        if kind == Prompt.type:
            following.refused(ctx, session, refused, problem)
