"""Set-up and check commands, as configured on the host and never read from the branch under review."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from bot.wire.types import Check, CheckState, Share
from runners import process
from runners.config import Argv
from runners.errors import SetupFailed
from runners.redact import redact

log = structlog.get_logger()

SHOWN = 2000
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def tail(output: str) -> str:
    """The last lines of a command's output, fit to leave the machine."""
    plain = _ANSI.sub("", output).replace("\r\n", "\n").strip()
    clean = redact(plain)
    return clean if len(clean) <= SHOWN else "…" + clean[-SHOWN:].partition("\n")[2]


async def run_check(command: Argv, *, cwd: Path, env: Mapping[str, str], timeout: float) -> Check:
    """Run one check in the worktree."""
    started = time.monotonic()
    ended = await process.run(command, cwd=cwd, env=env, timeout=timeout)
    seconds = round(time.monotonic() - started, 2)
    name = redact(shlex.join(command))
    if ended.status is None:
        return Check(name, CheckState.FAILED, seconds, f"stopped after {timeout:g} s\n{tail(ended.tail)}".strip())
    state = CheckState.PASSED if ended.status == 0 else CheckState.FAILED
    if ended.status == 127:
        state = CheckState.NOT_RUN
    return Check(name, state, seconds, tail(ended.tail))


async def run_checks(
    commands: Sequence[Argv], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> tuple[Check, ...]:
    """All of them, one after the other: a failing one hides nothing of the next."""
    return tuple([await run_check(command, cwd=cwd, env=env, timeout=timeout) for command in commands])


async def set_up(
    commands: Sequence[Argv], *, cwd: Path, env: Mapping[str, str], timeout: float, share: Share = Share.STAT
) -> None:
    """Raises SetupFailed with the command and the end of its output, where the repository shares that."""
    for command in commands:
        ended = await process.run(command, cwd=cwd, env=env, timeout=timeout)
        if ended.status == 0:
            continue
        how = f"took longer than {timeout:g} s" if ended.status is None else f"ended with status {ended.status}"
        log.warning("setup.failed", command=shlex.join(command), how=how, tail=tail(ended.tail))
        said = "Its output is in the host's log." if share is Share.NONE else tail(ended.tail)
        raise SetupFailed(
            f"The set-up command `{redact(shlex.join(command))}` {how}.\n{said}".strip(),
            "Correct it in switchboard.toml, or what it needs, and start the session again.",
        )
