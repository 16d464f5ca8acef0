"""docs/ask.md says what the code does."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from runners.ask import cli
from runners.ask.calls import LONGEST_TITLE, MOST_OPTIONS, MOST_QUESTIONS, parse
from runners.ask.patience import patience
from runners.runner.preamble import MOST_HOUSE, PREAMBLE_VERSION
from tests.runners.ask.desk import NOW

PAGE = (Path(__file__).parents[3] / "docs" / "ask.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_example_can_be_asked() -> None:
    found = next(each for each in map(json.loads, blocks("json")) if "questions" in each)
    assert len(parse(found, NOW).questions) == 3
    assert all(len(each.title) < LONGEST_TITLE for each in parse(found, NOW).questions)


def test_configuration_examples_can_be_read() -> None:
    assert [list(tomllib.loads(each)) for each in blocks("toml")] == [["mcp_servers"], ["repos"]]


def test_statuses_are_those_of_the_command() -> None:
    numbers = {int(each) for each in re.findall(r"^\| (\d+) \|", PAGE, re.M)}
    assert numbers == {cli.ANSWERED, cli.OTHERWISE, cli.USAGE, cli.OPEN, cli.CLOSED, cli.NOBODY, cli.STOPPED}
    assert cli.ask.help is not None
    assert numbers == {int(each) for each in re.findall(r"^      (\d+)  ", cli.ask.help, re.M)}


def test_options_on_the_page_exist() -> None:
    options = {
        name
        for parameter in (*cli.ask.params, *cli.mcp.params)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    shown = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]*)", PAGE)) - {"--oneline", "--help"}
    assert shown <= options


@pytest.mark.parametrize(
    ("client", "how", "seconds"),
    [("claude-code", {}, 45), ("claude-code", {"stdio": True}, 1785), ("opencode", {}, 45),
     ("opencode", {"progress": True}, 3585), ("codex-mcp-client", {}, 285), ("openhands", {}, 285),
     ("fast-agent", {}, 315), ("gemini-cli-mcp-client", {}, 585), ("qwen-cli", {}, 585), ("copilot", {}, 685),
     ("another", {}, 45)],
)  # fmt: skip
def test_waits_on_the_page(client: str, how: dict[str, bool], seconds: int) -> None:
    assert patience(client, **how) == seconds
    assert f"{seconds} s" in PAGE


def test_numbers_on_the_page() -> None:
    assert f"up to {MOST_QUESTIONS} questions with up to {MOST_OPTIONS} options" in PAGE
    assert f"version {PREAMBLE_VERSION}, in the runner's log as `preamble={PREAMBLE_VERSION}`" in PAGE
    assert f"At most {MOST_HOUSE} characters" in PAGE
