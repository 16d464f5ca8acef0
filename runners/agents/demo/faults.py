"""Ways in which an agent goes wrong, on purpose: for tests of whoever drives it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

CHUNK = 64 * 1024


async def at_start(fault: str, writer: asyncio.StreamWriter) -> None:
    match fault:
        case "crash":
            crash(3, "the demo agent crashes at its start, as its script says")
        case "hang":
            await forever()
        case "garbage":
            await garbage(writer, "Welcome! This is no JSON-RPC.", 1000)
            await forever()
        case "huge":
            await huge(writer, 50_000_000)
            await forever()
        case _:
            return


def crash(status: int, words: str) -> None:
    """Negative: die of that signal."""
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
    if status < 0:
        os.kill(os.getpid(), -status)
        signal.pause()
    os._exit(status)


async def forever() -> None:
    await asyncio.Event().wait()


async def garbage(writer: asyncio.StreamWriter, line: str, times: int) -> None:
    for _ in range(times):
        writer.write(f"{line}\n".encode())
        await writer.drain()


async def huge(writer: asyncio.StreamWriter, size: int) -> None:
    for start in range(0, size, CHUNK):
        writer.write(b"x" * min(CHUNK, size - start))
        await writer.drain()
    writer.write(b"\n")
    await writer.drain()


async def flood(size: int) -> None:
    """Standard error, which an unread pipe would block after 64 KiB."""
    line = b"the demo agent floods its standard error, as its script says\n"
    await asyncio.to_thread(_write_errors, line, size)


def _write_errors(line: bytes, size: int) -> None:
    for _ in range(size // len(line)):
        sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()
