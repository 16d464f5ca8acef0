"""``[agents.NAME]``: a profile, a command of one's own, or both, made into one agent. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from runners.agents.base import Adapter
from runners.agents.profiles import PROFILES, Profile, Version

AGENT_KEYS = {"profile", "adapter", "command", "env", "model", "mode", "title", "login", "start_timeout"}
ADAPTERS: tuple[Adapter, ...] = ("acp", "claude", "codex")


@dataclass(frozen=True)
class AgentConfig:
    """An agent that can be started. ``command`` is never given to a shell."""

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    title: str = ""
    login: str = ""
    """How a person logs this agent in, said when it asks for it."""
    start_timeout: float = 60.0
    """Seconds for its first answers."""
    adapter: Adapter = "acp"
    profile: str = ""
    """The built-in profile it was made from; empty: none."""
    model: str = ""
    mode: str = ""
    """The agent's own permission mode; empty: the profile's."""
    install: str = ""
    """How to get it, said where its command is not found."""
    least: Version = ()
    """The oldest version that works; empty: any."""


class Reader(Protocol):
    """Reads values by key and collects what is wrong with them."""

    def say(self, key: str, problem: str) -> None: ...
    def table(self, key: str, value: object, known: set[str]) -> Mapping[str, Any]: ...
    def text(self, prefix: str, table: Mapping[str, Any], key: str) -> str: ...
    def number(self, prefix: str, table: Mapping[str, Any], key: str, default: float, least: float) -> float: ...
    def argv(self, key: str, value: object) -> tuple[str, ...]: ...


def plain(profile: Profile) -> AgentConfig:
    """The agent as its profile has it, for machines on which it is simply there."""
    return AgentConfig(
        name=profile.name,
        command=profile.command,
        env=profile.env,
        title=profile.title,
        login=profile.login,
        adapter=profile.adapter,
        profile=profile.name,
        mode=profile.mode,
        install=profile.install,
        least=profile.least,
    )


def with_found(agents: Mapping[str, AgentConfig], found: Iterable[Profile]) -> dict[str, AgentConfig]:
    """Configured agents, and those found on this machine that nobody configured under any name."""
    used = {agent.profile for agent in agents.values()}
    extra = {p.name: plain(p) for p in found if p.name not in agents and p.name not in used}
    return {**agents, **extra}


def read_agent(reader: Reader, name: str, value: object) -> AgentConfig:
    """A table as an agent. ``[agents.opencode]`` without command or profile is the profile of that name."""
    key = f"agents.{name}"
    table = reader.table(key, value, AGENT_KEYS)
    profile = _profile(reader, key, name, table)
    env = table.get("env", {})
    if not isinstance(env, dict) or not all(isinstance(item, str) for item in env.values()):
        reader.say(f"{key}.env", "must be a table of strings")
        env = {}
    for variable, text in env.items():
        if not variable or "=" in variable or "\0" in variable + text:
            reader.say(f"{key}.env", f"{variable!r} cannot be set: names have no “=”, and neither part a NUL character")
    base = plain(profile) if profile else AgentConfig(name, ())
    model = reader.text(key, table, "model")
    return AgentConfig(
        name=name,
        command=_command(reader, key, table, profile, model),
        env={**base.env, **env},
        title=reader.text(key, table, "title") or base.title,
        login=reader.text(key, table, "login") or base.login,
        start_timeout=reader.number(key, table, "start_timeout", 60.0, least=0.1),
        adapter=_adapter(reader, key, table, profile),
        profile=base.profile,
        model=model,
        mode=reader.text(key, table, "mode") or base.mode,
        install=base.install if "command" not in table else "",
        least=base.least,
    )


def _profile(reader: Reader, key: str, name: str, table: Mapping[str, Any]) -> Profile | None:
    wanted = reader.text(key, table, "profile")
    if not wanted and name in PROFILES and not table.keys() & {"command", "adapter"}:
        wanted = name
    if wanted and wanted not in PROFILES:
        reader.say(f"{key}.profile", f"there is no profile {wanted!r}; known: {', '.join(PROFILES)}")
    return PROFILES.get(wanted)


def _command(
    reader: Reader, key: str, table: Mapping[str, Any], profile: Profile | None, model: str
) -> tuple[str, ...]:
    if profile is None or "command" in table:
        native = table.get("adapter") in ("claude", "codex") and "command" not in table
        argv = (str(table["adapter"]),) if native else reader.argv(f"{key}.command", table.get("command"))
    else:
        argv = profile.command
    return (*argv, *(word.replace("{model}", model) for word in profile.model_argv)) if profile and model else argv


def _adapter(reader: Reader, key: str, table: Mapping[str, Any], profile: Profile | None) -> Adapter:
    wanted = reader.text(key, table, "adapter")
    if profile is not None and wanted not in ("", profile.adapter):
        reader.say(f"{key}.adapter", f"profile {profile.name!r} is driven by {profile.adapter!r}; leave this out")
        return profile.adapter
    if not wanted:
        return profile.adapter if profile else "acp"
    found = next((adapter for adapter in ADAPTERS if adapter == wanted), None)
    if found is None:
        reader.say(f"{key}.adapter", f"must be one of {', '.join(ADAPTERS)}")
    return found or "acp"
