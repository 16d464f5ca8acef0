"""What a thread is opened with: mode, model, standing instructions, the runner's own tool. Pure."""

from __future__ import annotations

import re
from typing import Any

from runners.agents.base import Launch
from runners.agents.codex.rpc import Json

MODES: dict[str, tuple[str, str]] = {
    "ask": ("on-request", "workspace-write"),
    "read-only": ("on-request", "read-only"),
    "untrusted": ("untrusted", "workspace-write"),
    "full-access": ("never", "danger-full-access"),
    "plan": ("on-request", "workspace-write"),
}
"""Our names of them: when it asks, and what its commands may do unasked."""
USUAL = "ask"
_CODE_MODE = re.compile(r"gpt-(?:5\.[6-9]|[6-9]|\d\d)")
"""Models that go on while a tool of an MCP server blocks: for them a question is parked soon."""
LONG, SOON = 86_400, 45


def opening(launch: Launch, model: str) -> Json:
    """The parameters of thread/start, and of a thread/resume in a new process. ``model``: the one it will use."""
    approvals, sandbox = MODES[launch.mode or USUAL]
    config: dict[str, Any] = {
        "features.default_mode_request_user_input": True,
        "suppress_unstable_features_warning": True,
    }
    if launch.ask is not None:
        config["mcp_servers.switchboard"] = {
            "url": f"{launch.ask.url}?wait={SOON if _CODE_MODE.match(model) else LONG}",
            "http_headers": {"Authorization": f"Bearer {launch.ask.token}"},
            "required": True,
            "tool_timeout_sec": LONG,
            "default_tools_approval_mode": "approve",
        }
    found: Json = {
        "cwd": str(launch.cwd),
        "approvalPolicy": approvals,
        "approvalsReviewer": "user",
        "sandbox": sandbox,
        "config": config,
    }
    if launch.model:
        found["model"] = launch.model
    if launch.rules:
        found["developerInstructions"] = launch.rules
    return found


def message(text: str) -> list[Json]:
    return [{"type": "text", "text": text, "text_elements": []}]


def collaboration(mode: str, model: str) -> Json:
    return {"mode": mode, "settings": {"model": model, "reasoning_effort": None, "developer_instructions": None}}
