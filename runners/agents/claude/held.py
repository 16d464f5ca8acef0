"""The runner's end of a holder: starts one, finds the one that an earlier runner left, carries lines both ways."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import structlog

import runners
from runners.agents.base import Launch
from runners.agents.claude import holder
from runners.agents.claude.fields import Json, number, table, text
from runners.errors import AgentConfused, AgentError, AgentMissing, disk_problem
from runners.files import write_atomic
from runners.kept import end_kept, forget, keep, started_at
from runners.leftovers import end_leftovers

log = structlog.get_logger()

HOLDER = f"""import sys; sys.path.append({str(Path(runners.__file__).parents[1])!r})
from runners.agents.claude.holder import main; sys.exit(main(sys.argv[1:]))"""
PAPER = "claude.json"
LONGEST_SOCKET = 100
ENDING = 3 * holder.GRACE + 4
"""Seconds in which a holder ends Claude Code and itself."""


@dataclass
class Held:
    """A connection to a living holder; ``first`` is what it said of its Claude Code when we came."""

    folder: Path
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    first: Json
    exit: Json = field(default_factory=dict)
    """Once Claude Code has ended: its status and last words, as the holder tells them."""

    @property
    def pids(self) -> tuple[int, int]:
        return int(number(self.first, "holder")), int(number(self.first, "cli"))

    @property
    def sessions(self) -> list[str]:
        listed = self.first.get("sessions")
        return [session for session in listed if isinstance(session, str)] if isinstance(listed, list) else []

    @property
    def note(self) -> Json:
        return table(self.first, "note")

    async def read(self) -> tuple[int, Json] | None:
        """The next line of Claude Code's output with its number, 0 for what is not kept; None at the end."""
        while True:
            try:
                line = await self.reader.readline()
            except (OSError, ValueError):
                return None
            if not line.endswith(b"\n"):
                return None
            count, _, rest = line.partition(b" ")
            told = parsed(line[1:] if line.startswith(b"#") else rest)
            if line.startswith(b"#"):
                self.exit = told
            elif count.isdigit():  # an empty one too: the holder has counted it
                return int(count), told

    async def send(self, message: Json) -> None:
        """To Claude Code. What cannot be sent any more is lost: the end that ``read`` sees tells of it."""
        await self._write(b">" + json.dumps(message).encode() + b"\n")

    async def order(self, **words: object) -> None:
        """To the holder itself."""
        await self._write(b"!" + json.dumps(words).encode() + b"\n")

    async def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            self.writer.write(line)
            await self.writer.drain()

    def hang_up(self) -> None:
        self.writer.close()

    async def end(self) -> None:
        """Claude Code, what it left in the background, and the holder. ``read`` must go on meanwhile."""
        await self.order(end=True)

    async def forget(self) -> None:
        """Once both have ended; whatever has not ended is killed."""
        await asyncio.to_thread(_clear, self.folder, self.pids)


async def join(folder: Path) -> Held | None:
    """The living holder that this folder's papers name, or None."""
    paper = await asyncio.to_thread(_paper, folder)
    if not text(paper, "socket"):
        return None
    pid = int(number(paper, "holder"))
    if await asyncio.to_thread(started_at, pid) != text(paper, "started"):
        return None
    return await _connect(folder, text(paper, "socket"))


