"""Any agent that speaks ACP on its standard input and output, as an ``Agent``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Literal, TypeVar

import structlog
from acp import PROTOCOL_VERSION, RequestError, connect_to_agent, text_block
from acp.client.connection import ClientSideConnection
from acp.schema import (
    ClientCapabilities,
    ElicitationCapabilities,
    ElicitationFormCapabilities,
    FileSystemCapabilities,
    Implementation,
    InitializeResponse,
    StopReason,
)
from pydantic import ValidationError

from runners.agents.acp_client import AcpClient
from runners.agents.acp_faults import Fault, died, not_answering, refused, wrong_version
from runners.agents.acp_lines import AcpLines
from runners.agents.base import AgentInfo, Desk, Launch, TurnEnded
from runners.agents.process import AgentProcess
from runners.errors import AgentDied, AgentError

log = structlog.get_logger()
T = TypeVar("T")

CAPABILITIES = ClientCapabilities(
    fs=FileSystemCapabilities(read_text_file=False, write_text_file=False),
    terminal=False,
    elicitation=ElicitationCapabilities(form=ElicitationFormCapabilities()),
)
_REASONS: dict[StopReason, Literal["done", "cancelled", "refused", "limit"]] = {
    "end_turn": "done",
    "cancelled": "cancelled",
    "refusal": "refused",
    "max_tokens": "limit",
    "max_turn_requests": "limit",
}
_METHOD_NOT_FOUND = -32601


class AcpAgent:
    """Implements the ``Agent`` port. One process, one connection, one session."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        self._launch = launch
        self._client = AcpClient(desk, str(launch.cwd))
        self._client.on_stop = self._stop_turn
        self._turn = asyncio.Lock()
        self._gone = asyncio.Event()
        self._closed = False
        self._session = ""
        self._process: AgentProcess | None = None
        self._lines: AcpLines | None = None
        self._connection: ClientSideConnection | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopper: asyncio.Task[None] | None = None

    async def start(self, resume: str = "") -> AgentInfo:
        self._process = await AgentProcess.spawn(self._launch)
        self._lines = AcpLines(self._process.reader, self._process.writer, self._client.withdraw)
        self._connection = connect_to_agent(self._client, self._lines, use_unstable_protocol=True)  # type: ignore[arg-type]
        self._watcher = asyncio.create_task(self._watch(), name=f"agent.watch {self._launch.name}")
        problem: AgentError
        try:
            async with asyncio.timeout(self._launch.start_timeout):
                return await self._open(resume)
        except TimeoutError:
            problem = not_answering(self._launch, self._lines)
        except AgentError as error:
            problem = error
        await self.close()
        raise problem

    async def _open(self, resume: str) -> AgentInfo:
        connection = self._live()
        about = Implementation(name="switchboard", title="Switchboard", version="1")
        hello = await self._call(connection.initialize(PROTOCOL_VERSION, CAPABILITIES, about))
        if hello.protocol_version != PROTOCOL_VERSION:
            raise wrong_version(self._launch, hello.protocol_version)
        resumed = bool(resume) and await self._resume(resume, hello)
        if resumed:
            self._session = resume
        else:
            opened = await self._call(connection.new_session(str(self._launch.cwd), mcp_servers=[]), hello)
            self._session = opened.session_id
        info = hello.agent_info
        log.info("agent.started", agent=self._launch.name, session=self._session, resumed=resumed)
        return AgentInfo(
            title=(info.title or info.name) if info else self._launch.name,
            version=info.version if info else "",
            session=self._session,
            can_resume=bool(_resume_methods(hello)),
            resumed=resumed,
        )

    async def _resume(self, session: str, hello: InitializeResponse) -> bool:
        """Advertised is not implemented: try what it names, and be content with a new session."""
        connection, cwd = self._live(), str(self._launch.cwd)
        for method in _resume_methods(hello):
            self._client.muted = True
            try:
                if method == "resume":
                    await connection.resume_session(session, cwd, mcp_servers=[])
                else:
                    await connection.load_session(cwd, session, mcp_servers=[])
                return True
            except (RequestError, ValidationError) as problem:
                log.warning("agent.resume.failed", agent=self._launch.name, method=method, problem=str(problem))
            except ConnectionError:
                raise await self._fate() from None
            finally:
                self._client.muted = False
        return False

    async def prompt(self, text: str) -> TurnEnded:
        async with self._turn:
            self._client.refusing = False
            self._client.translator.turn()
            if owed := self._client.take_owed():
                text = f"{owed}\n\n{text}"
            while True:
                response = await self._call(self._live().prompt(self._session, [text_block(text)]))
                if self._client.refusing or not self._client.owed:
                    reason = _REASONS[response.stop_reason]
                    if reason == "cancelled" and not self._client.refusing:
                        reason = "done"  # some agents end their turn by themselves when a permission is denied
                    return TurnEnded(reason, self._client.translator.last_words)
                text = self._client.take_owed()

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
        for task in (self._watcher, self._stopper):
            if task is not None:
                await asyncio.wait({task})
        if self._connection is not None:
            await self._connection.close()

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

    async def _call(self, awaitable: Awaitable[T], hello: InitializeResponse | None = None) -> T:
        try:
            return await awaitable
        except ConnectionError:
            raise await self._fate() from None
        except RequestError as problem:
            raise refused(self._launch, Fault(problem.code, str(problem), problem.data), hello) from problem
        except ValidationError as problem:
            raise AgentError(f"Agent {self._launch.name} sent an answer that is not ACP: {problem}") from problem

    def _live(self) -> ClientSideConnection:
        if self._connection is None:
            raise AgentError(f"Agent {self._launch.name} has not been started.")
        return self._connection


def _resume_methods(hello: InitializeResponse) -> list[str]:
    can = hello.agent_capabilities
    if can is None:
        return []
    found = ["resume"] if can.session_capabilities and can.session_capabilities.resume is not None else []
    return [*found, "load"] if can.load_session else found
