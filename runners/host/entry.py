"""Where a runner process begins, however it was started: lock, word to whoever waits, then the session."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import logging
import os
import re
import signal
from pathlib import Path
from typing import Any, TextIO, cast

import structlog

from runners import files
from runners.agents.registry import open_agent
from runners.errors import RunnerError
from runners.redact import redact
from runners.runner import daemon, ticket

READY = b"ready"
ADAPTERS = ("runners.agents.acp.adapter",)
log = structlog.get_logger()


_TOKEN = re.compile(r"\b(?:xox[a-z]|xapp)-[\w-]{4,}|\bsb[hrd]_[\w-]{8,}")
"""Besides what leaves no session: Slack's tokens however cut; ``sbh_`` hosts, ``sbr_`` runners, ``sbd_`` doors."""


def without_secrets(text: str) -> str:
    return _TOKEN.sub("[token removed]", redact(text))


def _line_without_secrets(_logger: object, _name: str, line: Any) -> Any:
    """After the renderer, so that nothing nested in a value gets past it."""
    return without_secrets(str(line))


class _WithoutSecrets(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class _Log(io.TextIOBase):
    """Standard error, unbuffered. A line that its disk has no room for is lost: it must end nobody."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            os.write(2, text.encode("utf-8", "replace"))
        return len(text)


def log_to_stderr() -> None:
    """One line per event, on standard error; what a library writes to standard output stays apart."""
    out = _Log()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
            _line_without_secrets,
        ],
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", out)),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_WithoutSecrets("%(levelname)s %(name)s: %(message)s"))
    # Libraries speak up from warning on, and through the same filter.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def import_adapters() -> None:
    """Half a second of imports, kept off the event loop; a warm parent does it once for all its runners."""
    for name in ADAPTERS:
        importlib.import_module(name)


def run_runner(folder: Path, ready_fd: int | None = None) -> int:
    """Run the session in ``folder``; returns the process's exit status."""
    # Until the session listens for it, the host's call must not end us; the word it left is read at the start anyway.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    log_to_stderr()
    try:
        lock = ticket.Lock.take(folder / files.LOCK)
    except RunnerError as err:
        log.warning("runner.not_started", error=str(err))
        return 2
    import_adapters()
    if ready_fd is not None:
        os.write(ready_fd, READY)
        os.close(ready_fd)
    try:
        asyncio.run(daemon.run(folder, open_agent))
    except RunnerError as err:
        log.warning("runner.failed", error=str(err))
        return 1
    except BaseException:
        # The process's last boundary: without this a forked runner would end without a trace.
        log.exception("runner.crashed")
        return 1
    finally:
        lock.release()
    return 0
