"""The peer's side of the wire: connect, resume, send what is spooled, take commands; nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import ipaddress
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, assert_never
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import structlog
from msgspec import Raw
from msgspec.structs import replace

from bot.wire import codec, version
from bot.wire.messages import Ack, Command, CommandAck, Error, Event, Frame, Hello, Welcome
from bot.wire.types import SessionId
from runners.errors import LinkRefused, RunnerError
from runners.link import fitting
from runners.link.complaints import Complaints
from runners.link.spool import Spool

log = structlog.get_logger()

FIRST_TRIES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0)
SLOWEST = 15.0
STEADY = 10.0
"""Seconds after which a connection counts as one that worked."""
REFUSED_AGAIN = 60.0
"""Seconds between tries with a token that the bot refuses, or that somebody else uses as well."""
LAST_WORDS = 1.0
"""Seconds to hear why the bot closes a connection that cannot be written to any more."""
ANSWER_WITHIN = 10.0
"""Seconds a handshake may take."""
AT_ONCE = 100


@dataclass(frozen=True)
class Address:
    """Where the bot is and how to get in."""

    bot: str
    token: str = field(repr=False)

    def ws_url(self) -> str:
        """http(s)://host:port becomes ws(s)://host:port/runner. Raises RunnerError for what must not be used."""
        parts = urlsplit(self.bot)
        scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
        if scheme is None or not parts.hostname:
            raise RunnerError(f"{self.bot!r} is not the address of a bot.", "Give it as https://host:port.")
        if scheme == "ws" and not _is_loopback(parts.hostname):
            raise RunnerError(
                f"{self.bot} would send tokens and answers unencrypted to another machine.",
                "Put TLS before the bot and use https://, or tunnel its port and use http://127.0.0.1:PORT.",
            )
        return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + "/runner", "", ""))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def backoff(skip: int = 0) -> Iterator[float]:
    """Fast first tries, then slower, with jitter so that a restarted bot is not met by everybody at once."""
    for base in FIRST_TRIES[skip:]:
        yield base * random.uniform(0.7, 1.3)  # noqa: S311  (spreading load, not secrets)
    while True:
        yield SLOWEST * random.uniform(0.6, 1.0)  # noqa: S311


class Pace:
    """How long to wait before the next try. A connection that ended without fault of ours starts it anew: from the
    first try if it lived, and from one further on for each in a row that did not."""

    def __init__(self) -> None:
        self._waits = backoff()
        self._short = 0

    def after(self, lived: float | None, *, fatal: bool) -> float:
        if lived is not None and not fatal:
            self._short = 0 if lived >= STEADY else self._short + 1
            self._waits = backoff(self._short)
        return next(self._waits)


def framed(event: Event) -> bytes:
    """An event as one frame; one that an older version spooled too large is cut like those of today."""
    data = codec.encode(event)
    if len(data) <= codec.MAX_FRAME:
        return data
    log.error("link.event_too_large", seq=event.seq, type=event.type, size=len(data))
    try:
        body = fitting.body_bytes(codec.event_body(event.type, event.body))
    except codec.WireError:
        body = b'{"cut":"too long for one message"}'
    return codec.encode(replace(event, body=Raw(body)))


