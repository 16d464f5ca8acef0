"""The agents Switchboard knows by name: how each is started, and where it differs from its protocol. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from runners.agents.base import Adapter

Version = tuple[int, ...]


@dataclass(frozen=True)
class Quirks:
    """Where an ACP agent differs. The defaults suit an agent of which nothing is known."""

    steer: Literal["", "prompt", "method"] = ""
    """A second ``session/prompt`` within a turn is taken into it, or there is a ``_session/steering``."""
    resume: tuple[Literal["resume", "load"], ...] = ("resume", "load")
    """The ways that work, in this order; advertised is not implemented."""
    question: Literal["elicitation", "permission", "tool"] = "elicitation"
    """How its own question tool arrives. ``permission``: as a permission request that carries the questions, answered
    with an extra ``answers``; ``tool``: it has none that reaches us, and uses the ask tool."""
    mcp: Literal["", "http", "stdio", "none"] = ""
    """How it takes the ask tool; empty: as its capabilities say."""
    tool_wait: float = 0.0
    """Seconds that it lets a tool of an MCP server run: the ask tool parks before that. 0: the tool goes by the name
    that the agent gives itself."""
    always: tuple[str, ...] = ()
    """Ids of the "always" options that are known to hold for this session only; no others are offered."""
    reset: Literal["new", "/clear"] = "new"
    """A new session in the same process, or a command of its own that clears the context."""
    files: bool = True
    """Whether it can work with files that it reads and writes through us."""
    tokens: Literal["turn", "session"] = "turn"
    """What the usage at a turn's end counts."""
    cost: Literal["session", "process"] = "session"
    """What its costs are counted up over."""


@dataclass(frozen=True)
class Profile:
    """One agent as its makers ship it."""

    name: str
    title: str
    command: tuple[str, ...]
    adapter: Adapter = "acp"
    env: Mapping[str, str] = field(default_factory=dict)
    mode: str = ""
    """Its own mode in which people are asked; empty: it starts in it."""
    model_argv: tuple[str, ...] = ()
    """Arguments that choose ``{model}``; empty: it is chosen over the protocol."""
    login: str = ""
    install: str = ""
    least: Version = ()
    """The oldest series that was tried: an old npm takes older ones without a word. Empty: none was tried."""
    version: tuple[str, ...] = ("--version",)
    """What makes its program print its version; empty: it cannot."""
    quirks: Quirks = Quirks()


_NPX = "npm install -g {}"

_ALL = (
    Profile(
        "claude",
        "Claude Code",
        ("claude",),
        adapter="claude",
        login="Run `claude` in a terminal on this machine and log in with /login.",
        install="Run: pip install 'switchboard-slack[claude]' (its own program is inside).",
        quirks=Quirks(tool_wait=86_400.0),
    ),
    Profile(
        "codex",
        "Codex",
        ("codex",),
        adapter="codex",
        login="Run `codex login` in a terminal on this machine.",
        install="Run: npm install -g @openai/codex",
        quirks=Quirks(tool_wait=300.0),
    ),
    Profile(
        "claude-agent-acp",
        "Claude Code (ACP)",
        ("claude-agent-acp",),
        login="Run `claude` in a terminal on this machine and log in with /login.",
        install="Run: npm install -g @agentclientprotocol/claude-agent-acp (Node.js 22 or newer)",
        least=(0, 101),
        quirks=Quirks(reset="/clear", cost="process"),
    ),
    Profile(
        "codex-acp",
        "Codex (ACP)",
        ("codex-acp",),
        env={"INITIAL_AGENT_MODE": "workspace-write"},  # in its default mode a model answers its permission requests
        login="Run `codex login` in a terminal on this machine.",
        install="Run: npm install -g @agentclientprotocol/codex-acp",
        least=(2, 6),
        quirks=Quirks(
            steer="method",
            tool_wait=300.0,
            always=("allow_for_session", "allow_permissions_session", "allow_session"),
        ),
    ),
    Profile(
        "opencode",
        "opencode",
        ("opencode", "acp"),
        login="Run `opencode auth login` in a terminal on this machine.",
        install="Run: npm install -g opencode-ai",
        least=(1, 18),
        quirks=Quirks(question="tool", steer="prompt", always=("always",)),
    ),
    Profile(
        "gemini",
        "Gemini CLI",
        ("gemini", "--acp"),
        model_argv=("--model", "{model}"),
        login="Run `gemini` in a terminal on this machine and log in, or set GEMINI_API_KEY.",
        install="Run: npm install -g @google/gemini-cli",
        least=(0, 61),
        quirks=Quirks(
            question="tool",
            resume=("load",),
            tool_wait=600.0,
            files=False,
            always=("proceed_always", "proceed_always_tool"),
        ),
    ),
    Profile(
        "qwen",
        "Qwen Code",
        ("qwen", "--acp"),
        mode="default",  # in its own default a model judges what may run
        model_argv=("--model", "{model}"),
        login="Run `qwen` in a terminal on this machine and log in with /auth.",
        install="Run: npm install -g @qwen-code/qwen-code (Node.js 22 or newer)",
        least=(0, 24),
        quirks=Quirks(question="permission", resume=("load",), tool_wait=600.0, always=("proceed_always",)),
    ),
    Profile(
        "copilot",
        "GitHub Copilot CLI",
        ("copilot", "--acp"),
        login="Run `copilot` in a terminal on this machine and log in with /login.",
        install="Run: npm install -g @github/copilot",
        quirks=Quirks(question="tool", resume=("load",), mcp="http", tool_wait=700.0),
    ),
    Profile(
        "vibe",
        "Mistral Vibe",
        ("vibe-acp",),
        login="Run `vibe --setup` in a terminal on this machine, or set MISTRAL_API_KEY.",
        install="Run: uv tool install mistral-vibe",
        quirks=Quirks(resume=("resume",), mcp="stdio"),
    ),
    Profile(
        "goose",
        "goose",
        ("goose", "acp"),
        login="Run `goose configure` in a terminal on this machine.",
        install="See https://block.github.io/goose/docs/getting-started/installation",
        quirks=Quirks(question="tool"),
    ),
    Profile(
        "cursor",
        "Cursor",
        ("cursor-agent", "acp"),
        login="Run `cursor-agent login` in a terminal on this machine.",
        install="See https://cursor.com/docs/cli",
        quirks=Quirks(question="tool"),
    ),
)

PROFILES: Mapping[str, Profile] = MappingProxyType({profile.name: profile for profile in _ALL})


_DEMO = Quirks(always=("always",))


def quirks(profile: str) -> Quirks:
    """Of the profile with this name; an unknown one has none."""
    if profile == "demo":
        return _DEMO
    return PROFILES[profile].quirks if profile in PROFILES else Quirks()
