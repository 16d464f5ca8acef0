"""``switchboard doctor``: looks at everything that must fit together and says how to fix what does not."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import aiohttp
from rich.console import Console

from bot.config import BotConfig, load
from bot.errors import ConfigError
from bot.slack.manifest import OPTIONAL_SCOPES, REQUIRED_SCOPES

if TYPE_CHECKING:
    from runners.host.probing import Finding as Probed

GIT_NEEDED = (2, 38)
"""``git merge-tree --write-tree`` came with 2.38."""
_MARKS = {"ok": "[green]✓[/]", "hint": "[yellow]•[/]", "bad": "[red]✗[/]"}


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``fix`` is empty where all is well."""

    state: Literal["ok", "hint", "bad"]
    what: str
    fix: str = ""


async def examine(env: Mapping[str, str], bot_url: str | None, host_config: Path | None) -> int:
    """Print every finding; the exit status is 1 if something must be fixed."""
    console = Console(highlight=False)
    bad = hints = 0
    async for finding in _findings(env, bot_url, host_config):
        console.print(f"{_MARKS[finding.state]} ", end="")
        console.print(finding.what, markup=False, soft_wrap=True)
        if finding.fix:
            console.print(f"    {finding.fix}", markup=False, style="dim", soft_wrap=True)
        bad += finding.state == "bad"
        hints += finding.state == "hint"
    if bad:
        console.print(f"\n{bad} to fix.")
    elif not env.get("SLACK_BOT_TOKEN"):
        console.print("\nReady for `switchboard up`. For a Slack workspace of your own, set what is missing above.")
    else:
        console.print("\nAll is well." if not hints else "\nNothing must be fixed; see the hints above.")
    return 1 if bad else 0


async def _findings(env: Mapping[str, str], bot_url: str | None, host_config: Path | None) -> AsyncIterator[Finding]:
    yield _git()
    for finding in await asyncio.to_thread(_host, host_config):
        yield finding
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http:
        async for finding in _slack(env, http):
            yield finding
        if bot_url:
            yield await _bot(http, bot_url)


def _git() -> Finding:
    if shutil.which("git") is None:
        return Finding("bad", "git: not found", "Install git 2.38 or newer.")
    text = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", text)
    if not found or (int(found[1]), int(found[2])) < GIT_NEEDED:
        return Finding("bad", f"git: {text.strip()}", "Install git 2.38 or newer: merges need its merge-tree.")
    return Finding("ok", text.strip().replace("git version", "git"))


def _host(host_config: Path | None) -> list[Finding]:
    """What this machine could host. Blocking: programs are asked for their versions."""
    # The other package, imported only here and only now: a bot alone need not hold it.
    from runners.config import load as load_host
    from runners.errors import RunnerError
    from runners.host.offers import describe
    from runners.host.probing import examine

    try:
        config = load_host(host_config)
    except RunnerError as err:
        return [Finding("bad", f"host configuration: {err}", "Correct the file and run this again.")]
    agents = [_agent(examine(agent, version=True)) for agent in config.agents.values()]
    repos = [
        Finding("ok", f"repository {repo.name}: base {repo.base}, share {repo.share}")
        if not repo.problem
        else Finding("bad", f"repository {repo.name}: cannot be used", repo.problem)
        for repo in describe(config).repos
    ]
    return agents + repos


def _agent(found: Probed) -> Finding:
    if found.problem:
        return Finding("hint", f"agent {found.name}: not usable", found.problem)
    login = f"If it asks for a login: {found.login}" if found.login else ""
    return Finding("ok", f"agent {found.name}: {found.title} {found.version}".rstrip(), login)


async def _slack(env: Mapping[str, str], http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    try:
        config = load(env)
    except ConfigError as err:
        for line in str(err).splitlines():
            what, _, fix = line.strip().partition(". ")
            yield Finding("hint" if not env.get("SLACK_BOT_TOKEN") else "bad", what, fix)
        if not env.get("SLACK_BOT_TOKEN"):
            yield Finding("hint", "Slack: not examined without tokens", "`switchboard up` needs none: try that first.")
        return
    yield Finding("ok", f"Slack: {'Socket Mode' if config.mode == 'socket' else 'HTTP mode'}")
    try:
        async with http.post(
            config.api_url + "auth.test", headers={"Authorization": f"Bearer {config.bot_token}"}
        ) as answer:
            body = await answer.json()
            scopes = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    except (aiohttp.ClientError, TimeoutError, ValueError) as err:
        yield Finding(
            "bad", f"Slack: {config.api_url} does not answer ({_why(err)})", "Check the network and SLACK_API_URL."
        )
        return
    if not body.get("ok"):
        yield Finding(
            "bad", f"SLACK_BOT_TOKEN: Slack says {body.get('error')}", "Copy it again from the app's settings."
        )
        return
    yield Finding("ok", f"SLACK_BOT_TOKEN: {body.get('user')} in {body.get('team')}")
    for finding in _scopes(scopes):
        yield finding
    if config.mode == "socket":
        yield await _app_token(http, config)


def _scopes(granted: set[str]) -> list[Finding]:
    reinstall = "Add it under OAuth & Permissions, then reinstall the app."
    missing = [
        Finding("bad", f"scope {scope}: missing", reinstall) for scope in REQUIRED_SCOPES if scope not in granted
    ]
    without = [
        Finding("hint", f"scope {scope}: not granted", f"Without it: {lost} {reinstall}")
        for scope, lost in OPTIONAL_SCOPES.items()
        if scope not in granted
    ]
    return (missing or [Finding("ok", "scopes: all required ones granted")]) + without


async def _app_token(http: aiohttp.ClientSession, config: BotConfig) -> Finding:
    try:
        async with http.post(
            config.api_url + "apps.connections.open", headers={"Authorization": f"Bearer {config.app_token}"}
        ) as answer:
            body = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as err:
        return Finding("bad", f"SLACK_APP_TOKEN: no answer ({_why(err)})", "Check the network.")
    if not body.get("ok"):
        return Finding(
            "bad",
            f"SLACK_APP_TOKEN: Slack says {body.get('error')}",
            "Make an app-level token with connections:write, and switch Socket Mode on.",
        )
    return Finding("ok", "SLACK_APP_TOKEN: Socket Mode can connect")


async def _bot(http: aiohttp.ClientSession, url: str) -> Finding:
    try:
        async with http.get(url.rstrip("/") + "/healthz") as answer:
            body = await answer.json()
    except (aiohttp.ClientError, TimeoutError, ValueError) as err:
        return Finding(
            "bad",
            f"bot: {url} does not answer ({_why(err)})",
            "Start it with `switchboard serve`, or check URL and firewall.",
        )
    if not body.get("ok"):
        return Finding(
            "bad", f"bot: runs, but Slack is {body.get('slack')}", "Its log says why; check the tokens above."
        )
    return Finding("ok", f"bot: {url} runs {body.get('version')}")


def _why(err: Exception) -> str:
    """In words: a library's own text for a failed connection is about its options, not about the network."""
    match err:
        case aiohttp.ClientConnectorDNSError():
            return f"no address is known for {err.host}"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its TLS certificate or connection cannot be trusted"
        case aiohttp.ClientConnectorError(os_error=OSError() as cause):
            return (os.strerror(cause.errno) if cause.errno and cause.errno > 0 else "no connection").lower()
        case TimeoutError():
            return "no answer within 10 s"
        case aiohttp.ContentTypeError() | ValueError():
            return "it answers with something else than JSON; is that the right address?"
        case _:
            return str(err) or type(err).__name__
