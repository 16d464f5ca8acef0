"""Child processes of ``up``: each with a log, a ready line, a lifeline that ends it with ``up``, and a tidy stop."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import SwitchboardError

STOP_GRACE = 8.0
"""Seconds a child gets between SIGTERM and SIGKILL."""
READY_GRACE = 30.0
"""Seconds until a child must have said that it is ready."""


class ChildFailed(SwitchboardError):
    """A part of ``up`` ended or did not come up; the message quotes the end of its log."""


@dataclass
class Child:
    """One running part."""

    name: str
    process: asyncio.subprocess.Process
    log: Path
    ready: dict[str, Any]
    grace: float = STOP_GRACE
    began: int = 0
    """Where this start's words begin in its log, which earlier ones wrote to as well."""

    async def ended(self, when: str) -> ChildFailed:
        """What to say of a part that is gone: how it ended, and the end of what this start wrote to its log."""
        status = await self.process.wait()
        how = f"exit status {status}" if status >= 0 else f"killed by {_signal_name(-status)}"
        said = await asyncio.to_thread(self._last_words)
        tail = f" Its last words:\n{said}" if said else " It left no last words."
        return ChildFailed(f"{self.name} ended {when} ({how}).{tail}\n  Log: {self.log}")

    async def silent(self) -> ChildFailed:
        """What to say of a part that runs but never became ready."""
        said = await asyncio.to_thread(self._last_words)
        return ChildFailed(f"{self.name} did not become ready in {READY_GRACE:.0f} s.\n{said}\n  Log: {self.log}")

    def _last_words(self, lines: int = 12) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(self.began)
                tail = log.read().decode("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            return ""
        return "\n".join(f"    {line[:400]}" for line in tail)

    async def stop(self) -> None:
        """SIGTERM, wait, SIGKILL. Idempotent."""
        if self.process.returncode is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(self.grace):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def child(
    name: str,
    argv: Sequence[str],
    log: Path,
    env: Mapping[str, str],
    *,
    grace: float = STOP_GRACE,
) -> AsyncIterator[Child]:
    """Run ``argv`` with ``--lifeline-fd`` and ``--ready-fd`` appended, until the block is left.

    The child stands in its own process group, so that Ctrl-C reaches ``up`` alone and parts stop in order.
    Raises ChildFailed if it ends, or says nothing for READY_GRACE seconds, before it is ready.
    """
    lifeline_read, lifeline_write = os.pipe()
    ready_read, ready_write = os.pipe()
    extra = ["--lifeline-fd", str(lifeline_read), "--ready-fd", str(ready_write)]
    try:
        with log.open("ab") as sink:
            began = sink.tell()
            process = await asyncio.create_subprocess_exec(
                *argv,
                *extra,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=dict(env),
                pass_fds=(lifeline_read, ready_write),
                start_new_session=True,
            )
    finally:
        os.close(lifeline_read)
        os.close(ready_write)
    part = Child(name, process, log, {}, grace, began)
    try:
        part.ready = await _ready_line(part, ready_read)
        yield part
    finally:
        await part.stop()
        os.close(lifeline_write)


async def _ready_line(part: Child, fd: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", buffering=0)
    )
    try:
        async with asyncio.timeout(READY_GRACE):
            line = await reader.readline()
    except TimeoutError:
        raise await part.silent() from None
    finally:
        transport.close()
    if not line:
        raise await part.ended("at once")
    ready: dict[str, Any] = json.loads(line)
    return ready


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
