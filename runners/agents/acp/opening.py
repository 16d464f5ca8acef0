"""How an ACP session is opened: the handshake, a new or an old session, the ask tool, mode and model."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from acp import PROTOCOL_VERSION, RequestError
from acp.client.connection import ClientSideConnection
from acp.schema import (
    ClientCapabilities,
    ElicitationCapabilities,
    ElicitationFormCapabilities,
    EnvVariable,
    FileSystemCapabilities,
    HttpHeader,
    HttpMcpServer,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    McpServerStdio,
    NewSessionResponse,
    ResumeSessionResponse,
    SessionConfigOptionSelect,
)
from pydantic import ValidationError

from runners.agents.acp.asks import MCP_NAME
from runners.agents.acp.faults import no_such, wrong_version
from runners.agents.base import Launch
from runners.agents.profiles import Quirks
from runners.files import FOLDER

log = structlog.get_logger()

ABOUT = Implementation(name="switchboard", title="Switchboard", version="1")

_Opened: TypeAlias = NewSessionResponse | LoadSessionResponse | ResumeSessionResponse


@dataclass(frozen=True)
class Session:
    id: str
    model: str = ""


class Opening:
    """One connection's way to its sessions. Its calls raise what the SDK raises."""

    def __init__(self, launch: Launch, quirks: Quirks, connection: ClientSideConnection) -> None:
        self._launch, self._quirks, self._connection = launch, quirks, connection
        self._cwd = str(launch.cwd)
        self.hello = InitializeResponse(protocol_version=0)

    async def greet(self) -> None:
        self.hello = await self._connection.initialize(PROTOCOL_VERSION, _capabilities(self._quirks), ABOUT)
        if self.hello.protocol_version != PROTOCOL_VERSION:
            raise wrong_version(self._launch, self.hello.protocol_version)

    async def new(self) -> Session:
        opened = await self._connection.new_session(self._cwd, mcp_servers=self._servers())
        return await self._settled(opened.session_id, opened)

    async def again(self, session: str) -> Session | None:
        """Advertised is not implemented: try what it names; None: nothing of it works."""
        for way in self.ways:
            try:
                if way == "resume":
                    opened: _Opened = await self._connection.resume_session(
                        session, self._cwd, mcp_servers=self._servers()
                    )
                else:
                    opened = await self._connection.load_session(self._cwd, session, mcp_servers=self._servers())
            except (RequestError, ValidationError) as problem:
                log.warning("agent.resume.failed", agent=self._launch.name, way=way, problem=str(problem))
            else:
                return await self._settled(session, opened)
        return None

    @property
    def ways(self) -> list[str]:
        """How this agent says it can take up an old session."""
        can = self.hello.agent_capabilities
        if can is None:
            return []
        resume = can.session_capabilities is not None and can.session_capabilities.resume is not None
        offered = {"resume": resume, "load": bool(can.load_session)}
        return [way for way in self._quirks.resume if offered[way]]

    @property
    def steers(self) -> str:
        """How it takes words within a turn."""
        can = self.hello.agent_capabilities
        for meta in (self.hello.field_meta, can.field_meta if can else None):
            steering = (meta or {}).get("steering")
            if isinstance(steering, dict) and steering.get("supported") is True:
                return "method"
        return self._quirks.steer

    # --- the ask tool

    def _servers(self) -> list[Any]:
        door = self._launch.ask
        can = self.hello.agent_capabilities
        http = bool(can and can.mcp_capabilities and can.mcp_capabilities.http)
        way = self._quirks.mcp or ("http" if http else "stdio")
        if door is None or way == "none":
            return []
        wait = self._quirks.tool_wait
        if way == "http":
            headers = [HttpHeader(name="Authorization", value=f"Bearer {door.token}")]
            url = f"{door.url}?wait={wait:g}" if wait else door.url
            return [HttpMcpServer(type="http", name=MCP_NAME, url=url, headers=headers)]
        env = [EnvVariable(name=FOLDER, value=str(self._launch.folder or ""))]
        more = ["--wait", f"{wait:g}"] if wait else []
        return [McpServerStdio(name=MCP_NAME, command=sys.executable, args=["-m", "bot.cli", "mcp", *more], env=env)]

    # --- mode and model

    async def _settled(self, session: str, opened: _Opened) -> Session:
        """In the mode and with the model that are wanted, which must exist."""
        selects = [o for o in opened.config_options or () if isinstance(o, SessionConfigOptionSelect)]
        if self._launch.mode:
            await self._set_mode(session, opened, selects)
        model = next((option for option in selects if option.category == "model"), None)
        if self._launch.model and model is not None:
            await self._choose(session, model, self._launch.model, "model")
            return Session(session, self._launch.model)
        if self._launch.model and not any(self._launch.model in word for word in self._launch.argv):
            raise no_such(self._launch, "model", self._launch.model, [])
        return Session(session, self._launch.model or (model.current_value if model else ""))

    async def _set_mode(self, session: str, opened: _Opened, selects: list[SessionConfigOptionSelect]) -> None:
        wanted = self._launch.mode
        option = next((option for option in selects if option.category == "mode"), None)
        if opened.modes is not None:
            known = [mode.id for mode in opened.modes.available_modes]
            if wanted not in known:
                raise no_such(self._launch, "mode", wanted, known)
            if opened.modes.current_mode_id != wanted:
                await self._connection.set_session_mode(session, wanted)
        elif option is not None:
            await self._choose(session, option, wanted, "mode")
        else:
            raise no_such(self._launch, "mode", wanted, [])

    async def _choose(self, session: str, option: SessionConfigOptionSelect, wanted: str, what: str) -> None:
        known = _values(option)
        if wanted not in known:
            raise no_such(self._launch, what, wanted, known)
        if option.current_value != wanted:
            await self._connection.set_config_option(option.id, session, wanted)


def _capabilities(quirks: Quirks) -> ClientCapabilities:
    return ClientCapabilities(
        fs=FileSystemCapabilities(read_text_file=quirks.files, write_text_file=quirks.files),
        terminal=True,
        elicitation=ElicitationCapabilities(form=ElicitationFormCapabilities()),
    )


def _values(option: SessionConfigOptionSelect) -> list[str]:
    found = []
    for item in option.options:
        found += [inner.value for inner in item.options] if hasattr(item, "options") else [item.value]
    return found
