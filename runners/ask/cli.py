"""``switchboard ask`` for scripts, Makefiles and CI, and ``switchboard mcp`` for agents that speak no HTTP."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

ANSWERED, OTHERWISE, USAGE, OPEN, CLOSED, NOBODY, STOPPED = 0, 1, 2, 3, 4, 5, 130

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The host's data folder, if it is not the usual one. Or set SWITCHBOARD_HOST_DATA.",
)


@click.command(short_help="Ask a person, and print the answer.")
@click.argument("question")
@click.option("-o", "--option", "options", multiple=True, metavar="TEXT", help="An answer to choose; once for each.")
@click.option("--recommend", metavar="TEXT", help="Mark one of the options as recommended.")
@click.option("--multiple", is_flag=True, help="Several options may be chosen; each is printed on a line.")
@click.option("--text", "words", is_flag=True, help="Words of one's own are an answer too. Without options they are.")
@click.option("--default", metavar="TEXT", help="Go on with this if nobody objects within --within.")
@click.option("--within", metavar="TIME", help="How long somebody may answer, as 90s, 30m, 2h or 1d.")
@click.option("--context", metavar="TEXT", help="What decides it. - reads it from standard input.")
@click.option("--wait/--no-wait", default=True, help="Wait for the answer, or post the question and go on at once.")
@click.option("--park", metavar="TIME", help="Wait so long, then leave the question open and end with status 3.")
@click.option("--id", "name", metavar="NAME", help="The question's own name: asked again, it is the same for good.")
@click.option("--expect", metavar="TEXT", help="End with status 1 unless this is the answer.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@_data_dir
@click.pass_context
def ask(ctx: click.Context, /, **given: Any) -> None:
    """Ask the person who owns this work, and print the answer: nothing else goes to standard output.

    Inside a Switchboard session the question belongs to that session. Elsewhere the host of this machine puts the
    script on the board, for the repository it stands in.

    \b
    Examples:
      switchboard ask "Deploy to production?" -o yes -o no --expect yes && make deploy
      region=$(switchboard ask "Which region?" -o eu -o us --default eu --within 30m)
      git diff --stat | switchboard ask "Release notes?" --context -

    Without --within it waits as long as it takes. With --within alone it gives up then; with --default as well it
    goes on with the default, and any other answer before that counts. With --default and --no-wait the default is
    printed at once, and an objection reaches the session's agent as a correction.

    Ctrl-C withdraws the question. Killed, or ended by --park, it stays open: run the same command again and it waits
    on, or prints the answer that came meanwhile.

    \b
    Exit status:
      0    answered, or went on with the default
      1    answered, but not as --expect says
      2    the question cannot be asked like this
      3    posted, no answer yet (--no-wait, --park): run the same command again
      4    closed without an answer: its time was over, or the session ended
      5    nobody can be asked from here
      130  Ctrl-C: the question is withdrawn
    """
    from runners.ask.script import Wanted, run

    ctx.exit(run(Wanted(**given), os.environ, Path.cwd()))


@click.command(short_help="The tool ask_human, for agents that speak MCP over standard input.")
@click.option(
    "--wait", type=float, metavar="SECONDS", help="How long this agent lets a tool run. [default: by its name]"
)
@_data_dir
def mcp(wait: float | None, data_dir: Path | None) -> None:
    """Serve the tool ask_human to an agent over standard input and output (MCP).

    For agents that cannot speak MCP over HTTP, and for those you run by hand. Sessions that Switchboard starts have
    the tool already.

    \b
    In an agent's configuration:
      {"mcpServers": {"switchboard": {"command": "switchboard", "args": ["mcp"]}}}
    """
    from runners.ask.shim import serve

    serve(sys.stdin.buffer, sys.stdout.buffer, os.environ, Path.cwd(), data_dir, wait)
