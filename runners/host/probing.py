"""Is an agent usable on this machine: found, new enough. Blocking, and bounded in time."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from runners.agent_config import AgentConfig
from runners.agents.profiles import PROFILES, Version
from runners.agents.registry import program

PATIENCE = 10.0
"""Seconds for a program to print its version; those written for Node take one or two."""
_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_seen: dict[tuple[str, float, tuple[str, ...]], str] = {}
"""Versions by program and the time it was changed: a host looks again and again."""


@dataclass(frozen=True)
class Finding:
    """What is known of one agent here. ``problem`` says what to do about it; empty: usable."""

    name: str
    title: str
    problem: str = ""
    version: str = ""
    """Only looked for where it matters, or where somebody wants to read it."""
    login: str = ""


def examine(agent: AgentConfig, *, version: bool = False, patience: float = PATIENCE) -> Finding:
    """``version``: ask for it even where any will do."""
    title = agent.title or agent.name
    if not agent.command:
        return Finding(agent.name, title, "It has no command. Give it one in switchboard.toml.")
    found = program(agent.adapter, agent.command)
    if not found:
        return Finding(agent.name, title, _missing(agent), login=agent.login)
    profile = PROFILES.get(agent.profile)
    ask = profile.version if profile and agent.command[:1] == profile.command[:1] else ()
    told = _version(found, ask, patience) if ask and (version or agent.least) else ""
    return Finding(agent.name, title, _too_old(agent, told), told, agent.login)


def _missing(agent: AgentConfig) -> str:
    fix = f"{agent.install}." if agent.install else "Install it, or correct switchboard.toml."
    return f"The command “{agent.command[0]}” was not found on this machine. {fix.replace('..', '.')}"


def _too_old(agent: AgentConfig, told: str) -> str:
    found = parsed(told)
    if not found or found >= agent.least:
        return ""
    least = ".".join(map(str, agent.least))
    return f"{agent.title or agent.name} {told} is too old; {least} or newer is needed. {agent.install}".strip()


def parsed(words: str) -> Version:
    """The first version in these words; empty: there is none."""
    found = _VERSION.search(words)
    return tuple(int(part) for part in found.groups(default="0")) if found else ()


def _version(path: str, arguments: tuple[str, ...], patience: float) -> str:
    try:
        key = (path, Path(path).stat().st_mtime, arguments)
        if key not in _seen:
            _seen[key] = _asked(path, arguments, patience)
    except OSError:
        return ""
    return _seen[key]


def _asked(path: str, arguments: tuple[str, ...], patience: float) -> str:
    """What it prints, as a version; empty where it prints none in time."""
    try:
        ran = subprocess.run(
            [shutil.which(path) or path, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=patience,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return ""
    return ".".join(map(str, parsed(ran.stdout.decode("utf-8", "replace"))))
