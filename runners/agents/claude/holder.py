"""The holder: a small process that owns one Claude Code process, so that no runner's end is an end for the agent.

Standard library only, like ``journal`` and ``family`` beside it: it sees nothing else that is installed, and may be
started with any worktree as its working folder. It offers a private unix socket. Lines there: to the holder ``>`` and
a line for Claude Code's input, or ``!`` and an order; from it ``<number> <line>`` for a line of Claude Code's output,
or ``#`` and what the holder itself has to say.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
from pathlib import Path
from typing import Any

from runners.agents.claude import family
from runners.agents.claude.journal import Journal, parsed

LONGEST = 64 * 1024 * 1024
"""Bytes in one line; an image in a tool's result is a long one."""
LOG_CAP = 1024 * 1024
TAIL = 4000
LOOK = 5.0
"""Seconds between two looks whether the session's folder is still there."""
GRACE = 2.0
ROUNDS = 50
MEETING = 5.0
"""Seconds that a Claude Code which has ended already waits for whoever started it."""


class Watched(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells of a process's end at once: asyncio waits for its pipes too, which a shell in the background may hold."""

    def __init__(self, limit: int, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.exited = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.exited.set()


class Holder:
    """One Claude Code process, at most one runner at a time: a new one takes the place of the last."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._folder = Path(options.folder)
        self._journal = Journal()
        self._runner: asyncio.StreamWriter | None = None
        self._tail = bytearray()
        self._met = asyncio.Event()
        self._over = asyncio.Event()
        self._ending = ""
        self._locks: dict[Path, int] = {}
        self._note: dict[str, Any] = {}

    async def run(self) -> int:
        """Until Claude Code has ended; its exit status is told to the runner and left in a file."""
        if self._options.session and not self._lock(self._options.session):
            _say({"problem": "locked"})
            return 3
        loop, adopts = asyncio.get_running_loop(), family.adopt_orphans()
        server = await asyncio.start_unix_server(self._serve, self._options.socket, limit=LONGEST)
        try:
            transport, watched = await loop.subprocess_exec(
                lambda: Watched(LONGEST, loop),
                *self._options.argv,
                start_new_session=True,
                pass_fds=tuple(self._locks.values()),  # a Claude Code that outlives its holder still holds its session
                preexec_fn=family.die_with_parent,  # this process has one thread
            )
        except OSError as problem:
            _say({"problem": str(problem)})
            return 4
        self._process, self._exited = asyncio.subprocess.Process(transport, watched, loop), watched.exited
        _say({"holder": os.getpid(), "cli": self._process.pid})
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, "told by a signal")
        if adopts:
            loop.add_signal_handler(signal.SIGCHLD, family.reap, self._process.pid)
        tasks = [asyncio.create_task(work) for work in (self._relay(), self._errors(), self._look())]
        ender = asyncio.create_task(self._finish())
        await self._exited.wait()
        await asyncio.wait(tasks[:2], timeout=1.0)
        self._over.set()
        await self._sweep(await ender)
        with contextlib.suppress(TimeoutError):  # one that ends at once is told too
            await asyncio.wait_for(self._met.wait(), MEETING)
        for task in tasks:
            task.cancel()
        server.close()
        for path in (Path(self._options.socket), *self._locks):
            with contextlib.suppress(OSError):
                path.unlink()
        await self._tell_exit(self._process.returncode)
        return 0

    # --- the runner

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        before, self._runner = self._runner, None
        if before is not None:
            before.write(b'#{"replaced": true}\n')
            before.close()
        journal = self._journal
        about = {
            "holder": os.getpid(), "cli": self._process.pid, "state": journal.state, "sessions": journal.sessions,
            "background": journal.background, "frames": len(journal.lines) + len(journal.pending), "note": self._note,
        }  # fmt: skip
        writer.write(b"#" + json.dumps(about).encode() + b"\n")
        for number, line, _ in journal.lines:
            writer.write(b"%d %s" % (number, line))
        for line in journal.pending.values():
            writer.write(b"0 " + line)
        self._runner = writer
        self._met.set()
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                await self._order(line)
        except (OSError, ValueError):
            pass
        finally:
            if self._runner is writer:
                self._runner = None
            writer.close()

    async def _order(self, line: bytes) -> None:
        if line.startswith(b">"):
            assert self._process.stdin is not None
            if self._journal.answered(line[1:]):
                self._process.stdin.write(line[1:])
                with contextlib.suppress(OSError):
                    await self._process.stdin.drain()
            return
        order = parsed(line[1:])
        if isinstance(upto := order.get("seen"), int):
            self._journal.seen(upto)
        if isinstance(note := order.get("note"), dict):
            self._note |= note
        if isinstance(session := order.get("lock"), str):
            self._lock(session)
        if order.get("end"):
            self._end("told")

    async def _tell_exit(self, status: int | None) -> None:
        words = {"exit": status, "tail": self._tail.decode("utf-8", "replace"), "ending": self._ending}
        if self._folder.is_dir():
            with contextlib.suppress(OSError):
                (self._folder / "claude-exit.json").write_text(json.dumps(words), encoding="utf-8")
        if (runner := self._runner) is not None:
            runner.write(b"#" + json.dumps(words).encode() + b"\n")
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await runner.drain()
                runner.close()
                async with asyncio.timeout(2):
                    await runner.wait_closed()

    # --- Claude Code

    async def _relay(self) -> None:
        assert self._process.stdout is not None
        while line := await self._line(self._process.stdout):
            frame = self._journal.take(line)
            if frame is None:
                self._overhear(line)
            elif (runner := self._runner) is not None:
                runner.write(frame)
                with contextlib.suppress(OSError):
                    await runner.drain()

    async def _line(self, reader: asyncio.StreamReader) -> bytes:
        while True:
            try:
                line = await reader.readline()
            except ValueError:
                continue  # beyond LONGEST: asyncio has thrown it away
            return line if line.endswith(b"\n") or not line else line + b"\n"

    async def _errors(self) -> None:
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(64 * 1024):
            self._overhear(chunk)

    def _overhear(self, chunk: bytes) -> None:
        """What is no message of its own: last words, perhaps."""
        self._tail += chunk
        del self._tail[:-TAIL]
        with contextlib.suppress(OSError):  # a full disk must not stop the agent
            _append(Path(self._options.log), chunk)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(float(os.environ.get("SWITCHBOARD_HOLDER_LOOK", LOOK)))
            if not self._folder.is_dir():
                self._end("its session's folder is gone")
                return

    def _end(self, why: str) -> None:
        self._ending = self._ending or why
        self._over.set()

    async def _finish(self) -> list[int]:
        """Once told, end Claude Code. Returns what ran below it."""
        await self._over.wait()
        process, below = self._process, family.below(self._process.pid)
        if process.returncode is None and not self._journal.pending:
            assert process.stdin is not None
            process.stdin.close()
            if not await self._gone():
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                await self._gone()
        # With a question open, closing its input would enter a refusal that nobody spoke into its transcript.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return below

    async def _sweep(self, known: list[int]) -> None:
        family.sweep(known)
        for _ in range(ROUNDS):  # one that was starting another when it was killed has left that one
            if not (left := family.below(os.getpid())):
                return
            family.sweep(left)
            await asyncio.sleep(0.02)

    async def _gone(self) -> bool:
        try:
            async with asyncio.timeout(GRACE):
                await self._exited.wait()
        except TimeoutError:
            return False
        return True

    def _lock(self, session: str) -> bool:
        """Two processes on one session of Claude Code silently lose a branch of it."""
        folder = Path(self._options.locks)
        name = "".join(c for c in session if c.isalnum() or c == "-")[:80]
        path = folder / f"claude-{name}.lock"
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found = path.stat().st_ino == os.fstat(descriptor).st_ino
            except FileNotFoundError:
                found = False  # its last owner has just ended, and taken the file away
            except OSError:
                os.close(descriptor)
                return False
            if found:
                self._locks[path] = descriptor
                return True
            os.close(descriptor)


def _append(log: Path, chunk: bytes) -> None:
    if log.exists() and log.stat().st_size + len(chunk) > LOG_CAP:
        log.replace(log.with_name(log.name + ".old"))
    with log.open("ab") as out:
        out.write(chunk)


def _say(words: dict[str, Any]) -> None:
    """To whoever started this process; it reads one line."""
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(words).encode() + b"\n")
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser("holder")
    for name in ("folder", "socket", "log", "locks"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--session", default="")
    parser.add_argument("argv", nargs="+")
    options = parser.parse_args(argv)
    os.umask(0o077)
    if os.fork():
        os._exit(0)  # nobody's child: whoever starts it may end, or be killed
    os.setsid()
    return asyncio.run(Holder(options).run())
