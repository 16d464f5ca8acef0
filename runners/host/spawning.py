"""Starting runners as detached processes: forked by a warm parent on Linux, spawned plainly elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from runners.errors import RunnerError
from runners.files import LOG
from runners.host import entry
from runners.process import GRACE

log = structlog.get_logger()

READY_WITHIN = 20.0


class Spawner:
    """``start`` returns once the new runner holds its folder's lock. The runners outlive the spawner."""

    def __init__(self, *, warm: bool = sys.platform == "linux") -> None:
        self._warm = warm
        self._parent: asyncio.subprocess.Process | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._one_at_a_time = asyncio.Lock()
        self._spawned: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        if self._warm:
            await self._start_parent()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        if self._parent is None or self._writer is None:
            return
        self._writer.close()
        try:
            async with asyncio.timeout(GRACE):
                await self._parent.wait()
        except TimeoutError:
            self._parent.kill()
            await self._parent.wait()

    async def start(self, folder: Path) -> int:
        """Raises RunnerError naming the log when the runner did not come up."""
        async with self._one_at_a_time:
            try:
                async with asyncio.timeout(READY_WITHIN):
                    pid = await (self._fork(folder) if self._warm else self._spawn(folder))
            except (OSError, EOFError, TimeoutError) as err:
                if not self._warm:
                    raise self._not_up(folder) from err
                log.warning("warm.lost", error=str(err) or type(err).__name__)
                self._warm = False
                pid = await self._spawn(folder)
        if pid is None:
            raise self._not_up(folder)
        return pid

    @staticmethod
    def _not_up(folder: Path) -> RunnerError:
        return RunnerError(f"The runner in {folder} did not start.", f"Its log says why: {folder / LOG}.")

    async def _start_parent(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._parent = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runners.host.warm", str(theirs.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )  # fmt: skip
        self._reader, self._writer = await asyncio.open_connection(sock=ours)

    async def _fork(self, folder: Path) -> int | None:
        assert self._reader is not None
        assert self._writer is not None
        self._writer.write(json.dumps({"folder": str(folder)}).encode() + b"\n")
        await self._writer.drain()
        line = await self._reader.readline()
        if not line:
            raise EOFError("the warm parent has ended")
        reply = json.loads(line)
        return int(reply["pid"]) if reply["ready"] else None

    async def _spawn(self, folder: Path) -> int | None:
        return await asyncio.to_thread(self._spawn_blocking, folder)

    def _spawn_blocking(self, folder: Path) -> int | None:
        # Not through asyncio: a detached process must neither be waited for nor be ended with the loop.
        self._spawned = [process for process in self._spawned if process.poll() is None]
        read, write = os.pipe()
        with os.fdopen(read, "rb") as pipe:
            with (folder / LOG).open("ab") as out:
                process = subprocess.Popen(
                    [sys.executable, "-m", "runners.cli", "runner", "--folder", str(folder), "--ready-fd", str(write)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    pass_fds=[write],
                    start_new_session=True,
                )
            os.close(write)
            self._spawned.append(process)
            return process.pid if pipe.read(len(entry.READY)) == entry.READY else None
