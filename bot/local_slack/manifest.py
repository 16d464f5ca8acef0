"""What the workspace needs to know of the installed app, read from its Slack app manifest."""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.local_slack.errors import BadManifest


@dataclass(frozen=True)
class Command:
    command: str
    description: str = ""
    usage_hint: str = ""
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    callback_id: str
    name: str
    type: str
    description: str = ""


@dataclass(frozen=True)
class AppManifest:
    name: str
    bot_name: str
    commands: tuple[Command, ...] = ()
    shortcuts: tuple[Shortcut, ...] = ()
    scopes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    home_tab: bool = False
    messages_tab: bool = False
    messages_read_only: bool = False
    interactive: bool = True


def parse_manifest(data: Any) -> AppManifest:
    """A pure reading; BadManifest names the first key that cannot be used."""
    root = _mapping(data, "the manifest")
    display = _mapping(root.get("display_information"), "display_information")
    features = _mapping(root.get("features", {}), "features")
    settings = _mapping(root.get("settings", {}), "settings")
    scopes = _mapping(_mapping(root.get("oauth_config", {}), "oauth_config").get("scopes", {}), "oauth_config.scopes")
    home = _mapping(features.get("app_home", {}), "features.app_home")
    name = display.get("name")
    if not isinstance(name, str) or not name:
        raise BadManifest("display_information.name is missing: Slack needs a name for the app")
    subscriptions = _mapping(settings.get("event_subscriptions", {}), "settings.event_subscriptions")
    return AppManifest(
        name=name,
        bot_name=str(_mapping(features.get("bot_user", {}), "features.bot_user").get("display_name") or name),
        commands=tuple(_command(item) for item in features.get("slash_commands", ())),
        shortcuts=tuple(_shortcut(item) for item in features.get("shortcuts", ())),
        scopes=frozenset([*scopes.get("bot", ()), *scopes.get("bot_optional", ())]),
        events=frozenset(subscriptions.get("bot_events", ())),
        home_tab=bool(home.get("home_tab_enabled")),
        messages_tab=bool(home.get("messages_tab_enabled")),
        messages_read_only=bool(home.get("messages_tab_read_only_enabled")),
        interactive=bool(_mapping(settings.get("interactivity", {}), "settings.interactivity").get("is_enabled", True)),
    )


def read_manifest(path: Path) -> AppManifest:
    """JSON always; YAML where PyYAML happens to be installed (the bot itself does without it)."""
    text = path.read_text(encoding="utf-8")
    try:
        return parse_manifest(json.loads(text))
    except json.JSONDecodeError as not_json:
        try:
            yaml = importlib.import_module("yaml")
        except ImportError:
            raise BadManifest(f"{path} is not JSON ({not_json}); to read YAML, install PyYAML") from None
        try:
            return parse_manifest(yaml.safe_load(text))
        except yaml.YAMLError as error:
            raise BadManifest(f"{path} is neither JSON nor YAML: {error}") from None


def _command(item: Any) -> Command:
    found = _mapping(item, "features.slash_commands[]")
    name = str(found.get("command", ""))
    if not name.startswith("/"):
        raise BadManifest(f"features.slash_commands[].command {name!r} does not start with a slash")
    return Command(
        name, str(found.get("description", "")), str(found.get("usage_hint", "")), bool(found.get("should_escape"))
    )


def _shortcut(item: Any) -> Shortcut:
    found = _mapping(item, "features.shortcuts[]")
    kind = found.get("type")
    if kind not in {"message", "global"}:
        raise BadManifest(f"features.shortcuts[].type is {kind!r}; it must be message or global")
    return Shortcut(
        str(found.get("callback_id", "")), str(found.get("name", "")), str(kind), str(found.get("description", ""))
    )


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadManifest(f"{where} must be a mapping, not {type(value).__name__}")
    return value
