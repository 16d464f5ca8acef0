"""The manifest: what it asks of a workspace is what the code uses, and Slack's own schema accepts it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.slack import manifest as made
from bot.slack.commands import VERBS
from tests.slack.scene import ROOT

SCHEMA = ROOT.parent / "shared" / "data" / "slack-manifest.schema.2.0.0.json"
USES = {
    "commands": "bolt.command(",
    "chat:write": "chat_postMessage(",
    "im:write": "conversations_open(",
    "im:history": '"channel_type") == "im"',
    "app_mentions:read": 'case "app_mention"',
    "users:read": "users_info(",
}
"""Required scope → the code that needs it. The optional ones are played with and without in test_scopes.py."""


def source() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "bot" / "slack").rglob("*.py") if path.name != "manifest.py")


def scopes(found: dict[str, Any]) -> list[str]:
    return list(found["oauth_config"]["scopes"]["bot"])


@pytest.mark.parametrize("url", [None, "https://bot.example"])
def test_slacks_schema_accepts_it(url: str | None) -> None:
    if not SCHEMA.exists():
        pytest.skip(f"left out: Slack's manifest schema is not at {SCHEMA}")
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(made.manifest("/session", url))


def test_the_committed_file_is_what_the_code_makes() -> None:
    committed = (ROOT / "manifest.yml").read_text()
    assert committed == made.render()
    assert yaml.safe_load(committed) == made.manifest()


@pytest.mark.parametrize("url", [None, "https://bot.example/"])
@pytest.mark.parametrize("command", ["/session", "/sb"])
def test_what_is_printed_reads_back(command: str, url: str | None) -> None:
    wanted = made.manifest(command, url)
    assert yaml.safe_load(made.render(command, url)) == wanted
    assert json.loads(made.render(command, url, as_json=True)) == wanted
    assert made.render(command, url).endswith("\n")


def test_http_mode_names_one_address_everywhere() -> None:
    found = made.manifest("/sb", "https://bot.example/")
    address = "https://bot.example/slack/events"
    assert found["settings"]["event_subscriptions"]["request_url"] == address
    assert found["settings"]["interactivity"]["request_url"] == address
    assert (
        found["features"]["slash_commands"][0] | {"command": "/sb", "url": address}
        == found["features"]["slash_commands"][0]
    )
    assert not found["settings"]["socket_mode_enabled"]


def test_every_required_scope_is_used() -> None:
    code = source()
    assert set(made.REQUIRED_SCOPES) == set(USES)
    for scope, use in USES.items():
        assert use in code, f"no code uses {scope}"


def test_required_and_optional_scopes() -> None:
    both = made.manifest()["oauth_config"]["scopes"]
    assert both["bot"] == [*made.REQUIRED_SCOPES, *made.OPTIONAL_SCOPES]
    assert both["bot_optional"] == list(made.OPTIONAL_SCOPES)
    needed = "commands chat:write im:write im:history app_mentions:read users:read"
    assert " ".join(made.REQUIRED_SCOPES) == needed


def test_every_event_has_its_scope_and_its_code() -> None:
    code = source()
    for event, scope in made.EVENTS.items():
        assert not scope or scope in scopes(made.manifest())
        assert f'"{event.split(".")[0]}"' in code


def test_shortcuts_and_verbs_are_those_that_work() -> None:
    code = (ROOT / "bot" / "slack" / "listeners.py").read_text()
    for _, callback, name, _ in made.SHORTCUTS:
        assert f'"{callback}"' in code
        assert len(name) <= 24
    hint = made.manifest()["features"]["slash_commands"][0]["usage_hint"]
    assert {word.split()[0] for word in hint.split(" · ")} == {verb.verb for verb in VERBS}


def test_the_docs_name_every_scope_and_event() -> None:
    told = (ROOT / "docs" / "slack.md").read_text()
    for scope in scopes(made.manifest()):
        assert f"`{scope}`" in told
    for event in made.EVENTS:
        assert f"`{event}`" in told


def test_nothing_of_slacks_libraries_is_needed_to_make_it() -> None:
    imports = re.findall(r"^(?:from|import) (\S+)", Path(made.__file__).read_text(), re.M)
    assert set(imports) == {"__future__", "json", "typing"}
