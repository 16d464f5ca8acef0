"""Child processes in a group of their own: SIGTERM, wait, SIGKILL, whatever happens in between."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

GRACE = 2.0
TAIL = 16 * 1024


@dataclass(frozen=True)
class Finished:
    """How a command ended. ``status`` is None when it took too long, 127 when it could not be started."""

    status: int | None
    tail: str


def signal_group(pid: int, number: signal.Signals) -> None:
    """To the whole group; those who are gone do not mind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


@asynccontextmanager
async def child(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], grace: float = GRACE
) -> AsyncIterator[tuple[asyncio.subprocess.Process, asyncio.StreamReader]]:
    """A running command and its output. It and all it started are gone when the block is left.

    The pipe is our own: asyncio waits for the end of its pipes, which a grandchild may hold open for ever.
    """
    outer, inner = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(outer, "rb", 0)
    )
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *argv,
                cwd=cwd,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=inner,
                stderr=inner,
                start_new_session=True,
            )
        finally:
            os.close(inner)
        try:
            yield process, reader
        finally:
            await asyncio.shield(_end(process, grace))
    finally:
        transport.close()


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    if process.returncode is None:
        signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                await process.wait()
    signal_group(process.pid, signal.SIGKILL)
    await process.wait()


async def run(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], timeout: float) -> Finished:
    """Run a command to its end, keeping the last of its output."""
    tail = bytearray()
    try:
        async with child(argv, cwd=cwd, env=env) as (process, output), asyncio.timeout(timeout):
            reader = asyncio.ensure_future(_keep_tail(output, tail))
            try:
                await process.wait()
                # A grandchild may hold the pipe for ever; what the command itself wrote is there at once.
                await asyncio.wait({reader}, timeout=0.5)
            finally:
                reader.cancel()
            return Finished(process.returncode, _text(tail))
    except TimeoutError:
        return Finished(None, _text(tail))
    except OSError as err:
        return Finished(127, f"{argv[0]}: {err.strerror}")
    except ValueError as err:
        return Finished(127, f"{argv[0]!r}: {err}")


async def _keep_tail(stream: asyncio.StreamReader, tail: bytearray) -> None:
    while chunk := await stream.read(64 * 1024):
        tail += chunk
        del tail[:-TAIL]


def _text(tail: bytearray) -> str:
    return tail.decode("utf-8", "replace").replace("\0", "")