class Link:
    """Keeps one connection to the bot for as long as ``run`` runs. ``arrived`` is set when a command has come in."""

    def __init__(
        self,
        role: Literal["host", "runner"],
        name: str,
        address: Callable[[], Address],
        spool: Spool,
        *,
        sessions: Callable[[], tuple[SessionId, ...]] = tuple,
        greeting: Callable[[], None] = lambda: None,
        software: str = "",
        give_up_when_refused: bool = False,
    ) -> None:
        self._role = role
        self._name = name
        self._address = address
        self._spool = spool
        self._sessions = sessions
        self._greeting = greeting
        self._software = software
        self._give_up = give_up_when_refused
        self._since: float | None = None
        self._fatal: Error | None = None
        self._bot = "its address"
        self._complaints = Complaints()
        self.arrived = asyncio.Event()
        self.connected = asyncio.Event()
        self.refusal: LinkRefused | None = None

    async def run(self) -> None:
        """Never returns; raises LinkRefused where this peer gives up when refused, RunnerError for a bad address."""
        pace = Pace()
        async with aiohttp.ClientSession() as http:
            while True:
                self._since = self._fatal = None
                try:
                    await self._connection(http)
                    wait = self._next(pace)
                except LinkRefused as refused:
                    self.refusal = refused
                    log.warning("link.refused", bot=self._address().bot, problem=refused.problem, fix=refused.fix)
                    if self._give_up:
                        raise
                    wait = REFUSED_AGAIN
                except (aiohttp.ClientError, OSError, TimeoutError, sqlite3.Error) as err:
                    wait = self._next(pace)
                    self._complain(err)
                await asyncio.sleep(wait)

    def _complain(self, err: Exception) -> None:
        if self._complaints.due(asyncio.get_running_loop().time()):
            away = not isinstance(err, sqlite3.Error)
            problem = f"the bot at {self._bot} does not answer" if away else "this machine's disk refuses"
            log.warning("link.unreachable", problem=f"{problem}; trying again", error=str(err) or type(err).__name__)

    def _next(self, pace: Pace) -> float:
        """Seconds until the next try, from how the last connection went."""
        if self._fatal is not None and self._fatal.code == "replaced":
            log.warning(
                "link.replaced",
                problem=f"another process has connected with this {self._role}'s token",
                fix="Give each host a token of its own with `switchboard enroll`, or end one of the two.",
                again_in=REFUSED_AGAIN if self._role == "host" else None,
            )
            # A runner's token is its own: whoever took its place is a half-open connection of before, or a thief who
            # gains nothing but this quarrel. Two hosts with one token would quarrel for ever.
            if self._role == "host":
                return REFUSED_AGAIN
        lived = None if self._since is None else asyncio.get_running_loop().time() - self._since
        return pace.after(lived, fatal=self._fatal is not None)

    async def drained(self, within: float) -> bool:
        """Whether the bot has acknowledged everything spooled, waiting up to ``within`` seconds for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    version = self._spool.version
                    if not await self._spool.unsent():
                        return True
                    await self._spool.newer(version)
        return False

    async def _connection(self, http: aiohttp.ClientSession) -> None:
        address = await asyncio.to_thread(self._address)
        self._bot = address.bot
        try:
            ws = await http.ws_connect(
                address.ws_url(),
                headers={"Authorization": f"Bearer {address.token}"},
                autoping=False,
                max_msg_size=2 * codec.MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )
        except aiohttp.WSServerHandshakeError as err:
            if err.status == 401:
                raise LinkRefused(
                    f"The bot at {address.bot} does not accept this {self._role}'s token: unknown or revoked.",
                    "Get a new one with `switchboard enroll` on the bot's machine and give it by --token-file."
                    if self._role == "host"
                    else "Stop the session and start it again.",
                ) from err
            raise
        async with ws:
            await ws.send_bytes(codec.encode(self._hello()))
            welcome = await self._welcomed(ws)
            if welcome is None:
                return
            await self._spool.acked(welcome.acked_seq)
            self.refusal = None
            self._since = asyncio.get_running_loop().time()
            self.connected.set()
            self._complaints.over()
            self._greeting()
            log.info("link.connected", bot=address.bot, acked_seq=welcome.acked_seq)
            try:
                await self._talk(ws, welcome)
            finally:
                self.connected.clear()
                log.info("link.lost", bot=address.bot, code=ws.close_code)

    def _hello(self) -> Hello:
        return Hello(
            versions=version.SUPPORTED,
            role=self._role,
            name=self._name,
            epoch=self._spool.epoch,
            last_seq=self._spool.last_seq,
            sessions=self._sessions(),
            software=self._software,
        )

    async def _welcomed(self, ws: aiohttp.ClientWebSocketResponse) -> Welcome | None:
        """None: somebody else has taken this peer's place before it was greeted."""
        frame = await _receive(ws, ANSWER_WITHIN)
        match frame:
            case Welcome():
                return frame
            case Error(code="replaced"):
                self._fatal = frame
                return None
            case Error():
                raise LinkRefused(f"The bot refused this {self._role}: {frame.message}.")
            case None:
                raise aiohttp.ClientError("the bot closed the connection before its welcome")
            case _:
                raise aiohttp.ClientError(f"expected a welcome, got {type(frame).__name__}")

    async def _talk(self, ws: aiohttp.ClientWebSocketResponse, welcome: Welcome) -> None:
        """Until either side of it ends: a link that can only hear, or only speak, is none."""
        reader = asyncio.create_task(self._read(ws, 3 * welcome.heartbeat), name="link.read")
        sender = asyncio.create_task(self._send(ws, welcome.acked_seq), name="link.send")
        try:
            await asyncio.wait({reader, sender}, return_when=asyncio.FIRST_COMPLETED)
            if sender.done() and isinstance(sender.exception(), ConnectionError):
                await asyncio.wait({reader}, timeout=LAST_WORDS)
        finally:
            reader.cancel()
            sender.cancel()
            await asyncio.wait({reader, sender})
        for task in (reader, sender):
            err = None if task.cancelled() else task.exception()
            if isinstance(err, (aiohttp.ClientError, OSError, TimeoutError, sqlite3.Error)):
                raise err
            if err is not None:
                log.error("link.broke", what=task.get_name(), error=repr(err))
                raise aiohttp.ClientError(f"{task.get_name()} failed: {err}") from err

    async def _read(self, ws: aiohttp.ClientWebSocketResponse, within: float) -> None:
        while (frame := await _receive(ws, within)) is not None:
            await self._take(ws, frame)

    async def _send(self, ws: aiohttp.ClientWebSocketResponse, acked: int) -> None:
        sent = acked
        while True:
            version = self._spool.version
            events = await self._spool.after(sent, AT_ONCE)
            for event in events:
                await ws.send_bytes(framed(event))
                sent = event.seq
            if not events:
                await self._spool.newer(version)

    async def _take(self, ws: aiohttp.ClientWebSocketResponse, frame: Frame) -> None:
        match frame:
            case Ack():
                await self._spool.acked(frame.seq)
            case Command():
                await ws.send_bytes(codec.encode(await self._accepted(frame)))
            case Error():
                if frame.fatal:
                    self._fatal = frame
                log.warning("link.bot_error", code=frame.code, message=frame.message, fatal=frame.fatal)
            case Hello() | Welcome() | Event() | CommandAck():
                message = f"a {type(frame).__name__} frame is not the bot's to send here"
                await ws.send_bytes(codec.encode(Error("unexpected", message)))
            case _:
                assert_never(frame)

    async def _accepted(self, frame: Command) -> CommandAck:
        problem = ""
        try:
            codec.command_body(frame.type, frame.body)
        except codec.WireError as err:
            problem = f"{err}; update Switchboard on this machine" if isinstance(err, codec.UnknownType) else str(err)
            log.warning("link.bad_command", id=frame.id, type=frame.type, problem=problem)
        before = await self._spool.accept(frame.id, frame.type, bytes(frame.body), problem)
        if before is None and not problem:
            self.arrived.set()
        return CommandAck(frame.id, problem if before is None else before)


async def _receive(ws: aiohttp.ClientWebSocketResponse, within: float) -> Frame | None:
    """The next frame; None when the connection has ended. Raises TimeoutError after silence."""
    while True:
        message = await ws.receive(timeout=within)
        match message.type:
            case aiohttp.WSMsgType.TEXT | aiohttp.WSMsgType.BINARY:
                try:
                    return codec.decode(message.data)
                except codec.WireError as err:
                    log.warning("link.bad_frame", error=str(err))
                    await ws.send_bytes(codec.encode(Error(err.code, str(err))))
            case aiohttp.WSMsgType.PING:
                await ws.pong(message.data)
            case aiohttp.WSMsgType.PONG:
                pass
            case _:
                return None
