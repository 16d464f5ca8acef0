"""ACP's ``fs/*`` and ``terminal/*``, served in the worktree and nowhere else."""

from __future__ import annotations

import asyncio
from typing import Any

from acp import RequestError
from acp.schema import (
    CreateTerminalResponse,
    EnvVariable,
    KillTerminalResponse,
    ReadTextFileResponse,
    ReleaseTerminalResponse,
    TerminalExitStatus,
    TerminalOutputResponse,
    WaitForTerminalExitResponse,
    WriteTextFileResponse,
)

from runners.agents.acp import confine
from runners.agents.acp.terminals import NoTerminal, Terminal, Terminals
from runners.agents.base import Launch

_NOT_FOUND = -32002


class AcpWorktree:
    """One session's files and commands. What is refused is refused in words that an agent can act on."""

    def __init__(self, launch: Launch) -> None:
        self._root = launch.cwd
        self.terminals = Terminals(launch.env)
        self.served: set[str] = set()
        """What of it the agent has used."""

    async def read_text_file(
        self, session_id: str, path: str, line: int | None = None, limit: int | None = None, **_: Any
    ) -> ReadTextFileResponse:
        try:
            text = await asyncio.to_thread(confine.read_text, self._root, path, line, limit)
        except confine.NotThere as problem:
            raise RequestError(_NOT_FOUND, str(problem), {"uri": path}) from problem
        except confine.OutOfBounds as problem:
            raise _refused(problem) from problem
        self.served.add("read")
        return ReadTextFileResponse(content=text)

    async def write_text_file(self, session_id: str, path: str, content: str, **_: Any) -> WriteTextFileResponse:
        try:
            await asyncio.to_thread(confine.write_text, self._root, path, content)
        except confine.OutOfBounds as problem:
            raise _refused(problem) from problem
        self.served.add("write")
        return WriteTextFileResponse()

    async def create_terminal(
        self,
        session_id: str,
        command: str,
        args: list[str] | None = None,
        env: list[EnvVariable] | None = None,
        cwd: str | None = None,
        output_byte_limit: int | None = None,
        **_: Any,
    ) -> CreateTerminalResponse:
        more = {variable.name: variable.value for variable in env or ()}
        try:
            folder = await asyncio.to_thread(confine.folder, self._root, cwd)
            name = await self.terminals.create(command, args or (), more, folder, output_byte_limit)
        except (confine.OutOfBounds, NoTerminal) as problem:
            raise _refused(problem) from problem
        self.served.add("terminal")
        return CreateTerminalResponse(terminal_id=name)

    async def terminal_output(self, session_id: str, terminal_id: str, **_: Any) -> TerminalOutputResponse:
        terminal = self._terminal(terminal_id)
        ended = terminal.exit
        return TerminalOutputResponse(
            output=terminal.output,
            truncated=terminal.truncated,
            exit_status=TerminalExitStatus(exit_code=ended.code, signal=ended.signal) if ended else None,
        )

    async def wait_for_terminal_exit(self, session_id: str, terminal_id: str, **_: Any) -> WaitForTerminalExitResponse:
        ended = await self._terminal(terminal_id).wait()
        return WaitForTerminalExitResponse(exit_code=ended.code, signal=ended.signal)

    async def kill_terminal(self, session_id: str, terminal_id: str, **_: Any) -> KillTerminalResponse:
        await self._terminal(terminal_id).kill()
        return KillTerminalResponse()

    async def release_terminal(self, session_id: str, terminal_id: str, **_: Any) -> ReleaseTerminalResponse:
        self._terminal(terminal_id)
        await self.terminals.release(terminal_id)
        return ReleaseTerminalResponse()

    def _terminal(self, name: str) -> Terminal:
        try:
            return self.terminals.find(name)
        except NoTerminal as problem:
            raise _refused(problem) from problem


def _refused(problem: Exception) -> RequestError:
    """Agents show their model ``message``; those that show ``data`` find the same words there."""
    return RequestError(-32602, str(problem), {"details": str(problem)})
