"""The host's own door on its machine: a unix socket, one JSON line asked, one answered. Commands and hooks knock."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct
from platformdirs import user_data_path

from runners.attach import record
from runners.errors import RunnerError, disk_problem

log = structlog.get_logger()

SOCKET = "host.sock"
CODEX_SOCKET = "app-server-control/app-server-control.sock"
"""In Codex's home: where the daemon of its terminals listens."""
LARGEST = 1 << 20
"""Bytes in one line."""
ASKS_WITHIN = 30.0
"""Seconds somebody who has connected may take to say what they want."""


class Request(Struct, frozen=True):
    """``find`` · ``attach`` · ``detach`` · ``adopt`` · ``back`` · ``list``; fields a verb does not need stay empty."""

    verb: str
    worktree: str = ""
    """Any path within it."""
    agent: str = "claude"
    title: str = ""
    attach: str = ""
    """The caller's own name of the session to put on the board: a repeated request is the same session."""
    session: str = ""
    """The agent's own id."""
    pid: int = 0
    home: str = ""
    program: str = ""
    wait: float = 0.0
    """Seconds to wait for the bot's word."""
    force: bool = False


Reply = dict[str, Any]
"""Always with ``ok``; when that is false, with ``problem``, ``fix`` and both as ``error``. It leaves as JSON."""


def refusal(problem: str, fix: str = "", **more: Any) -> Reply:
    return {"ok": False, "problem": problem, "fix": fix, "error": f"{problem} {fix}".strip(), **more}


@asynccontextmanager
async def served(data: Path, handle: Callable[[Request], Awaitable[Reply]]) -> AsyncIterator[Path]:
    """Listen at ``<data>/host.sock``. Whatever comes in, the host lives on."""
    path = await asyncio.to_thread(record.socket_for, data, SOCKET)
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await _talk(reader, writer, handle)
        except (OSError, asyncio.CancelledError):
            pass  # the caller has gone, or the host goes
        finally:
            talks.discard(task)
            writer.close()

    listening = await asyncio.to_thread(record.listening, path)
    server = await asyncio.start_unix_server(talk, sock=listening, limit=LARGEST)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, record.socket_gone, data, SOCKET)
        stack.callback(server.close)
        try:
            yield path
        finally:
            for task in list(talks):
                task.cancel()
            if talks:
                await asyncio.wait(talks)


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handle: Callable[[Request], Awaitable[Reply]]
) -> None:
    try:
        async with asyncio.timeout(ASKS_WITHIN):
            line = await reader.readuntil(b"\n")
        request = msgspec.json.decode(line, type=Request)
    except (TimeoutError, asyncio.IncompleteReadError):
        return
    except (asyncio.LimitOverrunError, msgspec.DecodeError) as err:
        reply = refusal(f"This cannot be read: {err}.", "One JSON object on one line is expected.")
    else:
        reply = await _handled(request, handle)
    writer.write(json.dumps(reply).encode() + b"\n")
    with suppress(ConnectionError):
        await writer.drain()


async def _handled(request: Request, handle: Callable[[Request], Awaitable[Reply]]) -> Reply:
    """One request's boundary: its trouble is told to its caller, and is nobody else's."""
    try:
        return await handle(request)
    except RunnerError as err:
        return refusal(err.problem, err.fix)
    except OSError as err:
        problem = disk_problem(err, "try again")
        return refusal(problem.problem, problem.fix)
    except Exception as err:
        log.exception("control.failed", verb=request.verb)
        return refusal(f"The host could not do this: {type(err).__name__}: {err}.", "Its log says more.")


# --- the other side ---------------------------------------------------------------------------------------------------


class NoHost(RunnerError):
    """No host answers on this machine."""


def data_dirs(given: Path | None, env: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a host of this person may keep its data: what was said, else `switchboard host`, else `switchboard up`."""
    if given is not None:
        return (given.absolute(),)
    if said := env.get("SWITCHBOARD_HOST_DATA", ""):
        return (Path(said).expanduser().absolute(),)
    root = user_data_path("switchboard")
    return (root / "host", root / "up" / "host")


def living(given: Path | None, env: Mapping[str, str]) -> Path:
    """The data folder of the host that answers. Raises NoHost. Blocking."""
    places = data_dirs(given, env)
    for data in places:
        with suppress(OSError), _connected(data, 2.0):
            return data
    raise NoHost(
        "No host runs on this machine for you.",
        "Start `switchboard host …` (or `switchboard up`), or name its folder with --data-dir. "
        f"Looked in {' and '.join(str(place) for place in places)}.",
    )


def call(data: Path, request: Request, within: float = 10.0) -> Reply:
    """Ask the host whose data folder this is. Raises NoHost. Blocking."""
    try:
        with _connected(data, within + request.wait) as sock:
            sock.sendall(msgspec.json.encode(request) + b"\n")
            with sock.makefile("rb") as file:
                line = file.readline(LARGEST)
        found = json.loads(line or b"null")
    except (OSError, ValueError) as err:
        raise NoHost(f"The host of {data} does not answer: {err}.", "Look whether `switchboard host` runs.") from err
    return found if isinstance(found, dict) else refusal("The host broke off.", "Its log says more.")


def _connected(data: Path, within: float) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(within)
        sock.connect(str(record.socket_of(data, SOCKET)))
    except BaseException:
        sock.close()
        raise
    return sock
