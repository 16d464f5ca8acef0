"""Real coding agents, made to talk to a scripted model: what to put into a ``Launch`` or a switchboard.toml."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from runners.agents.base import Launch
from tests.agents.install import CODEX, OPENCODE, installed
from tests.agents.model_server import ModelServer


@dataclass(frozen=True)
class RealAgent:
    """An installed agent with a home of its own. ``env`` is all it needs on top of the runner's environment."""

    name: str
    version: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)

    def launch(self, worktree: Path, log: Path) -> Launch:
        return Launch(self.name, self.argv, worktree, log, env=self.env)


def opencode(model: ModelServer, home: Path) -> RealAgent:
    """opencode, asking before each shell command. Nothing of the person's own opencode is read or written."""
    home.mkdir(parents=True, exist_ok=True)
    local = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": model.url, "apiKey": "none"},
        "models": {"scripted": {"name": "Scripted", "tool_call": True, "limit": {"context": 100000, "output": 8000}}},
    }
    config = {
        "model": "local/scripted",
        "small_model": "local/scripted",
        "provider": {"local": local},
        "permission": {"bash": "ask", "edit": "allow"},
        "autoupdate": False,
        "share": "disabled",
    }
    env = {
        "HOME": str(home),
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    }
    return RealAgent("opencode", OPENCODE.version, (str(installed(OPENCODE)), "acp"), env)


def codex(model: ModelServer, home: Path) -> RealAgent:
    """Codex through codex-acp, asking people (not its own reviewer) before a command that leaves its sandbox."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(
        f"""
model = "scripted"
model_provider = "local"

[model_providers.local]
name = "Scripted"
base_url = "{model.url}"
wire_api = "responses"

[features]
default_mode_request_user_input = true
""",
        encoding="utf-8",
    )
    env = {
        "HOME": str(home),
        "CODEX_HOME": str(home),
        "NO_BROWSER": "1",
        "INITIAL_AGENT_MODE": "workspace-write",
    }
    return RealAgent("codex", CODEX.version, (str(installed(CODEX)),), env)
