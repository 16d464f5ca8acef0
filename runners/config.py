"""``switchboard.toml`` and the host's options, made into one frozen object. All problems are reported together."""

from __future__ import annotations

import os.path
import re
import shlex
import tomllib
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.wire.types import Share
from runners.agent_config import AGENT_KEYS, read_agent, with_found
from runners.agent_config import AgentConfig as AgentConfig
from runners.agents.profiles import Profile
from runners.agents.registry import DEMO, DEMO_ARGV, installed
from runners.errors import ConfigProblems

Argv = tuple[str, ...]


@dataclass(frozen=True)
class RepoConfig:
    """A repository that sessions may be opened on."""

    name: str
    path: Path
    base: str = ""
    """Empty: the branch checked out in the repository when a session starts."""
    setup: tuple[Argv, ...] = ()
    checks: tuple[Argv, ...] = ()
    copy: tuple[str, ...] = ()
    ports: int = 0
    channel: str = ""
    agent: str = ""
    scope: tuple[str, ...] = ()
    share: Share = Share.STAT
    setup_timeout: float = 600.0
    check_timeout: float = 600.0
    fast_forward: bool = False
    """Bring a merge into the base branch's checkout when that is clean."""
    preamble: str = ""
    """What its sessions are told besides our own rules."""
    preamble_file: Path | None = None
    """Where that stands instead; read when a session is opened."""
    questions_first: bool = True
    """The first turn only reads, then asks everything at once."""
    budget: float | None = None
    """US dollars a session of it may spend before it rests and asks, where the session names no other."""


@dataclass(frozen=True)
class HostConfig:
    """Everything a host knows of its machine."""

    name: str = ""
    """Empty: whatever the token stands for."""
    worktrees: Path | None = None
    report_every: float = 5.0
    first_port: int = 20000
    agent: str = "demo"
    """For repositories that name none."""
    agents: Mapping[str, AgentConfig] = field(default_factory=dict)
    repos: Mapping[str, RepoConfig] = field(default_factory=dict)


DEFAULT = "switchboard.toml"
MOST_PREAMBLE = 8000
DEMO_AGENT = AgentConfig(DEMO, DEMO_ARGV, title="Demo agent")
_HOST_KEYS = {"name", "worktrees", "report_every", "first_port", "agent"}
_AGENT_KEYS = AGENT_KEYS
_REPO_KEYS = {
    "path", "base", "setup", "checks", "copy", "ports", "channel", "agent", "scope", "share",
    "setup_timeout", "check_timeout", "fast_forward", "preamble", "preamble_file", "questions_first", "budget",
}  # fmt: skip


_NAME = re.compile(r"(?![-.\s])[^\x00-\x1f\x7f/\\]{1,100}(?<!\s)")
"""A repository's: it names a folder of worktrees, and people type it."""
_MOST = 1e7
"""Of any amount: four months in seconds, more dollars than anybody lets a session spend."""


def read_config(path: Path) -> tuple[dict[str, Any], str]:
    """The file's tables and its name for messages. No file: nothing. Raises ConfigProblems."""
    if not path.exists():
        return {}, str(path)
    try:
        return tomllib.loads(path.read_text("utf-8")), str(path)
    except RecursionError as err:
        raise ConfigProblems([f"{path}: not a TOML file: its lists are nested too deep"]) from err
    except ValueError as err:  # of the reader, of UTF-8, and of numbers and days that Python does not hold
        raise ConfigProblems([f"{path}: not a TOML file: {err}"]) from err
    except OSError as err:
        raise ConfigProblems([f"{path}: cannot be read: {err.strerror}"]) from err


def load(path: Path | None, *, repos: Sequence[Path] = (), share: Share = Share.STAT) -> HostConfig:
    """The configuration in a file; without a path, in ./switchboard.toml if that exists. Raises ConfigProblems."""
    if path is not None and not path.exists():
        raise ConfigProblems([f"{path}: does not exist"])
    path = path or Path(DEFAULT)
    tables, source = read_config(path)
    folder = path.absolute().parent
    return host_config(
        tables, source, folder=folder, repos=repos, share=share, found=installed(), is_folder=os.path.isdir
    )


