"""An ACP tool call as far as it is known: agents tell it in pieces. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from acp.schema import (
    ContentToolCallContent,
    FileEditToolCallContent,
    TextContentBlock,
    ToolCallStart,
    ToolCallUpdate,
)


@dataclass(frozen=True)
class Call:
    """What is known of a tool call so far: a permission request may name nothing but its id."""

    title: str = ""
    kind: str = ""
    paths: tuple[str, ...] = ()
    raw: Any = None
    texts: tuple[str, ...] = ()
    diffs: tuple[tuple[str, str, str], ...] = ()
    """(path, old text, new text)"""
    ended: bool = False
    tool: str = ""
    """The tool's own name, where the agent tells it beside."""


def merge(call: Call, update: ToolCallStart | ToolCallUpdate, cwd: str) -> Call:
    texts, diffs = call.texts, call.diffs
    if update.content is not None:
        texts, diffs = (), ()
        for item in update.content:
            if isinstance(item, ContentToolCallContent) and isinstance(item.content, TextContentBlock):
                texts += (item.content.text,)
            elif isinstance(item, FileEditToolCallContent):
                diffs += ((_short(item.path, cwd), item.old_text or "", item.new_text),)
    paths = call.paths if update.locations is None else tuple(_short(place.path, cwd) for place in update.locations)
    return Call(
        title=update.title or call.title,
        kind=update.kind or call.kind,
        paths=tuple(dict.fromkeys(paths)),
        raw=_newer(call.raw, update.raw_input),
        texts=texts,
        diffs=diffs,
        tool=_tool(update.field_meta) or call.tool,
        ended=call.ended or update.status in ("completed", "failed"),
    )


def _tool(meta: dict[str, Any] | None) -> str:
    """Qwen Code says ``toolName``, claude-agent-acp ``claudeCode.toolName``."""
    meta = meta or {}
    inner = meta.get("claudeCode")
    name = meta.get("toolName") or (inner.get("toolName") if isinstance(inner, dict) else "")
    return name if isinstance(name, str) else ""


def _newer(before: Any, now: Any) -> Any:
    """Agents repeat of the raw input only what they like."""
    if isinstance(before, dict) and isinstance(now, dict):
        return before | now
    return before if now is None else now


def _short(path: str, cwd: str) -> str:
    try:
        return PurePath(path).relative_to(cwd).as_posix()
    except ValueError:
        return path
