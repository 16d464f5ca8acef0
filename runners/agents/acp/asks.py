"""Our own ask tool among an agent's calls: it is allowed without asking anybody. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runners.agents.acp.calls import Call

MCP_NAME = "switchboard"
"""What our MCP server is called with every agent."""
_TOOL = "ask_human"
_TITLE = re.compile(
    rf"(?:mcp__{MCP_NAME}__{_TOOL}"  # Claude Code, Qwen Code
    rf"|{MCP_NAME}[_./:]{_TOOL}"  # opencode, Codex
    rf"|mcp[_.:]\s?{MCP_NAME}[_./]{_TOOL}"
    rf"|{_TOOL} \({MCP_NAME} MCP Server\)(?:: .*)?)",  # Gemini CLI
    re.IGNORECASE | re.DOTALL,
)
_WORKS = frozenset(("execute", "edit", "delete", "move"))
"""Kinds of calls that are never a question, whatever they call themselves."""


def is_own_ask(call: Call) -> bool:
    """By its name alone: a command or an edit that calls itself so is none."""
    if call.diffs or (isinstance(call.raw, dict) and call.raw.keys() & {"command", "cmd"}):
        return False
    if call.tool:
        return bool(_TITLE.fullmatch(call.tool))
    return call.kind not in _WORKS and bool(_TITLE.fullmatch(call.title.strip().strip("`")))


def is_own_form(message: str, meta: Mapping[str, Any]) -> bool:
    """Codex asks for leave to call a tool by an empty form."""
    if meta.get("codex_approval_kind") != "mcp_tool_call":
        return False
    name = re.escape(MCP_NAME)
    return bool(re.fullmatch(rf"Allow the {name} MCP server to run tool [\"“]{_TOOL}[\"”]\?", message.strip()))
