"""The verbs for sessions that people run by hand: attach, detach, adopt, install, uninstall."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
ANSWER_WITHIN = 15.0
"""Seconds the bot gets to take a session."""

_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="The host's data folder, if it is not the usual one. Or set SWITCHBOARD_HOST_DATA.",
)


def _clearly(function: F) -> F:
    """Known errors become one clear message."""

    @wraps(function)
    def call(*args: Any, **more: Any) -> Any:
        from runners.errors import RunnerError, disk_problem

        try:
            return function(*args, **more)
        except (RunnerError, OSError) as problem:
            err = problem if isinstance(problem, RunnerError) else disk_problem(problem, "try again")
            name = click.get_current_context().info_name
            click.echo(f"switchboard {name}: {err}", err=True)
            sys.exit(1)

    return call  # type: ignore[return-value]


def _here() -> str:
    """Raises RunnerError."""
    from runners.errors import RunnerError

    try:
        return os.getcwd()
    except OSError as err:
        raise RunnerError("This folder is no longer there.", "Change to one that is.") from err


def _asked(data: Path, verb: str, **more: Any) -> dict[str, Any]:
    """The host's reply. Raises RunnerError with its words where it says no."""
    from runners.attach.control import Request, call
    from runners.errors import RunnerError

    reply = call(data, Request(verb, worktree=_here(), **more))
    if not reply.get("ok"):
        raise RunnerError(str(reply.get("problem", "")), str(reply.get("fix", "")))
    return reply


