"""Real repositories and hosts in a temporary folder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.wire.types import HostId, SessionId, SessionSpec
from runners.repo import git
from tests.runners.board import ANA, Board, HostPeer, RunnerPeer

HOST = HostPeer(HostId("laptop"), ANA.id, shared=False)
HOST_TOKEN = "host-token"


def make_repo(path: Path, *, commit: bool = True) -> Path:
    path.mkdir(parents=True)
    git.run(path, "init", "--quiet", "--initial-branch=main")
    git.run(path, "config", "user.name", "Repo Owner")
    git.run(path, "config", "user.email", "owner@example.com")
    if commit:
        (path / "README.md").write_text("# Sample\n")
        (path / "app.py").write_text("print('hello')\n")
        save(path, "Start")
    return path


def save(path: Path, message: str) -> str:
    """Commit everything there is."""
    git.run(path, "add", "--all")
    git.run(path, "commit", "--quiet", "--message", message)
    return git.run(path, "rev-parse", "HEAD").strip()


def spec(
    board: Board, repo: str, task: str, *, name: str = "search", session: str = "s1234567a", **more: object
) -> SessionSpec:
    """A session's order, its runner's token known to the board."""
    token = f"token-of-{session}"
    board.tokens[token] = RunnerPeer(SessionId(session))
    return SessionSpec(
        session=SessionId(session),
        name=name,
        repo=repo,
        task=task,
        owner=ANA,
        branch=f"switchboard/{name}",
        token=token,
        **more,
    )  # type: ignore[arg-type]


@asynccontextmanager
async def host_process(
    data: Path, bot: str, *options: str, env: dict[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """``python -m runners.cli host`` as a process; SIGTERM at the end if it is still there."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "host.log").open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "runners.cli", "host", "--bot", bot, "--data-dir", str(data), *options,
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            env={**os.environ, "SWITCHBOARD_TOKEN": HOST_TOKEN, **(env or {})},
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        async with asyncio.timeout(25):
            await process.wait()
