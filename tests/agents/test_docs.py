"""docs/agents.md names everything a script can do, and its example plays."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from bot.wire.types import ALLOW
from runners.agents.base import Chosen
from runners.agents.demo.script import AT_START, KINDS, VERBS, parse
from runners.agents.profiles import PROFILES
from tests.agents.conftest import Stage
from tests.agents.install import MORE, NODE, TOOLS
from tests.contract.desk import RecordingDesk

DOCS = (Path(__file__).parent.parent.parent / "docs" / "agents.md").read_text(encoding="utf-8")
EXAMPLE = next(block for block in re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL) if "[[step]]" in block)


@pytest.mark.parametrize(
    "word", sorted({*VERBS, *KINDS, *AT_START, *(word for more in VERBS.values() for word in more)})
)
def test_every_word_of_the_script_format_is_documented(word: str) -> None:
    assert re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", DOCS)


def test_the_versions_seen_working_are_the_versions_tested() -> None:
    for tool in (*TOOLS, *(tool for tool in MORE if tool is not NODE)):
        assert f"`{tool.package}`" in DOCS
        assert f"| {tool.version} |" in DOCS


def test_every_profile_and_its_login_is_documented() -> None:
    for name in PROFILES:
        assert f"| `{name}` |" in DOCS


async def test_the_example_plays(stage: Stage) -> None:
    parse(tomllib.loads(EXAMPLE))
    worktree = stage.worktree({"example.toml": EXAMPLE})
    agent = stage.demo(worktree, RecordingDesk([Chosen("tantivy"), Chosen(ALLOW)]))
    await agent.start()
    ended = await agent.prompt("Task:\nTry it\nscript: example.toml")
    assert worktree.read("docs/index.md") == "We use Tantivy.\n"
    assert worktree.subjects() == ["Choose Tantivy"]
    assert ended.last_words.startswith("Done with Tantivy. `python3 -m unittest -q`")
    assert (await agent.prompt("and more")).last_words == "You also said: and more"
