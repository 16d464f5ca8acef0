"""What the profiles say of their agents, and what is done where they say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from acp.schema import PermissionOption

from runners.agent_config import plain
from runners.agents.acp.permissions import lasting
from runners.agents.profiles import PROFILES, quirks
from runners.host.probing import examine, parsed
from tests.agents import install

TRIED = {tool.program: tool for tool in (*install.TOOLS, *install.MORE) if tool.program in PROFILES}
ALWAYS = [
    PermissionOption(option_id=id_, name=id_, kind="allow_always")
    for id_ in ("always", "allow_always", "allow_for_session", "proceed_always", "proceed_always_server")
]


@pytest.mark.parametrize("name", sorted(TRIED))
def test_the_series_that_was_tried_is_the_oldest_taken(name: str) -> None:
    assert PROFILES[name].least == parsed(TRIED[name].version)[:2]


@pytest.mark.parametrize("name", sorted(PROFILES))
def test_only_a_series_that_was_tried_is_asked_for(name: str) -> None:
    assert bool(PROFILES[name].least) == (name in TRIED)


def test_an_agent_that_an_old_npm_chose_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "qwen"
    program.write_text("#!/bin/sh\necho 0.0.14\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = examine(plain(PROFILES["qwen"]))
    assert found.problem.startswith("Qwen Code 0.0.14 is too old; 0.24 or newer is needed. Run: npm install")


@pytest.mark.parametrize("profile", ["", "mine", "copilot", "vibe", "goose", "cursor", "claude-agent-acp"])
def test_always_is_not_offered_where_nobody_knows_how_long_it_holds(profile: str) -> None:
    assert lasting(ALWAYS, quirks(profile).always) is None


@pytest.mark.parametrize(
    ("profile", "option"),
    [("demo", "always"), ("opencode", "always"), ("qwen", "proceed_always"), ("codex-acp", "allow_for_session")],
)
def test_always_is_offered_where_it_ends_with_the_session(profile: str, option: str) -> None:
    found = lasting(ALWAYS, quirks(profile).always)
    assert found is not None
    assert found.option_id == option
