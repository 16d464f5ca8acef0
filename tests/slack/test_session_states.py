"""A session's card at each of its lights, read as a person reads it: one state, nothing old, nothing twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.intents import StatusOf
from bot.domain.views import Light
from bot.slack import text
from bot.slack.blocks.session import row, session_card, status
from tests.slack import samples

REVIEW = "Review 3f2c1a9: Sessions expire after 12 h."
SILENT = "Its host laptop is silent: answers are taken now and delivered on wake."
STATES: dict[Light, tuple[dict[str, Any], str, str]] = {
    Light.STARTING: ({"line": "", "steps_done": 0, "steps_total": 0}, "", "starting"),
    Light.WORKING: ({}, "4/6 · running tests", "working · 4/6 · running tests"),
    Light.NEEDS_YOU: (
        {"line": "Which index?", "decisions": ("Which index?",)},
        "4 of 6 steps\nWaiting for a decision:\n• Which index?",
        "Which index?",
    ),
    Light.REVIEW: ({"decisions": (REVIEW,)}, f"4 of 6 steps\nWaiting for a decision:\n• {REVIEW}", REVIEW),
    Light.MERGING: ({}, "4 of 6 steps", "merging · 4 of 6 steps"),
    Light.STOPPED: (
        {"detail": "I read the index.\nThere is nothing to do."},
        "4 of 6 steps\nI read the index.\nThere is nothing to do.",
        "stopped · I read the index.",
    ),
    Light.PAUSED: ({}, "4/6 · running tests", "paused · 4/6 · running tests"),
    Light.ASLEEP: ({"detail": SILENT}, f"4/6 · running tests\n{SILENT}", "asleep · 4/6 · running tests"),
    Light.LIMITED: (
        {"detail": "The usage limit is reached.", "limited_until": samples.NOW + timedelta(hours=4)},
        "4 of 6 steps\nThe usage limit is reached.\nIt goes on by itself then",
        "asleep until <!date^1795456800^{time}|18:00 UTC> · The usage limit is reached.",
    ),
    Light.STOPPING: ({}, "4/6 · running tests", "stopping · 4/6 · running tests"),
    Light.FAILED: ({"detail": "no disk left"}, "4 of 6 steps\nno disk left", "failed · no disk left"),
    Light.MERGED: ({"open": False, "detail": "git merge --ff-only x"}, "git merge --ff-only x", "merged"),
    Light.ENDED: ({"open": False, "detail": "git switch x"}, "git switch x", "ended"),
}
"""Light → what the view holds besides, the card's body, and its line in a list."""
WORDS = {Light.LIMITED: "asleep until <!date^1795456800^{time}|18:00 UTC>"}
"""Where the first line says more than the light's name."""


def test_every_light_is_read() -> None:
    assert set(STATES) == set(Light)


@pytest.mark.parametrize("light", Light)
def test_the_card(light: Light) -> None:
    facts, body, _ = STATES[light]
    view = samples.session_card(light=light, **facts)
    first, *rest = session_card(view).text.split("\n")
    assert first == f"{text.EMOJI[light]} *search* · {WORDS.get(light, light.value)} · Add search to the shop"
    shown = "\n".join(words for words in rest[:-1] if not words.startswith("["))
    assert shown == body
    lit = "asleep" if light is Light.LIMITED else light.value
    assert (f" · {lit} <!date" in rest[-1]) == (not view.open)
    assert (f" · {lit} since <!date" in rest[-1]) == view.open
    assert ("next digest <!date" in rest[-1]) == view.open


@pytest.mark.parametrize("light", Light)
def test_its_line_in_a_list(light: Light) -> None:
    facts, _, line = STATES[light]
    assert row(samples.session_card(light=light, **facts)) == f"{text.EMOJI[light]} *search* · {line}"


def test_a_status_says_last_words_once() -> None:
    said = "There is nothing to do."
    view = samples.session_card(light=Light.STOPPED, line=said, detail=said)
    assert status(StatusOf(view, last_words=said)).text.count(said) == 1
