"""The command line: parses, then calls what does the work. Imports nothing heavy before it knows the command."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from importlib import import_module
from pathlib import Path

import click

from bot import __version__
from bot.errors import ConfigError, SwitchboardError

_ASKING = ("ask", "mcp")
_BY_HAND = ("attach", "detach", "adopt", "install", "uninstall")
_ELSEWHERE = {
    "host": "runners.cli:host",
    "runner": "runners.cli:runner",
    **{name: f"runners.attach.cli:{name}" for name in _BY_HAND},
    **{name: f"runners.ask.cli:{name}" for name in _ASKING},
}
"""Commands of the other package, imported only when called: a machine with the bot alone needs no agent libraries."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them."""
        return [
            "up",
            "link",
            "serve",
            "host",
            *_ASKING,
            *_BY_HAND,
            "enroll",
            "revoke",
            "sessions",
            "manifest",
            "doctor",
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        module, name = _ELSEWHERE[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="The running bot's data folder, as given to `switchboard up` or in SWITCHBOARD_DATA_DIR.",
)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="switchboard")
def cli() -> None:
    """Switchboard routes the questions and reviews of your coding-agent sessions through Slack.

    Try it without any account: switchboard up
    """


@cli.command(short_help="Try it: workspace, bot and host in one command.")
@click.option(
    "--repo",
    "repos",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    help="Your own repository; may be given several times. Its checkout is never touched, only worktrees are made. "
    "Default: a small sample repository.",
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    help="Where state, worktrees and logs live. Default: your platform's data folder.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False, resolve_path=True),
    help="A switchboard.toml for the host: repositories, agents, set-up and check commands.",
)
@click.option("--port", default=8765, show_default=True, help="Port of the workspace's page; 0 takes any free one.")
@click.option("--owner", default="", help="With a real workspace: your Slack member id (U…), who owns this machine.")
def up(repos: tuple[Path, ...], data_dir: Path | None, config: Path | None, port: int, owner: str) -> None:
    """Try it: an embedded workspace, the bot and a host, in one command.

    Open the printed link and type /session start. Ctrl-C stops everything; the next `up` goes on from there.
    With SLACK_BOT_TOKEN and SLACK_APP_TOKEN set, the bot and host run on your real workspace instead.
    """
    from bot.config import default_data_dir
    from bot.up.run import Options, run

    run(Options(data_dir or default_data_dir() / "up", repos, config, port, owner), os.environ)


@cli.command(short_help="Print another link to the workspace's page.")
@_data_dir
def link(data_dir: Path | None) -> None:
    """Print another one-time link to the page of the workspace that `switchboard up` runs.

    For a second browser, or when the first link was used up.
    """
    from bot.config import default_data_dir
    from bot.up.link import another

    click.echo(f"Open {asyncio.run(another(data_dir or default_data_dir() / 'up'))}")


@cli.command()
@click.option("--ready-fd", type=int, hidden=True)
@click.option("--lifeline-fd", type=int, hidden=True)
def serve(ready_fd: int | None, lifeline_fd: int | None) -> None:
    """Run the bot. Settings come from the environment; docs/configuration.md lists them.

    SLACK_BOT_TOKEN with SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode) are required.
    """
    from bot import app, log
    from bot.config import load

    config = load(os.environ)
    log.configure(config.log_level)
    asyncio.run(app.serve(config, ready_fd, lifeline_fd))


@cli.command(short_help="Print the Slack app manifest.")
@click.option("--http", "url", metavar="URL", help="For HTTP mode: the bot's public address, https://…")
@click.option("--command", default="/session", show_default=True, help="Another slash command, where it is taken.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of YAML.")
def manifest(url: str | None, command: str, as_json: bool) -> None:
    """Print the Slack app manifest: Socket Mode, or HTTP mode with --http."""
    from bot.config import slash_command
    from bot.slack.manifest import render

    try:
        command = slash_command(command)
    except ValueError as err:
        raise click.BadParameter(
            f"{err}. Write it like /sb: lower-case letters, digits, - and _.", param_hint="--command"
        ) from err
    if url is not None and not re.fullmatch(r"https://[^\s/]+(/\S*)?", url):
        raise click.BadParameter(f"{url!r} is not a public https:// address.", param_hint="--http")
    click.echo(render(command=command, http_url=url, as_json=as_json), nl=False)


@cli.command(short_help="Say what is missing, and how to fix it.")
@click.option("--bot", "bot_url", metavar="URL", help="A bot to reach as well, as `switchboard host --bot` would.")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="The host's switchboard.toml.")
def doctor(bot_url: str | None, config: Path | None) -> None:
    """Check tokens, scopes, git, agents and the bot, and say how to fix what is wrong."""
    from bot.doctor import examine

    sys.exit(asyncio.run(examine(os.environ, bot_url, config)))


@cli.command(short_help="Let a machine run sessions.")
@click.argument("name")
@click.option("--owner", required=True, metavar="U…", help="Slack member id of the person whose sessions run there.")
@click.option("--shared", is_flag=True, help="Everybody's sessions may run there, not only the owner's.")
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to write the host's token (mode 0600). Bring it to the machine that runs `switchboard host`.",
)
@_data_dir
def enroll(name: str, owner: str, shared: bool, token_file: Path, data_dir: Path | None) -> None:
    """Let a machine NAME run sessions: writes its token to a file. Run this next to the bot.

    Enrolling a machine anew replaces its token: the earlier one is refused from then on.
    """
    from bot.admin import enroll_host

    done = asyncio.run(enroll_host(os.environ, data_dir, name, owner, shared, token_file))
    if done.replaced:
        click.echo(f"{name} was enrolled before: its earlier token is refused from now on.")
    click.echo(
        f"Wrote the token of {name} to {token_file}. On that machine, with the bot's address as it is seen there:"
    )
    click.echo(f"  switchboard host --bot {done.url} --token-file {token_file} --repo PATH")
    if done.loopback:
        click.echo(
            f"{done.url} is of use on this machine alone, and `switchboard up` takes another port at each start."
        )
        click.echo("For another machine, give the bot an address with SWITCHBOARD_LISTEN: see docs/configuration.md.")


@cli.command(short_help="Let a machine in no more.")
@click.argument("name")
@_data_dir
def revoke(name: str, data_dir: Path | None) -> None:
    """End the connection of machine NAME and refuse its token from now on. Run this next to the bot.

    Its sessions keep their own credentials, so that they can still be stopped or finished.
    """
    from bot.admin import revoke_host

    asyncio.run(revoke_host(os.environ, data_dir, name))
    click.echo(f"{name} is let in no more. `switchboard enroll {name}` gives it a new token.")


@cli.command(short_help="List the open sessions.")
@_data_dir
@click.option("--json", "as_json", is_flag=True, help="JSON, for scripts.")
def sessions(data_dir: Path | None, as_json: bool) -> None:
    """List the open sessions of the bot that runs on this machine."""
    from bot.admin import print_sessions

    asyncio.run(print_sessions(os.environ, data_dir, as_json))


def main() -> None:
    """Entry point: known errors become one clear message and exit status 2, never a traceback."""
    try:
        cli(standalone_mode=True)
    except KeyboardInterrupt:
        sys.exit(130)
    except ConfigError as err:
        click.echo(f"switchboard: the configuration cannot be used:\n{err}", err=True)
        sys.exit(2)
    except SwitchboardError as err:
        click.echo(f"switchboard: {err}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
