"""``python -m bot.local_slack``: runs the embedded workspace until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import structlog

from bot.local_slack.errors import WorkspaceError
from bot.local_slack.manifest import read_manifest
from bot.local_slack.models import Json
from bot.local_slack.server import Options, serve

READY_FILE = "workspace.json"


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where it keeps all.")
@click.option("--port", default=0, show_default=True, help="0: the last run's port if free, else any.")
@click.option(
    "--manifest", type=click.Path(path_type=Path, exists=True), required=True, help="The app's manifest, as JSON."
)
@click.option("--admin-person", default="Ana", show_default=True, help="The first person's name (first run only).")
@click.option("--tz", default="", help="The people's time zone (first run only); this machine's if not given.")
@click.option("--http-events", default="", metavar="URL", help="Send events there (HTTP mode), not over Socket Mode.")
@click.option("--ready-fd", type=int, hidden=True, help="Write the ready line to this descriptor, not to stdout.")
@click.option("--lifeline-fd", type=int, hidden=True, help="Stop when this descriptor reaches its end.")
def main(
    data_dir: Path,
    port: int,
    manifest: Path,
    admin_person: str,
    tz: str,
    http_events: str,
    ready_fd: int | None,
    lifeline_fd: int | None,
) -> None:
    """A Slack-compatible workspace on 127.0.0.1: no account, no key, no network.

    Prints one JSON line with its addresses and tokens when it is ready, and stops on SIGTERM or Ctrl-C.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        zone = ZoneInfo(tz).key if tz else local_zone()
        options = Options(data_dir, read_manifest(manifest), port, admin_person, zone, http_events)
        asyncio.run(_run(options, ready_fd, lifeline_fd))
    except (WorkspaceError, OSError, KeyError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def local_zone() -> str:
    """The name of this machine's time zone; UTC where it cannot be told."""
    linked = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    for name in (os.environ.get("TZ", "").removeprefix(":"), linked):
        with contextlib.suppress(KeyError, ValueError, OSError):
            if name:
                return ZoneInfo(name).key
    return "UTC"


async def _run(options: Options, ready_fd: int | None, lifeline_fd: int | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    if lifeline_fd is not None:
        _watch(lifeline_fd, stopping)
    async with serve(options) as running:
        await asyncio.to_thread(_keep, options.data_dir / READY_FILE, running.ready)
        line = json.dumps(running.ready)
        if ready_fd is None:
            print(line, flush=True)
        else:
            await asyncio.to_thread(_tell, ready_fd, line)
        await stopping.wait()


def _watch(lifeline: int, stopping: asyncio.Event) -> None:
    """The other end of this pipe is held by whoever started us; its end is our SIGTERM."""
    loop = asyncio.get_running_loop()

    def readable() -> None:
        if not os.read(lifeline, 1024):
            loop.remove_reader(lifeline)
            stopping.set()

    loop.add_reader(lifeline, readable)


def _tell(ready_fd: int, line: str) -> None:
    with os.fdopen(ready_fd, "w") as pipe:
        pipe.write(line + "\n")


def _keep(path: Path, ready: Json) -> None:
    """For whoever comes later: everything but the one-time key, readable by this user only."""
    kept = {key: value for key, value in ready.items() if key != "open"}
    fresh = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(kept, file, indent=1)
    fresh.replace(path)


if __name__ == "__main__":
    main()
