"""An agent's process: its own group, its standard error in a capped log, its end noticed whatever else happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from runners.agents.base import Launch
from runners.agents.text import prose
from runners.errors import AgentError, AgentMissing

LOG_CAP = 1024 * 1024
"""The log is started anew beyond this size; the part before is kept once, as ``<log>.old``."""
TAIL = 4000
_CHUNK = 64 * 1024


class AgentProcess:
    """A running agent. Pipes are our own, so that a grandchild that keeps one open cannot hide the agent's end."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader, self.writer = reader, writer
        self._process = process
        self._exited = asyncio.ensure_future(process.wait())
        self._tail = bytearray()
        self._drain: asyncio.Task[None] | None = None
        self._closers: list[Callable[[], None]] = []
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, launch: Launch) -> AgentProcess:
        """Start the agent. Raises AgentMissing if the command or its folder does not exist."""
        inner_in, outer_in = os.pipe()
        outer_out, inner_out = os.pipe()
        outer_err, inner_err = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *launch.argv,
                stdin=inner_in,
                stdout=inner_out,
                stderr=inner_err,
                cwd=launch.cwd,
                env={**os.environ, **launch.env},
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError, TypeError) as problem:
            for fd in (outer_in, outer_out, outer_err):
                os.close(fd)
            raise _not_started(launch, problem) from problem
        finally:
            for fd in (inner_in, inner_out, inner_err):
                os.close(fd)
        reader, close_reader = await pipe_reader(outer_out)
        errors, close_errors = await pipe_reader(outer_err)
        writer = await _writer(outer_in)
        self = cls(process, reader, writer)
        self._closers = [close_reader, close_errors, writer.close]
        self._drain = asyncio.create_task(self._keep_log(errors, launch.log), name=f"agent.log {launch.name}")
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        return self._process.returncode

    async def exited(self) -> int:
        """Wait for the agent's own process, not for whoever else holds its pipes."""
        return await asyncio.shield(self._exited)

    def last_words(self) -> str:
        """The end of its log, made fit to be read."""
        return "\n".join(prose(self._tail.decode("utf-8", "replace")).splitlines()[-8:])[-1000:]

    async def stop(self, grace: float = 2.0) -> None:
        """Ask by closing its input, then by SIGTERM, then SIGKILL the whole group. Idempotent."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(grace), name="agent.stop")
        await asyncio.shield(self._stopping)

    async def _stop(self, grace: float) -> None:
        self.writer.close()
        if not await self._gone(grace / 2):
            self._signal(signal.SIGTERM)
            if not await self._gone(grace):
                self._signal(signal.SIGKILL)
                await self.exited()
        self._signal(signal.SIGKILL)  # whatever it started and left behind
        await self._settle_log()
        for close in self._closers:
            close()

    def hang_up(self) -> None:
        """Stop reading: the reader sees its end even where a grandchild holds the pipe open."""
        self._closers[0]()

    async def _settle_log(self) -> None:
        if self._drain is not None and not self._drain.done():
            await asyncio.wait({self._drain}, timeout=0.5)
            self._drain.cancel()
            await asyncio.wait({self._drain})

    async def _gone(self, within: float) -> bool:
        done, _ = await asyncio.wait({self._exited}, timeout=within)
        return bool(done)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _keep_log(self, errors: asyncio.StreamReader, path: Path) -> None:
        while chunk := await errors.read(_CHUNK):
            self._tail += chunk
            del self._tail[:-TAIL]
            with contextlib.suppress(OSError):  # a full disk must not stop the agent; its pipe is drained all the same
                await asyncio.to_thread(_append, path, chunk)


def _append(path: Path, chunk: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size + len(chunk) > LOG_CAP:
        path.replace(path.with_name(path.name + ".old"))
    with path.open("ab") as log:
        log.write(chunk)


def _not_started(launch: Launch, problem: Exception) -> AgentError:
    command = launch.argv[0] if launch.argv else ""
    if isinstance(problem, FileNotFoundError) and str(problem.filename) == str(launch.cwd):
        return AgentMissing(f"Agent {launch.name}: its working folder {launch.cwd} does not exist.")
    if isinstance(problem, FileNotFoundError):
        fix = "Install it, or correct its command in switchboard.toml."
        return AgentMissing(f"Agent {launch.name}: the command “{command}” was not found.", fix)
    if isinstance(problem, PermissionError):
        return AgentMissing(f"Agent {launch.name}: “{command}” may not be run.", "Make it executable (chmod +x).")
    fix = "Correct its command in switchboard.toml."
    if not command:
        return AgentMissing(f"Agent {launch.name} has no command.", fix)
    return AgentMissing(f"Agent {launch.name}: “{command}” could not be started: {problem}.", fix)


async def pipe_reader(fd: int) -> tuple[asyncio.StreamReader, Callable[[], None]]:
    """Of a pipe's outer end, which is closed with it, and what closes it."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    return reader, transport.close


async def _writer(fd: int) -> asyncio.StreamWriter:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), os.fdopen(fd, "wb", buffering=0)
    )
    return asyncio.StreamWriter(transport, protocol, None, loop)
