"""The real Claude Code in a terminal of its own (a pty), its model scripted, its hooks ours."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][AB0]|[@-Z\\-_=>78])")
KEY = "sk-ant-api03-a-key-of-the-test-which-opens-nothing"
WITHIN = 30.0


def bundled() -> Path | None:
    """The program inside claude-agent-sdk."""
    try:
        import claude_agent_sdk
    except ImportError:
        return None
    path = Path(claude_agent_sdk.__file__).parent / "_bundled" / "claude"
    return path if path.exists() else None


def claude_env(folder: Path, worktree: Path, model: str) -> dict[str, str]:
    """As after its first start: theme chosen, folder trusted, key approved."""
    home = folder / "claude-home"
    home.mkdir(exist_ok=True)
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "numStartups": 5,
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(worktree): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    config = home / ".claude.json"
    if not config.exists():
        config.write_text(json.dumps(known))
    passed = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {
        **passed,
        "HOME": str(folder),
        "CLAUDE_CONFIG_DIR": str(home),
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "TERM": "xterm-256color",
        "SHELL": "/bin/sh",
    }


class Terminal:
    """What is on the screen, as text that only grows; and the keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], fd: int) -> None:
        self.process = process
        self._fd = fd
        self._seen = ""
        self._changed = asyncio.Event()

    def readable(self) -> None:
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._fd)
        self._seen += data.decode("utf-8", "replace")
        self._changed.set()

    @property
    def text(self) -> str:
        """Without escapes and blanks: how a screen is drawn moves words about, not their letters."""
        return re.sub(r"\s+", "", _ESCAPES.sub("", self._seen))

    def forget(self) -> None:
        self._seen = ""

    async def shows(self, words: str) -> None:
        wanted = re.sub(r"\s+", "", words)
        try:
            async with asyncio.timeout(WITHIN):
                while wanted not in self.text:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"the terminal does not show {words!r}: …{self.text[-1500:]}") from None

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    async def say(self, words: str) -> None:
        """Type, and press Return once it stands there."""
        self.forget()
        self.type(words)
        await self.shows(words)
        self.type("\r")

    async def ended(self) -> int:
        async with asyncio.timeout(WITHIN):
            return await asyncio.to_thread(self.process.wait)


@asynccontextmanager
async def terminal(argv: Sequence[str], cwd: Path, env: Mapping[str, str]) -> AsyncIterator[Terminal]:
    """Run a program in a pty of 40 × 160; killed at the end, with all it has started."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))

    process = _started(argv, cwd, env, its)
    os.close(its)
    os.set_blocking(ours, False)
    found = Terminal(process, ours)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, found.readable)
    try:
        yield found
    finally:
        loop.remove_reader(ours)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        os.close(ours)


def _started(argv: Sequence[str], cwd: Path, env: Mapping[str, str], tty: int) -> subprocess.Popen[bytes]:
    """As the leader of a session of its own, whose terminal this is: Ctrl-C and the like work."""

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    return subprocess.Popen(argv, cwd=cwd, env=dict(env), stdin=tty, stdout=tty, stderr=tty, preexec_fn=own_terminal)
