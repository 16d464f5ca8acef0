"""Which adapter drives which agent. Imports an adapter only when one is opened: ``acp`` alone costs half a second."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import assert_never

from runners.agents.base import Agent, Desk, Launch

DEMO = "demo"
DEMO_ARGV: tuple[str, ...] = (sys.executable, "-m", "runners.agents.demo")
"""The built-in agent that needs no account: a real ACP process."""


def open_agent(launch: Launch, desk: Desk) -> Agent:
    """The agent behind the port; not started yet."""
    match launch.adapter:
        case "acp":
            from runners.agents.acp import AcpAgent

            return AcpAgent(launch, desk)
        case "claude":
            from runners.agents.claude.adapter import ClaudeAgent

            return ClaudeAgent(launch, desk)
        case "codex":
            from runners.agents.codex.adapter import CodexAgent

            return CodexAgent(launch, desk)
        case "attach":
            from runners.agents.attach import open_attached

            return open_attached(launch, desk)
        case unknown:
            assert_never(unknown)


def agent_problem(argv: Sequence[str]) -> str:
    """What keeps this command from being run here, with the fix; empty means usable."""
    if not argv:
        return "It has no command. Give it one in switchboard.toml."
    if shutil.which(argv[0]) is None:
        return f"The command “{argv[0]}” was not found on this machine. Install it, or correct switchboard.toml."
    return ""
