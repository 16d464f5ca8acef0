"""Questions beyond plain choices: assumptions, boxes to tick, grants for a session, commands too long for a card."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.intents import Choose, Note
from bot.domain.views import Answered, DecisionLine, QuestionCard, Withdrawn
from bot.slack.actions import Act, Verb
from bot.slack.blocks import digest
from bot.slack.blocks.question import question_card
from bot.slack.meaning import meaning
from bot.wire.types import Answer, Option, Person, PersonId, Question, QuestionId, QuestionKind, Urgency
from tests.slack import samples
from tests.slack.limits import elements
from tests.slack.samples import NOW, SEARCH, assumed, question
from tests.slack.test_cards import buttons, first

BY = "<!date^1795444200^{time}|14:30 UTC>"
ALWAYS = Option("always", "Always allow `git` in this session")
GIT = question(
    QuestionKind.PERMISSION,
    title="Run git?",
    detail="git push",
    options=(Option("allow", "Allow"), ALWAYS, Option("deny", "Deny")),
)


# --- assumed --------------------------------------------------------------------------------------------------------


def test_an_assumption_says_what_goes_on_and_until_when_it_can_be_vetoed() -> None:
    message = question_card(samples.question_card(assumed()))
    assert first(message) == f"💭 *search* · Which index? · Going on with *FTS* unless somebody objects by {BY}"
    assert buttons(message) == ["Keep FTS", "Tantivy instead", "Something else…"]
    styles = [element.get("style") for element in elements(list(message.blocks))]
    assert styles == [None, None, None]
    assert "works on meanwhile" in message.text


def test_words_that_are_assumed_can_only_be_objected_to() -> None:
    name = question(QuestionKind.TEXT, title="Which name?", urgency=Urgency.ASSUMED, default="catalogue")
    message = question_card(samples.question_card(name))
    assert first(message) == "💭 *search* · Which name? · Going on with *catalogue* unless somebody objects"
    assert buttons(message) == ["Say otherwise…"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answered": samples.answered("fts", "FTS", applied=True)}, "☑️ *search* · Which index? → *FTS*, as assumed"),
        (
            {"answered": samples.answered("tantivy", "Tantivy")},
            "☑️ *search* · Which index? → *Tantivy* instead of *FTS*",
        ),
        (
            {"withdrawn": Withdrawn(NOW, "went on with “FTS”: nobody objected")},
            "💭 *search* · Which index? → went on with *FTS*",
        ),
        ({"withdrawn": Withdrawn(NOW, "the session ended")}, "⚪ *search* · Which index? · withdrawn"),
    ],
)
def test_how_an_assumption_ends(change: dict[str, Any], words: str) -> None:
    message = question_card(samples.question_card(assumed(), **change))
    assert first(message) == words
    assert buttons(message) == []


def test_a_digest_says_of_an_assumption_what_happens_without_an_answer() -> None:
    line = DecisionLine(1, SEARCH, "search", NOW, question=assumed())
    message = digest.digest(samples.digest(decisions=(line,)))
    assert f"1 💭 *search* · Which index? · Going on with *FTS* unless somebody objects by {BY}" in message.text
    assert buttons(message)[:3] == ["Keep FTS", "Tantivy instead", "Something else…"]


# --- boxes ----------------------------------------------------------------------------------------------------------


def shops(count: int) -> Question:
    options = tuple(Option(f"o{n}", f"Shop {n}") for n in range(count))
    return question(title="Which shops?", multiple=True, options=options)


@pytest.mark.parametrize(("count", "kind"), [(10, "checkboxes"), (11, "multi_static_select")])
def test_several_may_be_chosen_and_only_send_answers(count: int, kind: str) -> None:
    message = question_card(samples.question_card(shops(count)))
    block: Any = next(block for block in message.blocks if block["type"] == "input")
    assert block["element"]["type"] == kind
    assert not block.get("dispatch_action")
    assert buttons(message) == ["Send", "None of these…", "Later"]
    assert message.text.count("Shop 7") == 1


class Kept:
    """One question, as the services would show it."""

    def __init__(self, asked: Question | None) -> None:
        self._asked = asked

    async def question(self, id: QuestionId) -> QuestionCard | None:  # noqa: A002 - the service's own name
        return samples.question_card(self._asked) if self._asked else None


def ticks(*named: int) -> dict[str, tuple[Act, ...]]:
    return {"picks.1": tuple(Act(Verb.PICK, "s1234abcd.q1", f"o{n}", n) for n in named)}


SEND = Act(Verb.SEND, "s1234abcd.q1", "picks.1")


async def test_what_is_ticked_is_sent_in_the_questions_order() -> None:
    assert await meaning(SEND, Kept(shops(4)), ticks(3, 1)) == Choose(SEND_ID, "", options=("o1", "o3"))


SEND_ID = QuestionId("s1234abcd.q1")


async def test_an_option_whose_id_is_too_long_to_travel_is_known_by_its_place() -> None:
    options = tuple(Option("x" * 300 + str(n), f"Shop {n}") for n in range(3))
    asked = question(multiple=True, options=options)
    element: Any = next(b for b in question_card(samples.question_card(asked)).blocks if b["type"] == "input")[
        "element"
    ]
    (kind, ref, arg, place) = json.loads(element["options"][2]["value"])
    assert (kind, ref, arg, place) == ("pick", "s1234abcd.q1", "", 2)
    sent = await meaning(SEND, Kept(asked), {"picks.1": (Act(Verb.PICK, ref, arg, place),)})
    assert sent == Choose(SEND_ID, "", options=(options[2].id,))


async def test_nothing_ticked_and_things_not_on_offer_are_no_answer() -> None:
    for ticked in ({}, ticks(), {"picks.1": (Act(Verb.PICK, "s1234abcd.q1", "forged", 0),)}, ticks(1, 77)):
        said = await meaning(SEND, Kept(shops(4)), ticked)
        assert isinstance(said, Note)
        assert said.problem
    assert isinstance(await meaning(SEND, Kept(None), ticks(1)), Note)


# --- permissions ----------------------------------------------------------------------------------------------------


def test_always_is_offered_beside_allow_and_never_in_green() -> None:
    recommended = tuple(Option(o.id, o.label, o.description, recommended=True) for o in GIT.options)
    for asked in (GIT, question(QuestionKind.PERMISSION, detail="git push", options=recommended)):
        message = question_card(samples.question_card(asked))
        assert buttons(message)[:3] == ["Allow", "Always allow `git` in this session", "Deny"]
        style = [element.get("style") for element in elements(list(message.blocks))]
        assert style[1] is None


def test_a_grant_that_a_button_cannot_say_is_told_above_it() -> None:
    always = Option("always", "always", "Every command that begins with git, in any folder below the worktree")
    message = question_card(samples.question_card(question(QuestionKind.PERMISSION, detail="git", options=(always,))))
    assert "_Always allow in this session_: Every command that begins with git" in message.text
    assert "Always allow in this session" in buttons(message)


def test_a_list_grants_for_once_only() -> None:
    message = digest.digest(samples.digest(decisions=(DecisionLine(1, SEARCH, "search", NOW, question=GIT),)))
    assert buttons(message) == ["Allow", "Deny", "Deny and stop", "Deny and tell it…"]


def test_a_command_of_20_kb_stands_as_a_file_and_its_beginning_on_the_card() -> None:
    asked = question(QuestionKind.PERMISSION, detail="\n".join(f"echo {n:04}" for n in range(2000)))
    message = question_card(samples.question_card(asked, as_file=True))
    assert "echo 0000" in message.text
    assert "echo 0500" not in message.text
    assert "the whole is a file in this thread" in message.text
    assert buttons(message)[-1] == "Show in full"


def test_what_nobody_can_see_in_a_command_is_said() -> None:
    asked = question(QuestionKind.PERMISSION, detail="rm -rf build \u202e# txt.evil")
    assert "characters that nobody can see" in question_card(samples.question_card(asked)).text
    listed = digest.digest(samples.digest(decisions=(DecisionLine(1, SEARCH, "search", NOW, question=asked),)))
    assert "Allow" not in buttons(listed)


def test_a_veto_that_came_too_late_says_so() -> None:
    answer = Answer(SEND_ID, Person(PersonId("U0ANA"), "Ana"), option="tantivy")
    late = Answered(PersonId("U0ANA"), NOW, answer, "Tantivy", applied=False)
    assert "the session had moved on" in question_card(samples.question_card(assumed(), answered=late)).text
    assert (
        "had moved on" not in question_card(samples.question_card(assumed(), answered=replace(late, applied=True))).text
    )