async def spawn(launch: Launch, folder: Path, argv: list[str], env: dict[str, str], session: str) -> Held:
    """Start a holder with its Claude Code. Raises AgentError where either cannot be started."""
    await asyncio.to_thread(end_kept, folder)
    path = await asyncio.to_thread(_socket, folder)
    locks = await asyncio.to_thread(_locks, env)
    words = ["--folder", str(folder), "--socket", str(path), "--log", str(launch.log), "--locks", str(locks)]
    program = [sys.executable, "-I", "-S", "-c", HOLDER, *words, f"--session={session}", "--", *argv]
    errors = await asyncio.to_thread(_open_log, launch.log)
    try:
        process = await asyncio.create_subprocess_exec(
            *program,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=launch.cwd,
            env=env,
            start_new_session=True,
        )
        said, _ = await process.communicate()
    except (OSError, ValueError) as problem:
        raise AgentMissing(f"Agent {launch.name}: its holder could not be started: {problem}.") from problem
    finally:
        os.close(errors)
    started = parsed(said)
    if problem_ := text(started, "problem"):
        raise _not_started(launch, argv, session, problem_)
    if not number(started, "holder"):
        raise AgentConfused(f"Agent {launch.name}: its holder ended at once.", f"Its log: {launch.log}")
    try:
        await asyncio.to_thread(_note, folder, path, started)
    except OSError as problem:
        await asyncio.to_thread(end_kept, folder)
        os.kill(int(number(started, "holder")), signal.SIGTERM)
        raise disk_problem(problem, "reply here") from problem
    held = await _connect(folder, str(path))
    if held is None:
        raise AgentConfused(f"Agent {launch.name}: its holder does not answer.", f"Its log: {launch.log}")
    return held


async def _connect(folder: Path, path: str) -> Held | None:
    try:
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_unix_connection(path, limit=2 * holder.LONGEST)
            first = await reader.readline()
    except (OSError, ValueError, TimeoutError) as problem:
        log.info("holder.silent", path=path, problem=str(problem))
        return None
    about = parsed(first[1:])
    if not first.startswith(b"#") or not number(about, "cli"):
        writer.close()
        return None
    return Held(folder, reader, writer, about)


def _not_started(launch: Launch, argv: list[str], session: str, problem: str) -> AgentError:
    if problem == "locked":
        return AgentError(
            f"Agent {launch.name}: another process on this machine works on Claude Code's session {session}.",
            "End that one first: two on one session lose each other's work.",
        )
    return AgentMissing(f"Agent {launch.name}: “{argv[0]}” could not be started: {problem}.")


def private_folder() -> Path:
    """Of this user alone, with a short path: for sockets whose session lies too deep. Blocking."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108  (made and checked below)
    folder = base / f"switchboard-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or folder.is_symlink():
        raise AgentError(f"{folder} is not private to this user.", "Remove it, or correct its owner and mode (0700).")
    return folder


def _locks(env: dict[str, str]) -> Path:
    """One place for all hosts of this user."""
    base = env.get("XDG_STATE_HOME") or f"{env.get('HOME') or Path.home()}/.local/state"
    folder = Path(base) / "switchboard" / "locks"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _socket(folder: Path) -> Path:
    path = folder / "claude.sock"
    if len(os.fsencode(path)) > LONGEST_SOCKET:
        path = private_folder() / f"{sha256(os.fsencode(folder)).hexdigest()[:24]}.sock"
    path.unlink(missing_ok=True)
    return path


def _note(folder: Path, path: Path, started: Json) -> None:
    pids = int(number(started, "holder")), int(number(started, "cli"))
    words = {"socket": str(path), "holder": pids[0], "cli": pids[1], "started": started_at(pids[0])}
    for pid in pids:
        keep(folder, pid)
    write_atomic(folder / PAPER, json.dumps(words).encode())


def _clear(folder: Path, pids: tuple[int, int]) -> None:
    end_kept(folder)
    end_leftovers(folder)  # a holder that was killed has left behind what it had adopted
    for pid in pids:
        forget(folder, pid)
    if path := text(_paper(folder), "socket"):
        with contextlib.suppress(OSError):
            Path(path).unlink(missing_ok=True)
    for name in (PAPER, "claude-mcp.json"):
        with contextlib.suppress(OSError):
            (folder / name).unlink(missing_ok=True)


def _paper(folder: Path) -> Json:
    try:
        return parsed((folder / PAPER).read_bytes())
    except OSError:
        return {}


def _open_log(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def parsed(line: bytes) -> Json:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
