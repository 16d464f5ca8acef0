"""Commands that an agent has us run: each in its own process group, its output kept up to a limit, none left behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
from asyncio import StreamReader
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from runners.agents.process import pipe_reader
from runners.agents.text import one_line

MOST_TERMINALS = 50
DEFAULT_LIMIT, MOST_OUTPUT = 1024 * 1024, 8 * 1024 * 1024
GRACE = 2.0
_CHUNK = 64 * 1024


class NoTerminal(Exception):
    """Refused, in words for the agent."""


@dataclass(frozen=True)
class Exit:
    code: int | None = None
    signal: str | None = None


class Terminal:
    """One command. Its output is what fits into ``limit`` bytes, the newest kept.

    The pipe is our own: asyncio waits for the end of its pipes, which a grandchild may hold open for ever.
    """

    def __init__(
        self,
        title: str,
        process: asyncio.subprocess.Process,
        limit: int,
        output: tuple[StreamReader, Callable[[], None]],
    ) -> None:
        self.title = title
        self._process = process
        self._limit = limit
        self._reader, self._hang_up = output
        self._kept = bytearray()
        self.truncated = False
        self._reading = asyncio.create_task(self._read(), name=f"terminal.output {process.pid}")
        self._ended = asyncio.create_task(self._watch(), name=f"terminal {process.pid}")

    @property
    def output(self) -> str:
        """What fits, cut at the start of a character."""
        kept = bytes(self._kept)
        if self.truncated:
            start = next((n for n in range(min(4, len(kept))) if kept[n] & 0xC0 != 0x80), 0)
            kept = kept[start:]
        return kept.decode("utf-8", "replace")

    @property
    def exit(self) -> Exit | None:
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> Exit:
        return await asyncio.shield(self._ended)

    async def kill(self) -> None:
        """SIGTERM, then SIGKILL to the whole group. Idempotent."""
        if not self._ended.done():
            self._signal(signal.SIGTERM)
            await asyncio.wait({self._ended}, timeout=GRACE)
        self._signal(signal.SIGKILL)  # and whatever it left behind
        await asyncio.wait({self._ended})
        self._reading.cancel()
        await asyncio.wait({self._reading})
        self._hang_up()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _watch(self) -> Exit:
        """Until the command itself ends; a grandchild that holds the pipe is not waited for, and heard all the same."""
        status = await self._process.wait()
        await asyncio.wait({self._reading}, timeout=0.5)
        return Exit(code=status) if status >= 0 else Exit(signal=_name(-status))

    async def _read(self) -> None:
        while chunk := await self._reader.read(_CHUNK):
            self._kept += chunk
            if len(self._kept) > self._limit:
                del self._kept[: len(self._kept) - self._limit]
                self.truncated = True


class Terminals:
    """All of one agent's terminals."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._all: dict[str, Terminal] = {}
        self._made = 0
        self._closed = False

    async def create(
        self, command: str, args: Sequence[str], env: Mapping[str, str], cwd: Path, limit: int | None = None
    ) -> str:
        """Start a command. Raises NoTerminal."""
        if len(self._all) >= MOST_TERMINALS:
            raise NoTerminal(f"{MOST_TERMINALS} terminals are open; release some first.")
        argv = await asyncio.to_thread(_argv, command, args)
        outer, inner = os.pipe()
        output = await pipe_reader(outer)
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=cwd,
                env={**os.environ, **self._env, **env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inner,
                stderr=inner,
                start_new_session=True,
            )
        except (OSError, ValueError) as problem:
            output[1]()
            words = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
            raise NoTerminal(f"“{one_line(command, 200)}” could not be started: {words}.") from problem
        finally:
            os.close(inner)
        kept = DEFAULT_LIMIT if limit is None else max(0, min(limit, MOST_OUTPUT))
        terminal = Terminal(one_line(shlex.join(argv) if args else command, 120), process, kept, output)
        if self._closed:
            await terminal.kill()
            raise NoTerminal("The session is ending.")
        self._made += 1
        name = f"terminal-{self._made}"
        self._all[name] = terminal
        return name

    def find(self, name: str) -> Terminal:
        """Raises NoTerminal."""
        if name not in self._all:
            raise NoTerminal(f"There is no terminal “{one_line(name, 80)}”; it may have been released.")
        return self._all[name]

    async def release(self, name: str) -> None:
        await self.find(name).kill()
        self._all.pop(name, None)

    def running(self) -> tuple[str, ...]:
        """Titles of the commands under way."""
        return tuple(terminal.title for terminal in self._all.values() if terminal.exit is None)

    async def close(self) -> None:
        """End them all. Never raises."""
        self._closed = True
        terminals, self._all = list(self._all.values()), {}
        await asyncio.gather(*(terminal.kill() for terminal in terminals))


def _argv(command: str, args: Sequence[str]) -> tuple[str, ...]:
    """A program and its arguments; agents also send a whole shell line as the command."""
    if args or shutil.which(command) or not command.strip():
        return (command, *args)
    return ("/bin/sh", "-c", command)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
