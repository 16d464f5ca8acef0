"""Any agent that speaks ACP on its standard input and output, as an ``Agent``."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Literal, TypeVar

import structlog
from acp import RequestError, connect_to_agent, text_block
from acp.client.connection import ClientSideConnection
from acp.schema import PromptResponse, StopReason
from pydantic import ValidationError

from bot.wire.types import Ability
from runners.agents import limits
from runners.agents.acp.client import AcpClient
from runners.agents.acp.faults import AUTH_REQUIRED, Fault, died, in_words, not_answering, refused
from runners.agents.acp.lines import AcpLines
from runners.agents.acp.opening import Opening, Session
from runners.agents.acp.translate import spent
from runners.agents.base import AgentInfo, Cleared, Desk, Launch, TurnEnded, UsageChanged
from runners.agents.process import AgentProcess
from runners.agents.profiles import quirks
from runners.errors import AgentDied, AgentError

log = structlog.get_logger()
T = TypeVar("T")

REFUSED_WITHIN = 1.0
"""Seconds in which an agent refuses a prompt that it does not take in within a turn."""
_REASONS: dict[StopReason, Literal["done", "cancelled", "refused", "limit"]] = {
    "end_turn": "done",
    "cancelled": "cancelled",
    "refusal": "refused",
    "max_tokens": "limit",
    "max_turn_requests": "limit",
}


class AcpAgent:
    """Implements the ``Agent`` port. One process, one connection, one session."""

    def __init__(self, launch: Launch, desk: Desk, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._launch = launch
        self._desk = desk
        self._clock = clock
        self._quirks = quirks(launch.profile)
        self._client = AcpClient(desk, launch, self._quirks)
        self._client.on_stop = self._stop_turn
        self._turn = asyncio.Lock()
        self._last = TurnEnded("done")
        self._spent = 0
        self._life = uuid.uuid4().hex[:8]
        self._gone = asyncio.Event()
        self._closed = False
        self._session = ""
        self._steered: list[tuple[str, asyncio.Task[PromptResponse]]] = []
        self._process: AgentProcess | None = None
        self._lines: AcpLines | None = None
        self._connection: ClientSideConnection | None = None
        self._opening: Opening | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopper: asyncio.Task[None] | None = None

    async def start(self, resume: str = "") -> AgentInfo:
        self._process = await AgentProcess.spawn(self._launch)
        self._lines = AcpLines(self._process.reader, self._process.writer, self._client.withdraw)
        self._connection = connect_to_agent(self._client, self._lines, use_unstable_protocol=True)  # type: ignore[arg-type]
        self._opening = Opening(self._launch, self._quirks, self._connection)
        self._watcher = asyncio.create_task(self._watch(), name=f"agent.watch {self._launch.name}")
        problem: AgentError
        try:
            async with asyncio.timeout(self._launch.start_timeout):
                return await self._open(self._opening, resume)
        except TimeoutError:
            problem = not_answering(self._launch, self._lines)
        except AgentError as error:
            problem = error
        await self.close()
        raise problem

    async def _open(self, opening: Opening, resume: str) -> AgentInfo:
        await self._call(opening.greet())
        session = await self._again(opening, resume) if resume else None
        resumed = session is not None
        if session is None:
            session = await self._call(opening.new())
        self._use(session)
        info = opening.hello.agent_info
        log.info("agent.started", agent=self._launch.name, session=self._session, resumed=resumed)
        return AgentInfo(
            title=(info.title or info.name) if info else self._launch.name,
            version=info.version if info else "",
            session=self._session,
            can_resume=bool(opening.ways),
            resumed=resumed,
            abilities=_abilities(opening),
            model=session.model,
        )

    async def _again(self, opening: Opening, session: str) -> Session | None:
        self._client.muted = True
        try:
            return await self._call(opening.again(session))
        finally:
            self._client.muted = False

    def _use(self, session: Session) -> None:
        self._session = session.id
        life = f" {self._life}" if self._quirks.cost == "process" else ""
        self._client.translator.meter = f"{session.id}{life}"

    @property
    def served(self) -> frozenset[str]:
        """What it has used of its worktree through us: read, write, terminal."""
        return frozenset(self._client.served)

    # --- turns

    async def prompt(self, text: str) -> TurnEnded:
        async with self._turn:
            self._client.refusing = False
            self._client.translator.turn()
            if owed := self._client.take_owed():
                text = f"{owed}\n\n{text}"
            self._last = await self._turned(text)
            return self._last

    async def _turned(self, text: str) -> TurnEnded:
        while True:
            try:
                response = await self._connected(self._live().prompt(self._session, [text_block(text)]))
            except RequestError as problem:
                return self._failed(Fault(problem.code, str(problem), problem.data))
            response = await self._said_within(response)
            self._count(response)
            if self._client.refusing or not self._client.owed:
                reason = _REASONS[response.stop_reason]
                if reason == "cancelled" and not self._client.refusing:
                    reason = "done"  # some agents end their turn by themselves when a permission is denied
                return TurnEnded(reason, self._client.translator.last_words)
            text = self._client.take_owed()

    async def _said_within(self, response: PromptResponse) -> PromptResponse:
        """The end of the prompts said within the turn. One that failed ends no turn: its words are owed."""
        unheard: list[str] = []
        while self._steered:
            text, saying = self._steered.pop(0)
            try:
                response = await saying
            except RequestError as problem:
                log.info("agent.steer.failed", agent=self._launch.name, problem=str(problem))
                unheard.append(text)
        self._client.owed[:0] = unheard
        return response

    def _failed(self, fault: Fault) -> TurnEnded:
        """The agent lives, but its turn came to nothing. Raises where only a person at its machine can help."""
        if fault.code == AUTH_REQUIRED:
            raise refused(self._launch, fault, self._opening.hello if self._opening else None)
        words, said = in_words(fault), self._client.translator.last_words
        if self._client.refusing:
            return TurnEnded("cancelled", said, detail=words)
        if limits.is_limit(words):
            return TurnEnded("asleep", said, until=limits.lifted_at(words, self._clock()), detail=words)
        return TurnEnded("failed", said, detail=words)

    def _count(self, response: PromptResponse) -> None:
        usage, translator = response.usage, self._client.translator
        used = usage.total_tokens if usage else spent(response.field_meta) or translator.spent
        translator.spent = 0
        if not used:
            return
        if self._quirks.tokens == "turn":
            self._spent += used
            self._desk.update(UsageChanged(tokens=self._spent, meter=f"turns {self._life}"))
        else:
            self._desk.update(UsageChanged(tokens=used, meter=f"{self._session} tokens"))

    async def rejoin(self) -> TurnEnded:
        async with self._turn:  # no turn outlives the process, so the last one is what there is
            return self._last

    async def steer(self, text: str) -> bool:
        way = self._opening.steers if self._opening else ""
        if not way or not self._turn.locked() or self._client.refusing or self._gone.is_set():
            return False
        if way == "prompt":
            return await self._say_within(text)
        params = {
            "sessionId": self._session,
            "prompt": [{"type": "text", "text": text}],
            "_meta": {"steering": {"idleBehavior": "promptRequired"}},
        }
        try:
            told = await self._connected(self._live().ext_method("session/steering", params))
        except RequestError as problem:
            log.info("agent.steer.refused", agent=self._launch.name, problem=str(problem))
            return False
        return isinstance(told, dict) and told.get("outcome") == "injected"

    async def _say_within(self, text: str) -> bool:
        """By a second prompt. One that is not taken is refused at once; what fails later is said again."""
        saying = self._connected(self._live().prompt(self._session, [text_block(text)]))
        said = (text, asyncio.create_task(saying, name="agent.steer"))
        self._steered.append(said)
        done, _ = await asyncio.wait({said[1]}, timeout=REFUSED_WITHIN)
        if done and said in self._steered and said[1].exception() is not None:
            self._steered.remove(said)
            return False
        return True

    async def reset(self) -> Cleared:
        """A new session in the same process: what the old one left running there goes on."""
        async with self._turn:
            opening = self._opening
            if opening is None:
                raise AgentError(f"Agent {self._launch.name} has not been started.")
            if self._quirks.reset == "/clear":
                await self._call(self._live().prompt(self._session, [text_block("/clear")]))
            else:
                self._use(await self._call(opening.new()))
            self._client.owed.clear()
            self._last = TurnEnded("done")
            return Cleared(self._session, survived=self._client.terminals.running())

    async def cancel(self) -> None:
        if not self._turn.locked() or self._lines is None or self._connection is None or self._gone.is_set():
            return
        self._client.withdraw_all()
        await self._lines.all_answered()  # an agent that hears of the cancel first may take an open question as granted
        try:
            await self._connection.cancel(self._session)
        except ConnectionError:
            log.info("agent.cancel.too_late", agent=self._launch.name)

    def _stop_turn(self) -> None:
        """A denial that ends the turn: its answer is on its way back, so the cancel follows in a task of its own."""
        self._stopper = asyncio.create_task(self.cancel(), name="agent.stop_turn")

    async def close(self) -> None:
        self._closed = True
        self._client.withdraw_all()
        if self._process is not None:
            await self._process.stop()
        await self._client.terminals.close()
        for task in (self._watcher, self._stopper):
            if task is not None:
                await asyncio.wait({task})
        if self._connection is not None:
            await self._connection.close()
        await asyncio.gather(*(saying for _, saying in self._steered), return_exceptions=True)

    async def detach(self) -> None:
        await self.close()  # an ACP agent ends with its input

    # --- its end

    async def _watch(self) -> None:
        """Whatever ends first, its process or its output: end the rest, and wake whoever waits."""
        assert self._process is not None
        assert self._lines is not None
        exited = asyncio.create_task(self._process.exited(), name="agent.exited")
        ended = asyncio.create_task(self._lines.ended.wait(), name="agent.ended")
        await asyncio.wait({exited, ended}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({exited, ended}, timeout=0.0 if self._lines.fault else 0.5)
        if not exited.done() and not self._lines.fault:
            self._lines.fault = "it closed its output"
        self._process.hang_up()
        self._client.withdraw_all()
        await self._process.stop()
        await self._client.terminals.close()
        await asyncio.wait({exited, ended})
        self._gone.set()

    async def _fate(self) -> AgentError:
        """Why the connection is gone."""
        assert self._process is not None
        assert self._lines is not None
        await self._gone.wait()
        if self._closed:
            return AgentDied(f"Agent {self._launch.name} was stopped.", exit_status=self._process.status)
        return died(self._launch, self._lines, self._process.status, self._process.last_words())

    async def _connected(self, awaitable: Awaitable[T]) -> T:
        try:
            return await awaitable
        except ConnectionError:
            raise await self._fate() from None
        except ValidationError as problem:
            raise AgentError(f"Agent {self._launch.name} sent an answer that is not ACP: {problem}") from problem

    async def _call(self, awaitable: Awaitable[T]) -> T:
        try:
            return await self._connected(awaitable)
        except RequestError as problem:
            hello = self._opening.hello if self._opening else None
            raise refused(self._launch, Fault(problem.code, str(problem), problem.data), hello) from problem

    def _live(self) -> ClientSideConnection:
        if self._connection is None:
            raise AgentError(f"Agent {self._launch.name} has not been started.")
        return self._connection


def _abilities(opening: Opening) -> frozenset[Ability]:
    found = {Ability.PROMPT, Ability.CANCEL, Ability.RESET}
    if opening.ways:
        found.add(Ability.RESUME)
    if opening.steers:
        found.add(Ability.STEER)
    return frozenset(found)
