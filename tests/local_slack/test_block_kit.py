"""Block Kit is checked with Slack's limits and refused in Slack's words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.local_slack.kit.blocks import message_errors, view_errors
from bot.local_slack.kit.values import fill_ids

Json = dict[str, Any]


def words(text: str, kind: str = "plain_text") -> Json:
    return {"type": kind, "text": text}


def section(text: str = "x", **more: Any) -> Json:
    return {"type": "section", "text": words(text, "mrkdwn"), **more}


def button(action_id: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": words("Go"), **more}


def actions(*elements: Json) -> Json:
    return {"type": "actions", "elements": list(elements)}


def select(count: int, **more: Any) -> Json:
    options = [{"text": words(f"o{number}"), "value": str(number)} for number in range(count)]
    return {"type": "static_select", "action_id": "pick", "options": options, **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": words("T"), "blocks": list(blocks), **more}


def entry(block_id: str = "b") -> Json:
    element = {"type": "plain_text_input", "action_id": f"a-{block_id}"}
    return {"type": "input", "block_id": block_id, "label": words("L"), "element": element}


REFUSED_IN_MESSAGES: list[tuple[list[Any], str]] = [
    ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ([{"type": "section"}], "missing required field: text [json-pointer:/blocks/0]"),
    ([{"type": "bogus"}], "unsupported type: bogus [json-pointer:/blocks/0/type]"),
    ([section()] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    (["words"], "must provide an object [json-pointer:/blocks/0]"),
    ([section(colour="red")], "invalid additional property: colour [json-pointer:/blocks/0]"),
    (
        [{"type": "header", "text": words("x" * 151)}],
        "must be less than 151 characters [json-pointer:/blocks/0/text/text]",
    ),
    ([{"type": "header", "text": words("x", "mrkdwn")}], "unsupported type: mrkdwn [json-pointer:/blocks/0/text/type]"),
    ([section(fields=[words("f")] * 11)], "no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
    (
        [actions(button("x"), button("x"))],
        '`action_id` "x" already exists [json-pointer:/blocks/0/elements/1/action_id]',
    ),
    (
        [actions(button("x")), section(accessory=button("x"))],
        '`action_id` "x" already exists [json-pointer:/blocks/1/accessory/action_id]',
    ),
    (
        [section(block_id="a"), section(block_id="a")],
        '`block_id` "a" already exists [json-pointer:/blocks/1/block_id]',
    ),
    (
        [actions(button("x", text=words("y" * 76)))],
        "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]",
    ),
    (
        [actions(button("x", value="y" * 2001))],
        "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]",
    ),
    ([actions(button("x", style="fancy"))], "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]"),
    (
        [actions(*(button(str(n)) for n in range(26)))],
        "no more than 25 items allowed [json-pointer:/blocks/0/elements]",
    ),
    ([actions(select(101))], "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"),
    (
        [actions(select(1, initial_option={"text": words("no"), "value": "no"}))],
        "must match an option in `options` [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    (
        [actions({"type": "plain_text_input", "action_id": "t"})],
        "unsupported type: plain_text_input [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        [{"type": "context", "elements": [words("x")] * 11}],
        "no more than 10 items allowed [json-pointer:/blocks/0/elements]",
    ),
    (
        [{"type": "markdown", "text": "x" * 7000}, {"type": "markdown", "text": "x" * 7000}],
        "markdown blocks must be less than 12001 characters together [json-pointer:/blocks/1/text]",
    ),
]


@pytest.mark.parametrize(("blocks", "error"), REFUSED_IN_MESSAGES)
def test_a_message_is_refused_in_slacks_words(blocks: list[Any], error: str) -> None:
    assert error in message_errors(blocks)


@pytest.mark.parametrize(
    ("view", "error"),
    [
        (modal(title=words("x" * 25)), "must be less than 25 characters [json-pointer:/view/title/text]"),
        (modal(entry()), "must define `submit` to use an `input` block in modals [json-pointer:/view]"),
        (modal(*[section()] * 101), "no more than 100 items allowed [json-pointer:/view/blocks]"),
        (modal(private_metadata="x" * 3001), "must be less than 3001 characters [json-pointer:/view/private_metadata]"),
        (modal({"type": "markdown", "text": "x"}), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"),
        ("view", "must provide an object [json-pointer:/view]"),
        ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
        ({"type": "home"}, "missing required field: blocks [json-pointer:/view]"),
    ],
)
def test_a_view_is_refused_in_slacks_words(view: Any, error: str) -> None:
    assert error in view_errors(view)


def test_what_slack_takes_is_taken() -> None:
    rows = [
        section("x" * 3000, accessory=button("a", visible_to_user_ids=["U1"], value="v" * 2000)),
        actions(button("b", style="primary", confirm=_confirm()), select(100), _overflow()),
        {"type": "divider"},
        {"type": "header", "text": words("x" * 150)},
        {"type": "context", "elements": [words("small", "mrkdwn")] * 10},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]},
        {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "x"},
        {"type": "markdown", "text": "# x"},
    ]
    assert message_errors(rows) == []
    assert message_errors([section()] * 50) == []
    assert view_errors(modal(entry("one"), entry("two"), submit=words("Send"), close=words("Stop"))) == []
    assert view_errors({"type": "home", "blocks": [section()] * 100}) == []


def _confirm() -> Json:
    return {"title": words("Sure?"), "text": words("Really", "mrkdwn"), "confirm": words("Yes"), "deny": words("No")}


def _overflow() -> Json:
    options = [{"text": words(str(n)), "value": str(n)} for n in range(5)]
    return {"type": "overflow", "action_id": "more", "options": options}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "text", "elements", "accessory", "options", "block_id", "action_id", "element"]),
            inner | st.sampled_from(["section", "actions", "button", "static_select", "input", "plain_text"]),
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(anything)
def test_no_json_at_all_breaks_the_checks_and_what_passes_can_be_filled_in(value: Any) -> None:
    view_errors(value)
    if not message_errors(value):
        filled = fill_ids(value)
        assert all(block["block_id"] for block in filled)
        assert message_errors(filled) == []


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 3100))
def test_the_limits_are_exactly_slacks(count: int, length: int) -> None:
    accepted = not message_errors([section("x" * length) for _ in range(count)])
    assert accepted == (count <= 50 and (count == 0 or 1 <= length <= 3000))
