"""Runs workspace, bot and host as children of one command, in order, and stops them in the reverse one."""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from bot import admin
from bot.errors import ConfigError, SwitchboardError
from bot.files import write_secret
from bot.slack.manifest import manifest
from bot.up import sample
from bot.up.children import Child, child
from bot.up.link import command

HOST = "this-machine"
DEFAULT_PORT = 8765
HOST_GRACE = 25.0
"""Seconds for the host to pause its runners, each of which ends an agent first; killed earlier it would leave them."""


class RunsAlready(SwitchboardError):
    """Another `up` holds the data folder."""


@dataclass(frozen=True)
class Options:
    """What the command line said. ``port`` is the workspace page's; 0 takes any free one."""

    data_dir: Path
    repos: tuple[Path, ...] = ()
    config: Path | None = None
    port: int = DEFAULT_PORT
    owner: str = ""


def run(options: Options, env: Mapping[str, str]) -> None:
    """Blocks until Ctrl-C. Raises ConfigError for options that cannot work, ChildFailed when a part dies."""
    try:
        options.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        (options.data_dir / "up.lock").touch()
    except OSError as err:
        raise ConfigError(
            f"  --data-dir: {options.data_dir} cannot be written ({err.strerror}). Name a folder of your own."
        ) from err
    with _alone(options.data_dir):
        if not env.get("SLACK_BOT_TOKEN"):
            _free(options.port)
        asyncio.run(_run(options, env))


def _free(port: int) -> None:
    """Raises ConfigError where the page's port is taken; the workspace itself would only end with its log."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise ConfigError(f"  --port: {port} is taken on this machine. Take any free one with --port 0.") from None


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    with (data_dir / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunsAlready(
                f"`switchboard up` runs already with data in {data_dir}: `{command('link', data_dir)}` prints a link "
                "to its page. For a second one, give it a folder of its own: --data-dir."
            ) from None
        yield


async def _run(options: Options, env: Mapping[str, str]) -> None:
    say = Console(highlight=False)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signum, stop.set)
    real = bool(env.get("SLACK_BOT_TOKEN"))
    async with AsyncExitStack() as stack:
        parts: list[Child] = []
        with say.status("Starting…"):
            await _start(options, env, real, stack, parts)
        _welcome(say, options, parts[0].ready, real)
        await _problems(say, options)
        died = await _until_stopped(stop, parts)
        if died is not None:
            raise await died.ended("by itself")
        say.print("\nStopping: sessions are paused, their worktrees and questions stay.")
    say.print("Stopped. The same command goes on where this one left off.")


async def _start(
    options: Options, env: Mapping[str, str], real: bool, stack: AsyncExitStack, parts: list[Child]
) -> None:
    data, logs = options.data_dir, options.data_dir / "logs"
    logs.mkdir(exist_ok=True, mode=0o700)
    # Slack's tokens are the bot's alone: agents run below the host.
    base = {key: value for key, value in env.items() if not key.startswith("SLACK_")} | {"PYTHONUNBUFFERED": "1"}
    bot_env = {"SWITCHBOARD_LISTEN": _listen(env, real), **env, **base, "SWITCHBOARD_DATA_DIR": str(data / "bot")}
    owner = options.owner or env.get("SWITCHBOARD_ADMINS", "").split(",")[0].strip()
    if real:
        if not owner:
            raise ConfigError(
                "  --owner: not set. With a real workspace, say whose machine this is: "
                "--owner U0123ABC (your member id, from your Slack profile)."
            )
    else:
        workspace = await stack.enter_async_context(_workspace(options, base, logs))
        parts.append(workspace)
        owner = owner or next(iter(workspace.ready["people"].values()))
        bot_env |= _workspace_env(workspace.ready, owner)
    bot = await stack.enter_async_context(
        child("The bot", [sys.executable, "-m", "bot.cli", "serve"], logs / "bot.log", bot_env)
    )
    parts.append(bot)
    token_file = await _enrolled(data, owner, bot.ready["url"])
    argv = [sys.executable, "-m", "runners.cli", "host", "--bot", bot.ready["url"], "--token-file", str(token_file)]
    argv += ["--data-dir", str(data / "host"), "--config", str(_host_config(options)), "--stop-runners-on-exit"]
    argv += [] if real else ["--share", "full"]
    for repo in options.repos:
        argv += ["--repo", str(repo)]
    parts.append(await stack.enter_async_context(child("The host", argv, logs / "host.log", base, grace=HOST_GRACE)))


def _listen(env: Mapping[str, str], real: bool) -> str:
    """Any free port, unless Slack must find the bot: in HTTP mode it keeps its well-known one."""
    http_mode = real and not env.get("SLACK_APP_TOKEN")
    return "127.0.0.1:8787" if http_mode else "127.0.0.1:0"


def _workspace(options: Options, env: Mapping[str, str], logs: Path) -> Any:
    manifest_file = options.data_dir / "manifest.json"
    manifest_file.write_text(json.dumps(manifest()))
    argv = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(options.data_dir / "workspace")]
    argv += ["--port", str(options.port), "--manifest", str(manifest_file)]
    return child("The embedded workspace", argv, logs / "workspace.log", env)


def _workspace_env(ready: Mapping[str, Any], owner: str) -> dict[str, str]:
    return {
        "SLACK_BOT_TOKEN": ready["bot_token"],
        "SLACK_APP_TOKEN": ready["app_token"],
        "SLACK_API_URL": ready["api"],
        "SWITCHBOARD_CHANNEL": "sessions",
        "SWITCHBOARD_ADMINS": owner,
    }


async def _enrolled(data: Path, owner: str, bot_url: str) -> Path:
    """The file with the host's token; made at the first start, and anew where the bot accepts it no more (`revoke`)."""
    path = data / "host.token"
    if path.exists() and await admin.accepted(bot_url, path.read_text("utf-8").strip()):
        return path
    try:
        reply = await admin.call(data / "bot", "POST", "/admin/hosts", {"name": HOST, "owner": owner})
    except admin.BotRefused as err:
        raise ConfigError(f"  --owner: {err}") from err
    write_secret(path, reply["token"])
    return path