@click.command(
    short_help="Put a session that you run in a terminal on the board.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@_data_dir
@click.option("--title", default="", help="What it is about, in a line. [default: its first prompt]")
@click.option("--list", "listed", is_flag=True, help="Show the hand-run sessions that are on the board.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@_clearly
def attach(data_dir: Path | None, title: str, listed: bool, command: tuple[str, ...]) -> None:
    """Put a session that you run in a terminal on the board.

    Its questions and permissions then come to Slack as well as to the terminal. Whoever answers first wins, the other
    copy closes. Nothing is written into the worktree, and the terminal stays as it is.

    \b
    Run it in a worktree (or the main checkout) of a repository that your host knows:
      switchboard attach -- claude            start Claude Code, on the board
      switchboard attach -- claude --resume   any of its options may follow
      switchboard attach -- codex             start Codex, on the board
      switchboard attach                      a Codex that runs here already; for Claude Code, what to type
    """
    from runners.attach import control

    if command:
        _wrapped(data_dir, title, command)
        return
    data = control.living(data_dir, os.environ)
    if listed:
        _list(_asked(data, "list")["sessions"])
    else:
        _attach_running(data, title)


def _wrapped(data_dir: Path | None, title: str, command: tuple[str, ...]) -> None:
    """Whatever is wrong on our side, the agent starts: it is what the person wants."""
    from runners.attach import control, wrapper
    from runners.errors import RunnerError

    argv = list(command)
    try:
        data = control.living(data_dir, os.environ)
        reply = _asked(data, "look")
        if not reply.get("connected"):
            click.echo("switchboard attach: the bot is not connected; this session comes on the board later.", err=True)
        if wrapper.agent_of(argv) == "claude":
            argv = wrapper.with_settings(argv, data)
        else:
            _asked(data, "attach", agent="codex", title=title, pid=os.getpid(), home=_codex_home(), force=True)
    except RunnerError as err:
        click.echo(f"switchboard attach: {err}\nIt starts all the same, without the board.", err=True)
    found = shutil.which(argv[0])
    if found is None:
        click.echo(f"switchboard attach: “{argv[0]}” was not found. Install it, or give its path.", err=True)
        sys.exit(127)
    os.environ.pop("SWITCHBOARD_TOKEN", None)
    sys.stdout.flush()
    if title:
        os.environ["SWITCHBOARD_TITLE"] = title
    os.execv(found, argv)  # noqa: S606  (no shell, on purpose)


def _attach_running(data: Path, title: str) -> None:
    from runners.attach import control, wrapper

    _asked(data, "look")
    home = Path(_codex_home() or Path.home() / ".codex")
    if (home / control.CODEX_SOCKET).exists():
        reply = _asked(data, "attach", agent="codex", title=title, home=str(home), wait=ANSWER_WITHIN, force=True)
        click.echo(f"On the board as “{reply['name']}”: the Codex session of this worktree.")
        return
    settings = wrapper.settings_for(data)
    click.echo(
        "Start Claude Code here like this, and it is on the board:\n"
        f"  switchboard attach -- claude\nor, which is the same:\n  claude --settings {settings}\n"
        "One that runs already: leave it with /exit, and add --resume to either line.\n"
        "For every claude in every known repository: switchboard install"
    )


def _codex_home() -> str:
    return os.environ.get("CODEX_HOME", "")


def _list(sessions: list[dict[str, Any]]) -> None:
    if not sessions:
        click.echo("No hand-run session is on the board. Start one: switchboard attach -- claude")
    for each in sessions:
        what = "waits for the bot" if each.get("asked") else each.get("name", "")
        where = "under a runner" if each.get("adapter") not in (None, "attach") else "in a terminal"
        click.echo(f"{what}  {each.get('agent', '')} {where}  {each['worktree']}")


@click.command(short_help="Take a hand-run session off the board.")
@_data_dir
@_clearly
def detach(data_dir: Path | None) -> None:
    """Take the hand-run session of this worktree off the board.

    Its terminal goes on as before. Open questions are closed in Slack and stay in the terminal; nothing is left in the
    worktree.
    """
    from runners.attach import control

    reply = _asked(control.living(data_dir, os.environ), "detach")
    click.echo(f"Off the board: {reply['worktree']}. The terminal goes on as before.")


@click.command(short_help="Move a hand-run session under a runner, or back.")
@_data_dir
@click.option("--back", is_flag=True, help="Return it to this terminal.")
@click.option("--print", "printed", is_flag=True, help="With --back: print the line to type instead of starting it.")
@_clearly
def adopt(data_dir: Path | None, back: bool, printed: bool) -> None:
    """Move the hand-run Claude Code session of this worktree under a runner: the same session, without its terminal.

    Its terminal ends cleanly, and the session goes on in its thread, where it then takes prompts, pauses and resets
    like any other. With --back it returns: the runner lets go, and Claude Code resumes the session in this terminal.
    """
    from runners.attach import control, moving, wrapper

    data = control.living(data_dir, os.environ)
    if not back:
        reply = _asked(data, "adopt", wait=60.0)
        click.echo(
            f"“{reply['name']}” runs under a runner now; go on in its thread. switchboard adopt --back returns it."
        )
        return
    reply = _asked(data, "back", wait=60.0)
    settings = wrapper.settings_for(data)
    found = shutil.which(reply["argv"][0])
    if printed or not sys.stdin.isatty() or found is None:
        click.echo(moving.resume_line(reply, settings))
        return
    if reply["home"]:
        os.environ["CLAUDE_CONFIG_DIR"] = reply["home"]
    os.chdir(reply["worktree"])
    os.execv(found, [*reply["argv"], "--settings", str(settings)])  # noqa: S606


@click.command(short_help="Have every claude in a known repository appear by itself.")
@_data_dir
@click.option("--yes", is_flag=True, help="Do not ask.")
@_clearly
def install(data_dir: Path | None, yes: bool) -> None:
    """Have every claude that you start in a known repository appear on the board by itself.

    Adds hooks to your own settings of Claude Code (~/.claude/settings.json), after showing them and asking once. They
    do nothing in other folders, and nothing while no host runs. `switchboard uninstall` puts the file back as it was.
    """
    from runners.attach import control
    from runners.attach import install as installing

    try:
        data = control.living(data_dir, os.environ)
    except control.NoHost:
        data = control.data_dirs(data_dir, os.environ)[0]
    planned = installing.plan(installing.settings_file(os.environ), data)
    if planned.nothing:
        click.echo(f"{planned.path} has the hooks already.")
        return
    click.echo(f"This is what would be written to {planned.path}:\n\n{planned.diff()}\n")
    if not yes and not click.confirm("Write it?"):
        click.echo("Nothing was written.")
        sys.exit(1)
    installing.install(planned, installing.notes_folder(os.environ))
    click.echo("Done. Every claude started from now on in a known repository appears by itself.")


@click.command(short_help="Take the hooks of `install` out again.")
@_clearly
def uninstall() -> None:
    """Put your settings of Claude Code back as they were before `switchboard install`, byte for byte.

    If you have edited the file since, only Switchboard's hooks are taken out.
    """
    from runners.attach import install as installing

    click.echo(installing.uninstall(installing.settings_file(os.environ), installing.notes_folder(os.environ)))
