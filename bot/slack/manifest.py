"""The Slack app's manifest: what the bot asks of a workspace, and why. Knows nothing of the SDK."""

from __future__ import annotations

import json
from typing import Any

REQUIRED: dict[str, str] = {
    "commands": "the slash command and the shortcuts",
    "chat:write": "cards, progress, digests and private notes",
    "im:write": "opening the conversation in which a person gets digests and cards",
    "im:history": "replies that a person writes in that conversation",
    "app_mentions:read": "mentions of the bot, which stand for the slash command inside threads",
    "users:read": "names, time zones, and who is a guest",
}
"""Scope → what the bot does with it."""

OPTIONAL_SCOPES: dict[str, str] = {
    "channels:history": "Without it, a reply in a public channel's thread reaches the session only if it mentions the"
    " bot, and a card that somebody deleted is not posted again until its next change.",
    "groups:history": "The same for private channels.",
    "chat:write.public": "Without it, the bot must be invited to a public channel before a session can live there.",
    "files:write": "Without it, diffs come as a shortened message and not as a file.",
    "users:read.email": "Without it, merge commits carry the approver's name but no e-mail address of theirs.",
}
"""Scope → what is lost without it."""

REQUIRED_SCOPES: tuple[str, ...] = tuple(REQUIRED)

EVENTS: dict[str, str] = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "user_change": "users:read",
}
"""Event → the scope that Slack demands for it."""

SHORTCUTS: tuple[tuple[str, str, str, str], ...] = (
    ("global", "start", "Start a session", "Put a coding agent to work on a branch of its own"),
    ("message", "tell", "Tell the session", "Give the agent of this thread a further prompt"),
    ("message", "status", "Session status", "What the session of this thread is doing"),
    ("message", "pause", "Pause the session", "Let the agent of this thread rest; its questions stay open"),
    ("message", "resume", "Resume the session", "Take up again what is paused, asleep or has failed"),
    ("message", "reset", "Reset the session", "Clear the agent's memory of this thread's conversation"),
    ("message", "stop", "Stop the session", "Stop the session of this thread; its branch stays"),
)


def manifest(command: str = "/session", http_url: str | None = None) -> dict[str, Any]:
    """The manifest as Slack's schema has it. ``http_url``: where Slack reaches the bot; None is Socket Mode."""
    events = f"{http_url.rstrip('/')}/slack/events" if http_url else None
    slash: dict[str, Any] = {
        "command": command,
        "description": "Run coding-agent sessions and answer them",
        "usage_hint": "start TASK · list · status · tell · pause · resume · reset · stop · digest · prefs · help",
        "should_escape": True,
    }
    subscriptions: dict[str, Any] = {"bot_events": list(EVENTS)}
    interactivity: dict[str, Any] = {"is_enabled": True}
    if events:
        for part, key in ((slash, "url"), (subscriptions, "request_url"), (interactivity, "request_url")):
            part[key] = events
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Switchboard",
            "description": "Answers your coding agents' questions, permissions and reviews, in batches",
            "background_color": "#1f2a44",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "switchboard", "always_online": True},
            "shortcuts": [
                {"name": name, "type": kind, "callback_id": callback, "description": what}
                for kind, callback, name, what in SHORTCUTS
            ],
            "slash_commands": [slash],
        },
        "oauth_config": {
            "scopes": {"bot": [*REQUIRED, *OPTIONAL_SCOPES], "bot_optional": list(OPTIONAL_SCOPES)},
        },
        "settings": {
            "event_subscriptions": subscriptions,
            "interactivity": interactivity,
            "org_deploy_enabled": False,
            "socket_mode_enabled": http_url is None,
            "token_rotation_enabled": False,
        },
    }


def render(command: str = "/session", http_url: str | None = None, as_json: bool = False) -> str:
    """The manifest's text, to paste into Slack."""
    made = manifest(command, http_url)
    if as_json:
        return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
    return "\n".join(_yaml(made, 0)) + "\n"


def _yaml(value: Any, depth: int) -> list[str]:
    """Enough YAML for a manifest: mappings, lists and plain scalars; every text is quoted as JSON quotes it."""
    pad = "  " * depth
    lines: list[str] = []
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                lines += [f"{pad}{key}:", *_yaml(inner, depth + 1)]
            else:
                lines.append(f"{pad}{key}: {_scalar(inner)}")
        return lines
    for item in value:
        if isinstance(item, dict):
            first, *rest = _yaml(item, depth + 1)
            lines += [f"{pad}- {first.strip()}", *rest]
        else:
            lines.append(f"{pad}- {_scalar(item)}")
    return lines


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
