"""The daemon that a person's Codex terminals share: never started, never ended by us."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import structlog

from runners.agents.codex.rpc import Json, Rpc, RpcError, table

log = structlog.get_logger()

STEP = 0.25
"""Seconds between two looks for what a terminal has not begun yet."""
_SOON = 5.0


class Daemon:
    """Implements ``Program``."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    @property
    def status(self) -> int | None:
        return None

    async def connect(self, rpc: Rpc) -> None:
        """Waits without limit: its first start copies a program."""
        while True:
            try:
                await rpc.connect(self._socket)
                return
            except (OSError, aiohttp.ClientError):
                await asyncio.sleep(STEP)

    async def settled(self, within: float) -> None:
        return

    async def last_words(self) -> str:
        return ""

    async def stop(self) -> None:
        return


async def thread_of(rpc: Rpc, worktree: Path, known: str) -> str:
    """The thread that the terminal in this worktree has open, once it has: the one we knew, else the newest."""
    while True:
        found = [thread for thread in await _loaded(rpc) if _is_of(thread, worktree)]
        if any(thread.get("id") == known for thread in found):
            return known
        if found:
            return str(max(found, key=lambda thread: thread.get("createdAt") or 0).get("id"))
        await asyncio.sleep(STEP)


async def _loaded(rpc: Rpc) -> list[Json]:
    threads = []
    for name in (await rpc.call("thread/loaded/list", {}, _SOON)).get("data") or []:
        try:
            threads.append(table((await rpc.call("thread/read", {"threadId": name}, _SOON))["thread"]))
        except (RpcError, KeyError, TypeError) as problem:
            log.info("codex.thread_unread", thread=name, problem=str(problem))
    return threads


def _is_of(thread: Json, worktree: Path) -> bool:
    if thread.get("ephemeral") or thread.get("parentThreadId") or thread.get("threadSource") not in (None, "user"):
        return False
    cwd = thread.get("cwd")
    return isinstance(cwd, str) and Path(cwd).is_relative_to(worktree)
