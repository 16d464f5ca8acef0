"""Which adapter drives which agent. Imports an adapter only when one is opened: ``acp`` alone costs half a second."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from runners.agents.base import Adapter, Agent, Desk, Launch
from runners.agents.profiles import PROFILES, Profile

DEMO = "demo"
DEMO_ARGV: tuple[str, ...] = (sys.executable, "-m", "runners.agents.demo")
"""The built-in agent that needs no account: a real ACP process."""


def open_agent(launch: Launch, desk: Desk) -> Agent:
    """The agent behind the port; not started yet."""
    match launch.adapter:
        case "acp":
            from runners.agents.acp.adapter import AcpAgent

            if launch.argv[1:] == DEMO_ARGV[1:]:
                launch = replace(launch, profile=DEMO)
            return AcpAgent(launch, desk)
        case "claude":
            from runners.agents.claude.adapter import ClaudeAgent

            return ClaudeAgent(launch, desk)
        case "codex":
            from runners.agents.codex.adapter import CodexAgent

            return CodexAgent(launch, desk)
        case "attach" if launch.name == "codex":
            from runners.agents.attach.codex import JoinedCodex

            return JoinedCodex(launch, desk)
        case "attach":
            from runners.agents.attach.hooked import HookedAgent

            return HookedAgent(launch, desk)
        case unknown:
            assert_never(unknown)


def program(adapter: Adapter, argv: Sequence[str]) -> str:
    """Where what this command starts stands on this machine; empty: nowhere. Blocking."""
    if adapter == "claude" and argv[:1] in ((), ("claude",)):
        from runners.agents.claude.program import bundled

        return bundled() or shutil.which("claude") or ""
    return shutil.which(argv[0]) or "" if argv else ""


def installed() -> tuple[Profile, ...]:
    """The profiles whose agents are on this machine. Blocking."""
    return tuple(profile for profile in PROFILES.values() if program(profile.adapter, profile.command))
