"""Several questions on one card: each with its own controls and its own line once it is settled."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from bot.domain.views import QuestionCard, Withdrawn
from bot.slack.actions import unpack
from bot.slack.blocks.kit import Message
from bot.slack.blocks.question import question_card
from bot.wire.types import Option, QuestionKind
from tests.slack import samples
from tests.slack.limits import elements, message_problems
from tests.slack.samples import ANA, NOW, question
from tests.slack.test_cards import buttons, first

SHOPS = question(
    title="Which shops?", multiple=True, options=(Option("b", "Books", "120,000 items"), Option("g", "Games"))
)
NAME = question(QuestionKind.TEXT, title="Which name?")


def three(**changes: object) -> QuestionCard:
    return samples.together(question(), SHOPS, NAME, **changes)


def settle(card: QuestionCard, number: int, **how: object) -> QuestionCard:
    if number == 1:
        return replace(card, **how)  # type: ignore[arg-type]
    others = list(card.others)
    others[number - 2] = replace(others[number - 2], **how)  # type: ignore[arg-type]
    return replace(card, others=tuple(others))


def blocks(message: Message) -> list[dict[str, Any]]:
    return json.loads(json.dumps(list(message.blocks)))  # type: ignore[no-any-return]


def test_the_first_line_says_all_that_is_asked() -> None:
    message = question_card(three(mention=ANA))
    assert first(message) == "❓ *search* · 3 questions: Which index? · Which shops? · Which name? · <@U0ANA>"
    assert buttons(message) == [
        *("FTS · recommended", "Tantivy", "Other…"),
        *("Send", "None of these…"),
        *("Answer…", "Later"),
    ]
    assert "☐ Books · 120,000 items" in message.text
    assert message.text.count("<@U0ANA>") == 1


def test_each_control_speaks_for_its_own_question() -> None:
    acts = [unpack(element["value"]) for element in elements(blocks(question_card(three()))) if "value" in element]
    refs = [act.ref.split(".")[1] for act in acts if act]
    assert refs == ["q1", "q1", "q1", "q2", "q2", "q3", "q1"]


def test_what_is_settled_is_one_line_and_the_rest_is_still_asked() -> None:
    card = settle(three(mention=ANA), 1, answered=samples.answered(by_name="Ana", applied=True))
    message = question_card(card)
    assert first(message) == "❓ *search* · 2 of 3 questions left: Which shops? · Which name? · <@U0ANA>"
    assert "☑️ *1* · Which index? → *FTS*\nAna · " in message.text
    assert "given with the others" in message.text
    assert buttons(message) == ["Send", "None of these…", "Answer…", "Later"]


def test_the_boxes_keep_their_name_when_another_question_is_settled() -> None:
    def boxes(card: QuestionCard) -> Any:
        return next(block for block in question_card(card).blocks if block["type"] == "input")

    before, after = boxes(three()), boxes(settle(three(), 1, answered=samples.answered()))
    assert before == after


def test_a_card_that_is_settled_calls_nobody_and_counts() -> None:
    done = samples.answered(by_name="Ana", applied=True)
    card = three(mention=ANA)
    for number in (1, 2, 3):
        card = settle(card, number, answered=done)
    message = question_card(card)
    assert first(message) == "☑️ *search* · 3 questions, all answered"
    assert "<@" not in message.text
    assert buttons(message) == []
    mixed = question_card(settle(card, 3, answered=None, withdrawn=Withdrawn(NOW, "the session ended")))
    assert first(mixed) == "☑️ *search* · 3 questions, 2 answered, 1 withdrawn"
    assert "⚪ *3* · Which name? · withdrawn: the session ended" in mixed.text


def test_forty_questions_fit_and_the_last_come_up_as_the_first_are_answered() -> None:
    long = question(context="c" * 2000, detail="d\n" * 4000)
    card = samples.together(*[long] * 40)
    message = question_card(card)
    assert message_problems(message.text, blocks(message)) == []
    last = [block["elements"][0]["text"] for block in blocks(message) if block["type"] == "context"][-2]
    assert last.startswith("and ")
    assert last.endswith("more: they come up here once these are answered")
    assert buttons(message).count("Show in full") >= 10


def test_a_question_of_a_group_that_is_cut_can_be_read_in_full() -> None:
    card = samples.together(question(context="c" * 900), NAME)
    assert "Show in full" in buttons(question_card(card))
    assert "Show in full" not in buttons(question_card(samples.question_card(question(context="c" * 900))))
