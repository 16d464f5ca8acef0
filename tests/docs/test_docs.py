"""What the documentation says is what the code does: commands, settings, scopes, messages and links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from bot.cli import cli
from bot.slack.manifest import OPTIONAL_SCOPES, REQUIRED_SCOPES
from bot.slack.manifest import manifest as app_manifest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "bot/wire/PROTOCOL.md",
]


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_command_of_the_command_line_is_in_the_readme() -> None:
    context = click.Context(cli)
    visible = [
        name for name in cli.list_commands(context) if not getattr(cli.get_command(context, name), "hidden", False)
    ]
    missing = [name for name in visible if f"`switchboard {name}`" not in read("README.md")]
    assert not missing


def test_every_setting_the_code_reads_is_documented() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "bot").glob("*.py"))
    settings = set(re.findall(r'"((?:SLACK|SWITCHBOARD)_[A-Z_]+)"', source))
    assert settings
    missing = sorted(name for name in settings if f"`{name}`" not in read("docs/configuration.md"))
    assert not missing


def test_every_documented_setting_is_read_by_the_code() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "bot").glob("*.py"))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", read("docs/configuration.md"), re.M))
    assert documented
    assert not sorted(name for name in documented if f'"{name}"' not in source)


def test_every_scope_of_the_manifest_is_explained() -> None:
    page = read("docs/slack.md")
    assert not [scope for scope in [*REQUIRED_SCOPES, *OPTIONAL_SCOPES] if f"`{scope}`" not in page]


def test_the_slash_command_of_the_readme_is_that_of_the_manifest() -> None:
    assert app_manifest()["features"]["slash_commands"][0]["command"] == "/session"
    assert "/session start" in read("README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_readmes_install_lines_are_those_of_ci() -> None:
    assert "pip install -e '.[all]' && .venv/bin/switchboard up" in read("README.md")
    assert "pip install -e '.[test]' && .venv/bin/pytest" in read("README.md")
    assert "-e '.[test]'" in read(".ci/run")
    assert ".venv/bin/pytest" in read(".ci/run")


def command_lines() -> list[tuple[str, list[str]]]:
    """Every `switchboard …` line of the pages' code, with the page it stands on."""
    found = []
    for page in PAGES:
        for line in re.findall(r"(?:^ {4,}|`)(?:\.venv/bin/)?switchboard ([a-z][^`\n]*)", page.read_text(), re.M):
            found.append((page.name, shlex.split(line.replace("\\|", "|"))))
    return found


@pytest.mark.parametrize(("page", "argv"), command_lines(), ids=lambda part: str(part))
def test_command_lines_on_the_pages_are_understood(page: str, argv: list[str]) -> None:
    """Each option exists; placeholders in capitals and paths that are only examples are not looked at."""
    context = click.Context(cli)
    command = cli.get_command(context, argv[0])
    assert command, f"{page}: no command {argv[0]!r}"
    options = {option for parameter in command.params for option in parameter.opts}
    assert not [word for word in argv[1:] if word.startswith("--") and word.split("=")[0] not in options], page
