"""The app-server's process: a group of its own, its log a file, so that it outlives the runner that started it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

import aiohttp

from runners import kept
from runners.agents.base import Launch
from runners.agents.codex import faults
from runners.agents.codex.papers import Papers
from runners.agents.codex.rpc import Rpc
from runners.agents.text import prose
from runners.errors import AgentError, AgentMissing, disk_problem

LOG_CAP = 1024 * 1024
TAIL = 4000
LONGEST_SOCKET = 100
"""Bytes that a unix socket's path may have everywhere."""
GRACE = 2.0
_STEP = 0.02


class Server:
    """A running app-server, ours or an earlier runner's. ``process`` is None for the latter: its status is not ours."""

    def __init__(
        self, launch: Launch, pid: int, socket: Path, process: asyncio.subprocess.Process | None, since: int = 0
    ) -> None:
        self._launch, self.pid, self.socket = launch, pid, socket
        self._process, self._since = process, since
        self._exited = asyncio.ensure_future(process.wait()) if process else None
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    async def spawn(cls, launch: Launch, env: dict[str, str]) -> Server:
        """Raises AgentMissing if the command or the worktree does not exist."""
        socket = await asyncio.to_thread(_place, launch.folder)
        log = await asyncio.to_thread(_open_log, launch.log)
        since = os.fstat(log).st_size
        try:
            process = await asyncio.create_subprocess_exec(
                *_argv(launch, socket),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=launch.cwd,
                env={**os.environ, **launch.env, **env},
                start_new_session=True,
            )
        except (OSError, ValueError, IndexError, TypeError) as problem:
            await asyncio.to_thread(_remove, socket, launch.folder)
            raise _not_started(launch, problem) from problem
        finally:
            os.close(log)
        if launch.folder is not None:
            await asyncio.to_thread(kept.keep, launch.folder, process.pid)
        return cls(launch, process.pid, socket, process, since)

    @classmethod
    async def living(cls, launch: Launch, papers: Papers) -> Server | None:
        """The one an earlier runner left, if it is still the same process."""
        if launch.folder is None or not papers.pid or not papers.socket:
            return None
        if papers.pid not in await asyncio.to_thread(kept.kept, launch.folder):
            return None
        return cls(launch, papers.pid, Path(papers.socket), None)

    @property
    def ours(self) -> bool:
        return self._process is not None

    @property
    def status(self) -> int | None:
        return self._process.returncode if self._process else None

    async def connect(self, rpc: Rpc) -> None:
        """Wait until it answers. Raises AgentError once its process has ended."""
        while True:
            try:
                await rpc.connect(self.socket)
                return
            except (OSError, aiohttp.ClientError):
                if not await self._alive():
                    raise faults.died(self._launch, "", self.status, await self.last_words()) from None
            await asyncio.sleep(_STEP)

    async def _alive(self) -> bool:
        if self._exited is not None:
            return not self._exited.done()
        return _exists(self.pid)

    async def settled(self, within: float = GRACE) -> None:
        """Its connection is gone: give its process a moment to be gone as well, so that its status is known."""
        if self._exited is not None:
            await asyncio.wait({self._exited}, timeout=within)

    async def last_words(self) -> str:
        return await asyncio.to_thread(_tail, self._launch.log, self._since)

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL, to its whole group. Idempotent; never raises."""
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._stop(), name="codex.stop")
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        _signal(self.pid, signal.SIGTERM)
        if not await self._gone(GRACE):
            _signal(self.pid, signal.SIGKILL)
            await self._gone(GRACE)
        _signal(self.pid, signal.SIGKILL)  # whatever else is in its group
        if self._launch.folder is not None:
            await asyncio.to_thread(kept.forget, self._launch.folder, self.pid)
        await asyncio.to_thread(_remove, self.socket, self._launch.folder)

    async def _gone(self, within: float) -> bool:
        if self._exited is not None:
            done, _ = await asyncio.wait({self._exited}, timeout=within)
            return bool(done)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while _exists(self.pid):  # noqa: ASYNC110 - another's child: nothing else tells of its end
                    await asyncio.sleep(_STEP)
        return not _exists(self.pid)


def _argv(launch: Launch, socket: Path) -> list[str]:
    argv = list(launch.argv)
    if "app-server" not in argv:
        argv.append("app-server")
    return [*argv, "--listen", f"unix://{socket}"]


def _place(folder: Path | None) -> Path:
    """Where its socket goes: the session's folder, unless that lies too deep."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        socket = folder / "codex.sock"
        if len(os.fsencode(socket)) <= LONGEST_SOCKET:
            socket.unlink(missing_ok=True)
            return socket
    return Path(tempfile.mkdtemp(prefix="switchboard-")) / "codex.sock"


def _remove(socket: Path, folder: Path | None) -> None:
    with suppress(OSError):
        socket.unlink(missing_ok=True)
        if socket.parent != folder and socket.parent.name.startswith("switchboard-"):
            shutil.rmtree(socket.parent, ignore_errors=True)


def _open_log(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size > LOG_CAP:
            path.replace(path.with_name(path.name + ".old"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as problem:
        raise disk_problem(problem, "try again") from problem


def _tail(path: Path, since: int) -> str:
    try:
        with path.open("rb") as log:
            log.seek(max(since, path.stat().st_size - TAIL))
            text = log.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(prose(text).splitlines()[-8:])[-1000:]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _not_started(launch: Launch, problem: Exception) -> AgentError:
    command = launch.argv[0] if launch.argv else ""
    fix = "Install it (npm install -g @openai/codex), or correct its command in switchboard.toml."
    if isinstance(problem, FileNotFoundError) and str(problem.filename) == str(launch.cwd):
        return AgentMissing(f"Agent {launch.name}: its working folder {launch.cwd} does not exist.")
    if not command:
        return AgentMissing(f"Agent {launch.name} has no command.", fix)
    if isinstance(problem, FileNotFoundError):
        return AgentMissing(f"Agent {launch.name}: the command “{command}” was not found.", fix)
    if isinstance(problem, PermissionError):
        return AgentMissing(f"Agent {launch.name}: “{command}” may not be run.", "Make it executable (chmod +x).")
    return AgentMissing(f"Agent {launch.name}: “{command}” could not be started: {problem}.", fix)
