"""Which Claude Code runs, and how it is called. The SDK's package is only looked for: its import takes 60 MB."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from hashlib import sha256
from pathlib import Path

from runners.agents.base import AskDoor, Launch
from runners.agents.claude.fields import Json
from runners.errors import AgentError, AgentMissing

PACKAGE = "claude_agent_sdk"
TESTED = "0.2.187"
"""The version of claude-agent-sdk that all this was tried with."""
OLDEST = (2, 1, 330)
"""The oldest Claude Code that is known to do all that is asked of it here: the one in that package."""
INSTALL = f'Install it: pip install "claude-agent-sdk=={TESTED}" (or switchboard-slack[claude]).'
_OWN_NAMES = ("", "claude")
PATIENCE = 86_400
"""Seconds that a call of our own tool may take: people sleep. Both sides are told."""
_INHERITED = ("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "CLAUDE_CODE_SSE_PORT")
"""Set where Switchboard itself was started from within Claude Code."""


def bundled() -> str:
    """The Claude Code inside the SDK's package; empty if that is not installed. Blocking."""
    try:
        found = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        return ""
    if found is None or not found.origin:
        return ""
    path = Path(found.origin).parent / "_bundled" / "claude"
    return str(path) if path.is_file() else ""


def program(launch: Launch) -> list[str]:
    """The command, without what we add to it. Raises AgentMissing. Blocking."""
    name, *more = launch.argv or ("",)
    if name in _OWN_NAMES:
        found = bundled() or shutil.which("claude", path=launch.env.get("PATH"))
        problem, fix = f"Agent {launch.name}: Claude Code is not installed on this machine.", INSTALL
    else:
        found = shutil.which(name, path=launch.env.get("PATH"))
        problem = f"Agent {launch.name}: the command “{name}” was not found."
        fix = "Install it, or correct its command in switchboard.toml."
    if not found:
        raise AgentMissing(problem, fix)
    if not launch.cwd.is_dir():
        raise AgentMissing(f"Agent {launch.name}: its working folder {launch.cwd} does not exist.")
    return [found, *more]


def arguments(launch: Launch, *, session: str, resume: str, servers: Path | None) -> list[str]:
    """``--flag=value`` where a value might begin with a dash."""
    words = ["--output-format", "stream-json", "--input-format", "stream-json", "--verbose"]
    words += ["--permission-prompt-tool", "stdio"]
    words += [f"--resume={resume}"] if resume else [f"--session-id={session}"]
    if launch.rules:
        words.append(f"--append-system-prompt={launch.rules}")
    if launch.model:
        words.append(f"--model={launch.model}")
    if launch.mode:
        words.append(f"--permission-mode={launch.mode}")
    if servers is not None:
        words += [f"--mcp-config={servers}", "--allowedTools=mcp__switchboard"]
    return words


def environment(launch: Launch) -> dict[str, str]:
    """All of it: the holder and Claude Code inherit nothing else."""
    found = {**os.environ, **launch.env}
    for name in _INHERITED:
        found.pop(name, None)
    return {
        **found,
        "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
        "CLAUDE_AGENT_SDK_VERSION": TESTED,
        "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
        "CLAUDE_CODE_ENABLE_TODO_TOOLS": "1",
        "CLAUDE_CODE_ENABLE_TASKS": "0",
        "DISABLE_AUTOUPDATER": "1",
        "PWD": str(launch.cwd),
    }


def servers(door: AskDoor) -> Json:
    """Our own tool for questions; its token is in a private file, not among the arguments that everybody sees."""
    bearer = {"Authorization": f"Bearer {door.token}"}
    url = f"{door.url}{'&' if '?' in door.url else '?'}wait={PATIENCE}"
    return {"mcpServers": {"switchboard": {"type": "http", "url": url, "headers": bearer, "timeout": PATIENCE * 1000}}}


def write_servers(folder: Path, door: AskDoor) -> Path:
    """Blocking."""
    path = folder / "claude-mcp.json"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(servers(door), file)
    return path


def check_version(launch: Launch, version: str) -> None:
    """Raises AgentError for one that is too old to be trusted with questions."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers and tuple(map(int, numbers.groups())) >= OLDEST:
        return
    wanted, found = ".".join(map(str, OLDEST)), version or "of an unknown version"
    raise AgentError(
        f"Agent {launch.name}: Claude Code {found} is too old, it must be {wanted} or newer.",
        f"Update it (claude update), or leave its command out and use ours. {INSTALL}",
    )


def door_mark(ask: AskDoor | None) -> str:
    """Tells two doors apart without keeping a token."""
    return sha256(f"{ask.url} {ask.token}".encode()).hexdigest()[:16] if ask else ""