def host_config(
    tables: Mapping[str, Any],
    source: str,
    *,
    folder: Path,
    demo: AgentConfig = DEMO_AGENT,
    repos: Sequence[Path] = (),
    share: Share = Share.STAT,
    found: Sequence[Profile] = (),
    is_folder: Callable[[Path], bool] = lambda _: True,
) -> HostConfig:
    """A pure function. ``folder`` is what relative paths start from, ``share`` the default for repos, ``found`` the
    profiles of what is installed here. A repository that is not there (``is_folder``) is told beside other problems;
    alone it is none: its disk may come back."""
    reader = _Reader(source)
    reader.unknown("", tables, {"host", "agents", "repos"})
    host = reader.table("host", tables.get("host", {}), _HOST_KEYS)
    configured = {
        name: read_agent(reader, name, table) for name, table in reader.tables("agents", tables.get("agents", {}))
    }
    agents = with_found({demo.name: demo} | configured, found)
    described = {
        name: reader.repo(name, table, folder, share) for name, table in reader.tables("repos", tables.get("repos", {}))
    }
    for path in repos:
        _add_named_by_folder(described, path, share, reader)
    worktrees = reader.text("host", host, "worktrees")
    config = HostConfig(
        name=reader.text("host", host, "name"),
        worktrees=reader.path("host.worktrees", folder, worktrees) if worktrees else None,
        report_every=reader.number("host", host, "report_every", 5.0, least=0.05),
        first_port=int(reader.number("host", host, "first_port", 20000, least=1024, most=60000)),
        agent=reader.text("host", host, "agent") or demo.name,
        agents=agents,
        repos=described,
    )
    _check_agents(config, reader)
    if reader.problems:
        for repo in config.repos.values():
            if not is_folder(repo.path):
                reader.say(f"repos.{repo.name}.path", f"{repo.path} is no folder here")
        raise ConfigProblems(reader.problems)
    return config


def _add_named_by_folder(found: dict[str, RepoConfig], path: Path, share: Share, reader: _Reader) -> None:
    full = path.expanduser().absolute()
    for repo in found.values():
        if repo.path == full:
            return  # the file says more about it
    name = full.name.removesuffix(".git")
    if not _NAME.fullmatch(name):
        reader.problems.append(f"--repo {path}: {name!r} is no name for a repository; describe it in {reader.source}")
        return
    if name in found:
        reader.problems.append(
            f"--repo {path}: [repos.{name}] in {reader.source} is another folder; give one a new name"
        )
        return
    found[name] = RepoConfig(name=name, path=full, share=share)


def _check_agents(config: HostConfig, reader: _Reader) -> None:
    known = ", ".join(sorted(config.agents))
    wanted = [("host.agent", config.agent)]
    wanted += [(f"repos.{repo.name}.agent", repo.agent) for repo in config.repos.values() if repo.agent]
    for key, name in wanted:
        if name not in config.agents:
            reader.say(key, f"there is no agent {name!r}; known: {known}. Add [agents.{name}] with its command")


