"""Command line of a machine that runs sessions: ``host``, and the hidden ``runner`` that it starts."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click
from platformdirs import user_data_path

from bot.wire.types import Share


@click.group()
def main() -> None:
    """Run coding-agent sessions on this machine."""


@main.command(short_help="Offer this machine: run sessions on it.")
@click.option("--bot", "bot_url", required=True, metavar="URL", help="The bot's address, as https://bot.example.com.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with this host's token. Or set SWITCHBOARD_TOKEN; a token never goes on the command line.",
)
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Repositories, agents and commands of this machine. [default: ./switchboard.toml if it is there]",
)
@click.option(
    "--repo",
    "repos",
    multiple=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Add a repository, named after its folder. May be given several times.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where spools, logs and worktrees live. [default: the per-user data folder]",
)
@click.option(
    "--share",
    type=click.Choice([share.value for share in Share]),
    default=Share.STAT.value,
    show_default=True,
    help="How much of a repository's code may reach Slack where its configuration does not say: nothing, file "
    "names and line counts, or whole diffs.",
)
@click.option(
    "--stop-runners-on-exit",
    is_flag=True,
    help="Pause the sessions when this process ends; the next start resumes them. Without it they work on.",
)
@click.option("--ready-fd", type=int, hidden=True)
@click.option("--lifeline-fd", type=int, hidden=True)
def host(
    bot_url: str,
    token_file: Path | None,
    config_path: Path | None,
    repos: tuple[Path, ...],
    data_dir: Path | None,
    share: str,
    stop_runners_on_exit: bool,
    lifeline_fd: int | None,
    ready_fd: int | None,
) -> None:
    """Offer this machine to the bot: open sessions, each in a git worktree of its own, and keep them running.

    The host makes a worktree and a branch for each session, runs the repository's set-up command in it and starts a
    detached runner that drives the agent. Stop the host and the sessions work on; start it again and it finds them.

    \b
    Example:
      switchboard host --bot https://bot.example.com --token-file ~/.switchboard-token --repo ~/src/playback
    """
    from runners import config
    from runners.errors import RunnerError
    from runners.host import entry
    from runners.host import host as supervisor
    from runners.link.link import Address
    from runners.runner.launch import clean
    from runners.runner.ticket import Lock

    entry.log_to_stderr()
    problems: list[BaseException] = []
    try:
        found = config.load(config_path, repos=repos, share=Share(share))
        address = Address(bot_url, _token(token_file))
        address.ws_url()
        clean(os.environ)
        data = (data_dir or user_data_path("switchboard") / "host").absolute()
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = Lock.take(data / "host.lock")
        try:
            asyncio.run(
                supervisor.run(
                    supervisor.HostOptions(found, data, address, stop_runners_on_exit, lifeline_fd, ready_fd)
                )
            )
        finally:
            lock.release()
    except* RunnerError as group:
        problems = _leaves(group)
    # Not within `except*`: what leaves that is an exception group, and its traceback.
    for err in problems:
        click.echo(f"switchboard host: {err}", err=True)
    if problems:
        sys.exit(1)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for err in group.exceptions:
        found += _leaves(err) if isinstance(err, BaseExceptionGroup) else [err]
    return found


def _token(token_file: Path | None) -> str:
    from runners.errors import RunnerError

    if token_file is not None:
        try:
            token = token_file.expanduser().read_text("utf-8").strip()
        except OSError as err:
            raise RunnerError(
                f"The token file {token_file} cannot be read: {err.strerror}.", "Check its path."
            ) from err
    else:
        token = os.environ.get("SWITCHBOARD_TOKEN", "").strip()
    if not token:
        raise RunnerError(
            "No token.",
            "Get one with `switchboard enroll` on the bot's machine, then use --token-file or SWITCHBOARD_TOKEN.",
        )
    return token


@main.command(hidden=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("--ready-fd", type=int)
def runner(folder: Path, ready_fd: int | None) -> None:
    """Run one session. Started by the host."""
    from runners.host import entry

    sys.exit(entry.run_runner(folder, ready_fd))


if __name__ == "__main__":
    main()
