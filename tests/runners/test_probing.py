"""Whether an agent can be used here: not installed, too old, or well."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.agent_config import AgentConfig, plain
from runners.agents.profiles import PROFILES
from runners.host import probing


def program(folder: Path, words: str) -> str:
    path = folder / "opencode"
    path.write_text(f"#!/bin/sh\n{words}\n")
    path.chmod(0o755)
    return str(path)


def agent(command: str, least: tuple[int, ...] = ()) -> AgentConfig:
    profile = PROFILES["opencode"]
    return AgentConfig(
        "oc", (command, "acp"), title="opencode", profile="opencode", least=least, install=profile.install
    )


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def test_what_is_not_installed_says_how_to_get_it(on_path: Path) -> None:
    found = probing.examine(plain(PROFILES["opencode"]))
    assert found.problem == "The command “opencode” was not found on this machine. Run: npm install -g opencode-ai."
    assert "opencode auth login" in found.login


@pytest.mark.parametrize(
    ("printed", "problem"), [("opencode 0.9.1", "opencode 0.9.1 is too old; 1.2 or newer"), ("1.2.0", ""), ("?", "")]
)
def test_what_is_too_old_says_so(on_path: Path, printed: str, problem: str) -> None:
    program(on_path, f"echo '{printed}'")
    found = probing.examine(agent("opencode", (1, 2)))
    assert found.problem.startswith(problem)
    assert bool(found.problem) == bool(problem)


def test_a_program_that_hangs_holds_nobody_up(on_path: Path) -> None:
    program(on_path, "exec sleep 100")
    assert probing.examine(agent("opencode"), version=True, patience=0.2).version == ""


def test_a_version_is_only_asked_for_where_it_matters(on_path: Path) -> None:
    program(on_path, "touch asked; echo 1.0")
    assert probing.examine(agent("opencode")).version == ""


def test_an_agent_without_a_command_is_named() -> None:
    assert "has no command" in probing.examine(AgentConfig("x", ())).problem


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_every_profile_says_how_to_get_it_and_how_to_log_in(profile) -> None:
    assert profile.install.startswith(("Run: ", "See https://"))
    assert profile.login
    assert profile.title
    assert profile.command
