"""`switchboard up` as a real process, for acceptance tests: started, watched, killed and started again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
START_PATIENCE = 45.0


class Up:
    """One run of the command. ``link`` is the printed one-time address."""

    def __init__(self, data_dir: Path, process: asyncio.subprocess.Process, printed: str, link: str) -> None:
        self.data_dir, self.process, self.printed, self.link = data_dir, process, printed, link

    def pids(self, module: str) -> list[int]:
        """Processes of this run's data folder whose command line names ``module``."""
        listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
        return [
            int(line.split(None, 1)[0])
            for line in listing.splitlines()
            if module in line and (str(self.data_dir) in line or _environ_has(line, self.data_dir))
        ]

    async def stop(self) -> str:
        """Ctrl-C; returns what was printed on the way out."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        async with asyncio.timeout(START_PATIENCE):
            rest = (await self.process.stdout.read()).decode()
            await self.process.wait()
        return rest


def _environ_has(line: str, data_dir: Path) -> bool:
    try:
        return str(data_dir).encode() in Path(f"/proc/{line.split(None, 1)[0]}/environ").read_bytes()
    except OSError:
        return False


def environment(home: Path) -> dict[str, str]:
    """A newcomer's: an empty home, no tokens, nothing of this test run's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SLACK_", "SWITCHBOARD_", "XDG_"))}
    home.mkdir(exist_ok=True)
    return {**kept, "HOME": str(home), "COLUMNS": "200", "SWITCHBOARD_DEMO_PACE": "0"}


@asynccontextmanager
async def up(data_dir: Path, *options: str, env: dict[str, str] | None = None) -> AsyncIterator[Up]:
    """Run until the block is left; then Ctrl-C, and every process of it must be gone."""
    argv: Sequence[str] = [sys.executable, "-m", "bot.cli", "up", "--data-dir", str(data_dir), "--port", "0", *options]
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd=ROOT,
        env={**environment(data_dir.parent / "home"), **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    printed = ""
    try:
        async with asyncio.timeout(START_PATIENCE):
            while not (found := re.search(r"Open (http://\S+)", printed)):
                line = await process.stdout.readline()
                assert line, f"`up` ended early:\n{printed}"
                printed += line.decode()
        running = Up(data_dir, process, printed, found[1])
        yield running
        if process.returncode is None:
            await running.stop()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
