"""A long command was once cut without a word, with Allow beside it; in a digest after a few lines already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.views import DecisionLine, DigestView, HomeView
from bot.slack import text
from bot.slack.blocks import digest
from bot.slack.blocks.question import question_card
from bot.wire.types import Question, QuestionKind
from tests.slack import samples
from tests.slack.limits import elements
from tests.slack.samples import ANA, NOW, SEARCH
from tests.slack.test_cards import buttons

LINK = "https://example.slack.com/archives/C1/p1"
LONG = "\n".join(f"rm -rf build/{n}" for n in range(400))
MIDDLING = "\n".join(f"rm -rf build/{n}" for n in range(60))


def permission(**facts: Any) -> Question:
    return samples.question(QuestionKind.PERMISSION, **{"title": "Run this?", "context": "", **facts})


def listed(question: Question, link: str = LINK) -> list[list[dict[str, Any]]]:
    """The blocks of the two lists that decisions stand in."""
    line = DecisionLine(1, SEARCH, "search", NOW - timedelta(hours=1), link=link, question=question)
    home = digest.home(HomeView(ANA, NOW, decisions=(line,)), "/session")
    return [list(digest.digest(DigestView(1, ANA, NOW, decisions=(line,))).blocks), list(home["blocks"])]  # type: ignore[call-overload]


def labels(blocks: list[dict[str, Any]]) -> list[str]:
    return [element["text"]["text"] for element in elements(blocks) if element["type"] == "button"]


def test_a_card_says_how_much_of_the_command_it_leaves_out() -> None:
    message = question_card(samples.question_card(permission(detail=LONG)))
    shown = message.text.count("rm -rf build/")
    assert f"{400 - shown} more lines: Show in full" in message.text
    assert "Show in full" in buttons(message)
    whole = question_card(samples.question_card(permission(detail=MIDDLING)))
    assert "more line" not in whole.text


def test_one_endless_line_is_counted_in_characters() -> None:
    code, left = text.fence_part("x" * 5000, 2800)
    assert left == f"{5000 - code.count('x'):,} more characters"


@pytest.mark.parametrize(
    "facts",
    [
        {"detail": MIDDLING},
        {"detail": LONG},
        {"detail": "`" * 600},
        {"detail": "make", "context": "because " * 60},
        {"detail": "make", "title": "Run " + "x" * 300},
    ],
)
def test_a_list_allows_nothing_that_it_does_not_show_whole(facts: dict[str, str]) -> None:
    for blocks in listed(permission(**facts)):
        assert "Allow" not in labels(blocks)
        assert {"Open its thread", "Deny", "Show in full"} <= set(labels(blocks))
        assert [e["url"] for e in elements(blocks) if e.get("url")] == [LINK]
        assert "in its thread only" in str(blocks)


def test_without_an_address_it_still_says_where() -> None:
    for blocks in listed(permission(detail=LONG), link=""):
        assert not {"Allow", "Open its thread"} & set(labels(blocks))
        assert "in its thread only" in str(blocks)


def test_what_is_shown_whole_is_allowed_in_place() -> None:
    for blocks in listed(permission(detail="make test")):
        assert "Allow" in labels(blocks)
        assert "Open its thread" not in labels(blocks)


@given(st.text(alphabet="a`&<\n é", max_size=1500))
def test_nothing_is_left_out_unsaid(detail: str) -> None:
    code, left = text.fence_part(detail, 700)
    assert text.size(code) <= 700
    if not left:
        assert code == text.fence(detail, 100_000)
