"""The real ACP agents of the table: how each is made to talk to a scripted model, and what its tools are called."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.agents.install import CLAUDE, CODEX, GEMINI, NODE, OPENCODE, QWEN, Tool, installed
from tests.agents.scripted import Calls

Json = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """``shell`` makes the call of its shell tool; ``ask``, ``question`` and ``plan`` those of the others it has."""

    profile: str
    version: str
    argv: tuple[str, ...]
    env: dict[str, str]
    shell: Callable[[str], Calls]
    write: Callable[[Path, str], Calls]
    ask: str
    """The name under which its model sees our ask tool."""
    question: Calls | None = None
    plan: Calls | None = None
    plan_mode: str = ""
    """The mode in which the plan tool is used."""
    mode: str = ""
    extra: Json = field(default_factory=dict)


Make = Callable[[str, Path], Peer]
"""From the model's address and a home of its own."""

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ana"), ("EMAIL", "ana@example.invalid"))
}


def _home(home: Path, **more: str) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    node = installed(NODE).parent
    return {"HOME": str(home), **places, **_IDENTITY, "PATH": f"{node}:{os.environ['PATH']}", **more}


def _argv(tool: Tool, *words: str) -> tuple[str, ...]:
    return (str(installed(tool)), *words)


def opencode(url: str, home: Path) -> Peer:
    local = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Scripted",
        "options": {"baseURL": f"{url}/v1", "apiKey": "none"},
        "models": {
            "scripted": {
                "name": "Scripted", "tool_call": True, "limit": {"context": 100000, "output": 8000},
                "cost": {"input": 1.0, "output": 2.0},
            }
        },
    }  # fmt: skip
    config = {
        "model": "local/scripted",
        "small_model": "local/scripted",
        "provider": {"local": local},
        "permission": {"bash": "ask", "edit": "allow"},
        "autoupdate": False,
        "share": "disabled",
    }
    env = _home(
        home,
        OPENCODE_CONFIG_CONTENT=json.dumps(config),
        OPENCODE_DISABLE_MODELS_FETCH="1",
        OPENCODE_DISABLE_AUTOUPDATE="1",
        OPENCODE_DISABLE_LSP_DOWNLOAD="1",
    )
    return Peer(
        "opencode", OPENCODE.version, _argv(OPENCODE, "acp"), env,
        shell=lambda command: Calls("bash", {"command": command, "description": "Does it"}),
        write=lambda path, text: Calls("write", {"filePath": str(path), "content": text}),
        ask="switchboard_ask_human",
    )  # fmt: skip


def codex(url: str, home: Path) -> Peer:
    env = _home(home, CODEX_HOME=str(home), NO_BROWSER="1", INITIAL_AGENT_MODE="workspace-write")
    (home / "config.toml").write_text(
        f'model = "scripted"\nmodel_provider = "local"\n[model_providers.local]\nname = "Scripted"\n'
        f'base_url = "{url}/v1"\nwire_api = "responses"\n[features]\ndefault_mode_request_user_input = true\n'
    )
    asked = {"id": "index", "header": "Index", "question": "Which index?", "options": _options()}
    return Peer(
        "codex-acp", CODEX.version, _argv(CODEX), env,
        shell=lambda command: Calls(
            "exec_command", {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "Do it?"}
        ),
        write=lambda path, text: Calls("exec_command", {"cmd": f"printf '%s' '{text}' > {path.name}"}),
        ask="mcp__switchboard/ask_human",
        question=Calls("request_user_input", {"questions": [asked]}),
    )  # fmt: skip


def claude(url: str, home: Path) -> Peer:
    env = _home(
        home,
        CLAUDE_CONFIG_DIR=str(home / ".claude"),
        ANTHROPIC_BASE_URL=url,
        ANTHROPIC_API_KEY="sk-ant-scripted",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
        CLAUDE_CODE_MAX_RETRIES="1",
        IS_SANDBOX="1",
    )
    asked = {"question": "Which index?", "header": "Index", "multiSelect": False, "options": _options()}
    return Peer(
        "claude-agent-acp", CLAUDE.version, _argv(CLAUDE), env,
        shell=lambda command: Calls("Bash", {"command": command, "description": "Does it"}),
        write=lambda path, text: Calls("Write", {"file_path": str(path), "content": text}),
        ask="mcp__switchboard__ask_human",
        question=Calls("AskUserQuestion", {"questions": [asked]}),
        plan=Calls("ExitPlanMode", {"plan": "1. Look\n2. Leap"}),
        plan_mode="plan",
        mode="default",
    )  # fmt: skip


def gemini(url: str, home: Path) -> Peer:
    env = _home(
        home,
        GOOGLE_GEMINI_BASE_URL=url,
        GEMINI_API_KEY="none",
        GEMINI_CLI_TRUST_WORKSPACE="true",
        GEMINI_TELEMETRY_ENABLED="false",
    )
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
    }
    (home / ".gemini").mkdir(exist_ok=True)
    (home / ".gemini" / "settings.json").write_text(json.dumps(settings))
    return Peer(
        "gemini", GEMINI.version, _argv(GEMINI, "--acp", "--model", "gemini-2.5-pro"), env,
        shell=lambda command: Calls("run_shell_command", {"command": command, "description": "Does it"}),
        write=lambda path, text: Calls("write_file", {"file_path": str(path), "content": text}),
        ask="mcp_switchboard_ask_human",
    )  # fmt: skip


def qwen(url: str, home: Path) -> Peer:
    env = _home(home, OPENAI_BASE_URL=f"{url}/v1", OPENAI_API_KEY="none", OPENAI_MODEL="scripted")
    settings = {
        "security": {"auth": {"selectedType": "openai"}},
        "general": {"disableAutoUpdate": True, "enableAutoUpdate": False},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "memory": {"enableManagedAutoMemory": False, "enableManagedAutoDream": False},  # it asks the model for itself
    }
    (home / ".qwen").mkdir(exist_ok=True)
    (home / ".qwen" / "settings.json").write_text(json.dumps(settings))
    asked = {"question": "Which index?", "header": "Index", "multiSelect": False, "options": _options()}
    return Peer(
        "qwen", QWEN.version, _argv(QWEN, "--acp"), env,
        shell=lambda command: Calls("run_shell_command", {"command": command, "is_background": False}),
        write=lambda path, text: Calls("write_file", {"file_path": str(path), "content": text}),
        ask="mcp__switchboard__ask_human",
        question=Calls("ask_user_question", {"questions": [asked]}),
        plan=Calls("exit_plan_mode", {"plan": "1. Look\n2. Leap"}),
        plan_mode="plan",
        mode="default",
    )  # fmt: skip


def _options() -> list[Json]:
    return [{"label": "FTS", "description": "shipped"}, {"label": "Tantivy", "description": "typos"}]


PEERS: dict[str, Make] = {
    "opencode": opencode,
    "codex-acp": codex,
    "claude-agent-acp": claude,
    "gemini": gemini,
    "qwen": qwen,
}
