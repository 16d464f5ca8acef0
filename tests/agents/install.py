"""Installs the real coding agents of `pytest -m agents`, each at one named version: python -m tests.agents.install

`--all` installs those of the table in docs/agents.md as well (about 1.2 GB).
They land in SWITCHBOARD_TEST_TOOLS (default: .cache/agents in this repository) and nowhere else.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Tool:
    """An npm package at one version, and the program in it."""

    package: str
    version: str
    program: str
    with_: tuple[str, ...] = ()
    """What it would else pick in a version of its own choice."""

    @property
    def folder(self) -> Path:
        return tools_folder() / f"{self.package.rpartition('/')[2]}-{self.version}"

    @property
    def path(self) -> Path:
        return self.folder / "node_modules" / ".bin" / self.program


OPENCODE = Tool("opencode-ai", "1.18.33", "opencode")
CODEX = Tool("@agentclientprotocol/codex-acp", "2.6.0", "codex-acp", ("@openai/codex@0.166.0",))
TOOLS = (OPENCODE, CODEX)
CLAUDE = Tool("@agentclientprotocol/claude-agent-acp", "0.101.0", "claude-agent-acp")
GEMINI = Tool("@google/gemini-cli", "0.61.0", "gemini")
QWEN = Tool("@qwen-code/qwen-code", "0.24.4", "qwen")
NODE = Tool("node", "22.23.3", "node")
"""For agents that want a newer Node than the machine has."""
MORE = (CLAUDE, GEMINI, QWEN, NODE)


class NotInstalled(Exception):
    """A tool is missing; the message says how to get it."""


def tools_folder() -> Path:
    return Path(os.environ.get("SWITCHBOARD_TEST_TOOLS") or ROOT / ".cache" / "agents").resolve()


def installed(tool: Tool) -> Path:
    """The program, at the named version. Raises NotInstalled."""
    if not tool.path.exists():
        raise NotInstalled(
            f"{tool.package} {tool.version} is not in {tool.folder}. Run: python -m tests.agents.install"
        )
    return tool.path


def install(tool: Tool) -> None:
    if tool.path.exists():
        print(f"{tool.package} {tool.version} is there: {tool.path}")
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled("npm was not found. Install Node.js 20 or newer (Debian: apt-get install npm).")
    fresh = tool.folder.with_name(f"{tool.folder.name}.{os.getpid()}.new")
    fresh.mkdir(parents=True)
    try:
        named = f"{tool.package}@{tool.version}"
        quiet = ("--no-audit", "--no-fund", "--no-save", "--loglevel=error")
        subprocess.run([npm, "install", *quiet, "--prefix", str(fresh), named, *tool.with_], check=True, cwd=fresh)
        fresh.rename(tool.folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    print(f"{tool.package} {tool.version} installed: {tool.path}")


def main(*words: str) -> int:
    try:
        for tool in (*TOOLS, *MORE) if "--all" in words else TOOLS:
            install(tool)
    except (NotInstalled, subprocess.CalledProcessError, OSError) as problem:
        print(f"The coding agents for the tests could not be installed: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
