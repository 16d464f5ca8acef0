"""The command line as a person meets it: help, and errors that name the thing and the fix."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.up import ROOT, environment


def switchboard(home: Path, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot.cli", *argv],
        cwd=ROOT,
        env={**environment(home), **env},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize(
    "command", ["", "up", "link", "serve", "host", "manifest", "doctor", "enroll", "revoke", "sessions"]
)
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    run = switchboard(tmp_path / "home", *command.split(), "--help")
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Usage:")
    assert len(run.stdout.splitlines()) > 5


def test_serve_without_tokens_names_them_and_the_fix(tmp_path: Path) -> None:
    run = switchboard(tmp_path / "home", "serve")
    assert run.returncode == 2
    assert "SLACK_BOT_TOKEN: not set" in run.stderr
    assert "SLACK_APP_TOKEN" in run.stderr
    assert "Traceback" not in run.stderr


def test_sessions_without_a_bot_says_how_to_start_one(tmp_path: Path) -> None:
    run = switchboard(tmp_path / "home", "sessions")
    assert run.returncode == 1
    assert "switchboard up" in run.stderr
    assert "Traceback" not in run.stderr


def test_up_on_a_real_workspace_asks_whose_machine_it_is(tmp_path: Path) -> None:
    run = switchboard(
        tmp_path / "home",
        "up",
        "--data-dir",
        str(tmp_path / "data"),
        SLACK_BOT_TOKEN="xoxb-1",
        SLACK_APP_TOKEN="xapp-1",
    )
    assert run.returncode == 2
    assert "--owner" in run.stderr


def test_the_manifest_can_be_printed_for_another_command(tmp_path: Path) -> None:
    run = switchboard(tmp_path / "home", "manifest", "--command", "/sb")
    assert run.returncode == 0
    assert "/sb" in run.stdout
    assert "/session" not in run.stdout


def test_doctor_without_anything_says_what_is_there_and_what_to_try(tmp_path: Path) -> None:
    run = switchboard(tmp_path / "home", "doctor")
    assert "git 2" in run.stdout or "git: " in run.stdout
    assert "switchboard up" in run.stdout
    assert "Traceback" not in run.stderr


def test_doctor_says_in_words_why_a_bot_is_not_reached(tmp_path: Path) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # taken, and nobody listens
        run = switchboard(tmp_path / "home", "doctor", "--bot", f"http://127.0.0.1:{unheard.getsockname()[1]}")
    assert run.returncode == 1
    assert "does not answer (connection refused)" in run.stdout
    assert "ssl:" not in run.stdout


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = switchboard(tmp_path / "home", "up", "--data-dir", str(tmp_path / "file" / "data"))
    assert run.returncode == 2
    assert "--data-dir" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_taken_port_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        run = switchboard(tmp_path / "home", "up", "--data-dir", str(tmp_path / "data"), "--port", port)
    assert run.returncode == 2
    assert f"{port} is taken" in run.stderr
    assert "--port 0" in run.stderr


@pytest.mark.parametrize("argv", [["--command", "/a b"], ["--http", "foo"], ["--http", "http://x.example"]])
def test_a_manifest_that_slack_would_refuse_is_not_printed(tmp_path: Path, argv: list[str]) -> None:
    run = switchboard(tmp_path / "home", "manifest", *argv)
    assert run.returncode == 2
    assert argv[0] in run.stderr
    assert run.stdout == ""