def _host_config(options: Options) -> Path:
    """The host's configuration: the person's own, or one that is kept in the data folder."""
    if options.config:
        return options.config
    path = options.data_dir / "switchboard.toml"
    if options.repos:
        path = options.data_dir / "switchboard.own.toml"
        path.touch()
        return path
    repo = sample.ensure(options.data_dir)
    path.write_text(
        "# Made anew by `switchboard up`. Give your own with --config.\n"
        f"[repos.{sample.NAME}]\n"
        f"path = {json.dumps(str(repo))}\n"
        'base = "main"\n'
        'channel = "sessions"\n'
        'checks = [["python3", "-m", "unittest", "-q"]]\n'
        'agent = "demo"\n'
        'share = "full"\n'
    )
    return path


def _welcome(say: Console, options: Options, ready: Mapping[str, Any], real: bool) -> None:
    if real:
        say.print("[bold]Switchboard is on your workspace.[/] Type [bold]/session start[/] in Slack.")
    else:
        # soft_wrap: a link that is cut at the terminal's edge cannot be clicked.
        say.print(f"Open {ready['open']}", soft_wrap=True)
        say.print("Then type [bold]/session start[/] in #sessions.")
        another = command("link", options.data_dir)
        say.print(f"The link works once; that browser stays signed in. `{another}` prints another.", soft_wrap=True)
    repos = ", ".join(str(repo) for repo in options.repos) or (options.config and str(options.config)) or "a sample"
    say.print(f"Repository: {repos} · State and logs: {options.data_dir} · Ctrl-C stops", soft_wrap=True)


async def _problems(say: Console, options: Options) -> None:
    """What the host cannot use, told here: in Slack one would only meet it at the first start."""
    hosts = (await admin.call(options.data_dir / "bot", "GET", "/admin/hosts"))["hosts"]
    for host in hosts:
        offers = [(f"Repository {repo['name']}", repo["problem"]) for repo in host["repos"]]
        offers += [(f"Agent {agent['name']}", agent["problem"]) for agent in host["agents"]]
        for what, problem in offers:
            if problem:
                say.print(f"[yellow]![/] {what} cannot be used: ", end="")
                say.print(problem, markup=False, soft_wrap=True)


async def _until_stopped(stop: asyncio.Event, parts: list[Child]) -> Child | None:
    """Waits for the signal, or returns the first part that ended by itself."""
    async with asyncio.TaskGroup() as tasks:
        signalled = tasks.create_task(stop.wait(), name="stop")
        ends = {tasks.create_task(part.process.wait(), name=part.name): part for part in parts}
        done, pending = await asyncio.wait({signalled, *ends}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
    return next((ends[task] for task in done if task in ends), None) if signalled not in done else None