class _Reader:
    """Reads values by key and collects what is wrong with them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.problems: list[str] = []

    def say(self, key: str, problem: str) -> None:
        self.problems.append(f"{self.source}: {key}: {problem}")

    def unknown(self, prefix: str, table: Mapping[str, Any], known: set[str]) -> None:
        for key in table.keys() - known:
            self.say(f"{prefix}.{key}".lstrip("."), f"unknown key; known here: {', '.join(sorted(known))}")

    def table(self, key: str, value: object, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self.say(key, "must be a table")
            return {}
        self.unknown(key, value, known)
        return value

    def tables(self, key: str, value: object) -> list[tuple[str, Any]]:
        if isinstance(value, dict):
            return list(value.items())
        self.say(key, f"must be tables, as [{key}.NAME]")
        return []

    def text(self, prefix: str, table: Mapping[str, Any], key: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self.say(f"{prefix}.{key}", "must be a string")
            return ""
        if any(unicodedata.category(c) == "Cc" and c not in "\n\r\t" for c in value):
            self.say(f"{prefix}.{key}", "has control characters in it")
            return ""
        return value

    def path(self, key: str, folder: Path, text: str) -> Path:
        try:
            return (folder / Path(text).expanduser()).absolute()
        except RuntimeError:
            self.say(key, f"{text}: there is no such user on this machine")
            return folder

    def number(
        self, prefix: str, table: Mapping[str, Any], key: str, default: float, least: float, most: float = _MOST
    ) -> float:
        value = table.get(key, default)
        if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.say(f"{prefix}.{key}", f"must be a number from {least:g} to {most:.0f}")
        return default

    def strings(self, prefix: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = table.get(key, [])
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            if not any("\0" in item for item in value):
                return tuple(value)
            self.say(f"{prefix}.{key}", "has a NUL character in it")
            return ()
        self.say(f"{prefix}.{key}", "must be a list of strings")
        return ()

    def argv(self, key: str, value: object) -> Argv:
        """A list of strings as it is, a string split as a shell would; never run by a shell."""
        if isinstance(value, str):
            try:
                value = shlex.split(value)
            except ValueError as err:
                self.say(key, f"cannot be split into words: {err}")
                return ()
        if isinstance(value, list) and value and all(isinstance(item, str) for item in value) and value[0]:
            if not any("\0" in item for item in value):
                return tuple(value)
            self.say(key, "has a NUL character in it, which no program can be given")
            return ()
        self.say(key, 'must be a command, as ["program", "argument"] or "program argument"')
        return ()

    def commands(self, prefix: str, table: Mapping[str, Any], key: str) -> tuple[Argv, ...]:
        """One command as a string, or a list whose items are strings (each a command) or lists."""
        value = table.get(key, [])
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self.say(f"{prefix}.{key}", "must be a command or a list of commands")
            return ()
        return tuple(self.argv(f"{prefix}.{key}", item) for item in value)

    def repo(self, name: str, value: object, folder: Path, share: Share) -> RepoConfig:
        key = f"repos.{name}"
        table = self.table(key, value, _REPO_KEYS)
        if not _NAME.fullmatch(name):
            self.say(
                "repos",
                f"{name!r} is no name for a repository: no slashes, no leading “-” or “.”, 1 to 100 characters",
            )
        path = self.text(key, table, "path")
        if not path:
            self.say(f"{key}.path", "is missing: the folder of the repository")
        repo = RepoConfig(
            name=name,
            path=self.path(f"{key}.path", folder, path),
            base=self.text(key, table, "base"),
            setup=self.commands(key, table, "setup"),
            checks=self.commands(key, table, "checks"),
            copy=self.strings(key, table, "copy"),
            ports=int(self.number(key, table, "ports", 0, least=0)),
            channel=self.text(key, table, "channel"),
            agent=self.text(key, table, "agent"),
            scope=self.strings(key, table, "scope"),
            share=share,
            setup_timeout=self.number(key, table, "setup_timeout", 600.0, least=0.1),
            check_timeout=self.number(key, table, "check_timeout", 600.0, least=0.1),
            fast_forward=self._flag(key, table, "fast_forward"),
            preamble=self.text(key, table, "preamble"),
            questions_first=self._flag(key, table, "questions_first", default=True),
            budget=self.number(key, table, "budget", 0.0, least=0.01) if "budget" in table else None,
        )
        if repo.base.startswith("-") or any(c.isspace() for c in repo.base):
            self.say(f"{key}.base", f"{repo.base!r} cannot be the name of a branch")
        for copied in repo.copy:
            if Path(copied).is_absolute() or ".." in Path(copied).parts:
                self.say(f"{key}.copy", f"{copied!r} must be a path inside the repository")
        if repo.ports > 1000:
            self.say(f"{key}.ports", "at most 1000 for each worktree")
        file = self.text(key, table, "preamble_file")
        if file and repo.preamble:
            self.say(f"{key}.preamble_file", "stands beside preamble; keep one of them")
        if len(repo.preamble) > MOST_PREAMBLE:
            self.say(f"{key}.preamble", f"has more than {MOST_PREAMBLE} characters; agents read it in every session")
        return replace(
            repo,
            share=self._share(key, table, share),
            preamble_file=self.path(f"{key}.preamble_file", folder, file) if file else None,
        )

    def _flag(self, prefix: str, table: Mapping[str, Any], key: str, *, default: bool = False) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self.say(f"{prefix}.{key}", "must be true or false")
            return default
        return value

    def _share(self, prefix: str, table: Mapping[str, Any], default: Share) -> Share:
        value = table.get("share", default.value)
        if value in tuple(Share):
            return Share(value)
        self.say(f"{prefix}.share", f"must be one of {', '.join(Share)}")
        return default
