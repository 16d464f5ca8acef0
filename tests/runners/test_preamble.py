"""What a session is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.agents.demo.brief import read_brief
from runners.errors import RunnerError
from runners.runner import ticket
from runners.runner.preamble import MOST_HOUSE, PREAMBLE_VERSION, House, first_message, rules, scope_words
from tests.runners.scene import scene

PLACE = {"branch": "sb/search", "base": "main"}


def test_the_rules_name_the_place_and_how_to_ask_and_hand_over() -> None:
    words = rules(branch="sb/search", base="main", ports=(20000, 20009), notes=("The submodule x is missing.",))
    for part in (
        "on branch sb/search, made from main",
        "ask_human",
        "ask everything at once, in one call",
        "Ports 20000 to 20009",
        "- The submodule x is missing.",
        "A person reviews exactly that commit",
    ):
        assert part in words
    assert "Do not modify" not in words
    assert len(words) < 4_000  # each session reads it


@pytest.mark.parametrize(
    ("scope", "first"),
    [
        (("src/playback/",), "Do not modify files outside src/playback/."),
        (("src/**", "docs/"), "Do not modify files outside src/**, docs/."),
        (("!vendor/",), "Do not modify vendor/."),
    ],
)
def test_the_scope_is_a_prohibition(scope: tuple[str, ...], first: str) -> None:
    assert scope_words(scope)[0] == first
    assert f"- {first}\n" in rules(**PLACE, scope=scope)


def test_an_exception_within_the_scope_is_said_as_well() -> None:
    assert scope_words(("src/", "!src/gen/"))[1] == "Do not modify src/gen/ either."


def test_questions_first_is_a_switch() -> None:
    assert "First only read" in rules(**PLACE)
    assert "First only read" not in rules(**PLACE, house=House(questions_first=False))


def test_an_agent_without_our_tool_is_not_sent_to_it() -> None:
    words = rules(**PLACE, can_ask=False)
    assert "ask_human" not in words
    assert "assumed" in words  # it says so in its summary


def test_a_repositorys_own_rules_come_last_and_are_cut() -> None:
    words = rules(**PLACE, house=House("Use British spelling.\nNever touch legal/."))
    assert words.endswith("Rules of this repository:\nUse British spelling.\nNever touch legal/.")
    assert len(rules(**PLACE, house=House("x" * 100_000))) < MOST_HOUSE + 4_000
    assert "Rules of this repository" not in rules(**PLACE, house=House(" \n"))


def test_the_task_is_given_word_for_word_and_the_rules_only_once() -> None:
    task = "Add search\nTask: keep this line\n"
    standing = rules(**PLACE)
    assert first_message(standing, task) == f"{standing}\n\nTask:\n{task}"
    assert first_message(standing, task, has_rules=True) == f"Task:\n{task}"
    again = first_message(standing, task, has_rules=True, more=("Work on this was begun before.", ""))
    assert again == f"Work on this was begun before.\n\nTask:\n{task}"


def test_the_demo_agent_reads_its_allowed_paths_in_it() -> None:
    brief = read_brief(first_message(rules(**PLACE, scope=("src/", "docs/*.md", "!src/gen/")), "Add search"))
    assert (brief.task, brief.allowed) == ("Add search", ("src/", "docs/*.md"))


def test_it_has_a_version() -> None:
    assert PREAMBLE_VERSION == 2


# --- from switchboard.toml into a session --------------------------------------------------------------------------


async def test_a_session_keeps_the_rules_it_began_with(tmp_path: Path) -> None:
    file = tmp_path / "rules.md"
    file.write_text("Use British spelling.")
    async with scene(tmp_path, preamble_file=file, questions_first=False) as stage:
        paper = await stage.place()
        assert paper.rules.endswith("Rules of this repository:\nUse British spelling.")
        assert "First only read" not in paper.rules
        assert f"on branch {paper.place.branch}, made from main" in paper.rules
        file.write_text("Use American spelling.")
        assert ticket.read(stage.session).rules == paper.rules


async def test_rules_that_cannot_be_read_leave_no_session_behind(tmp_path: Path) -> None:
    (tmp_path / "rules.md").write_bytes(b"\xff\xfe\x00")
    for file, words in (
        (tmp_path / "rules.md", "it is no text"),
        (tmp_path / "missing.md", "No such file"),
        (Path("/dev/zero"), "it is no file"),
    ):
        async with scene(tmp_path / file.stem, preamble_file=file) as stage:
            with pytest.raises(RunnerError, match=words):
                await stage.place()
            assert not stage.session.exists()
