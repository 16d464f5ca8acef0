"""Slack's JSON, well formed and not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import payloads
from bot.slack.actions import Act, Verb
from bot.slack.blocks.forms import Context, Form
from bot.slack.payloads import Deleted, HomeOpened, Me, Replied, Said

ME = Me("UBOT", "BBOT", "T1")


def event(**inner: Any) -> dict[str, Any]:
    return {"type": "event_callback", "event_id": "Ev1", "event": inner}


def message(**changes: Any) -> dict[str, Any]:
    return event(**{"type": "message", "channel": "C1", "user": "U0ANA", "ts": "2.0", "text": "hi", **changes})


def test_a_mention_is_a_command_in_its_thread() -> None:
    body = event(type="app_mention", channel="C1", user="U0ANA", ts="2.0", thread_ts="1.0", text="<@UBOT> stop")
    said = payloads.event(body, ME)
    assert isinstance(said, Said)
    assert (said.words, said.origin.surface, said.origin.thread_ts) == ("stop", "mention", "1.0")
    assert said.origin.key == "Ev1"
    assert said.back.person == "U0ANA"


def test_a_reply_keeps_its_thread() -> None:
    reply = payloads.event(message(thread_ts="1.0"), ME)
    assert isinstance(reply, Replied)
    assert (reply.words, reply.origin.ts, reply.origin.thread_ts) == ("hi", "2.0", "1.0")


@pytest.mark.parametrize(
    "changes",
    [
        {},  # a message in a channel, in no thread
        {"thread_ts": "1.0", "bot_id": "B9"},
        {"thread_ts": "1.0", "user": "UBOT"},
        {"thread_ts": "1.0", "text": "<@UBOT> stop"},  # comes as app_mention
        {"thread_ts": "1.0", "text": "  "},
        {"thread_ts": "1.0", "subtype": "channel_join"},
        {"thread_ts": "1.0", "subtype": "message_changed", "message": {"user": "U0ANA", "text": "edited"}},
        {"subtype": "message_deleted", "deleted_ts": "1.0", "previous_message": {"user": "U0ANA", "ts": "1.0"}},
    ],
)
def test_what_is_left_alone(changes: dict[str, Any]) -> None:
    assert payloads.event(message(**changes), ME) is None


def test_a_direct_message_is_a_command_and_in_a_thread_a_reply() -> None:
    assert isinstance(payloads.event(message(channel_type="im", channel="D1", text="list"), ME), Said)
    assert isinstance(payloads.event(message(channel_type="im", channel="D1", thread_ts="1.0"), ME), Replied)
    mentioned = payloads.event(message(channel_type="im", channel="D1", thread_ts="1.0", text="<@UBOT> stop"), ME)
    assert isinstance(mentioned, Said)
    assert mentioned.words == "stop"


def test_our_own_card_deleted() -> None:
    gone = {"bot_id": "BBOT", "ts": "1.0", "text": "card"}
    body = message(subtype="message_deleted", deleted_ts="1.0", previous_message=gone)
    del body["event"]["user"]
    assert payloads.event(body, ME) == Deleted("C1", "1.0")


def test_home_opened() -> None:
    assert payloads.event(event(type="app_home_opened", user="U0ANA", tab="home"), ME) == HomeOpened("U0ANA")  # type: ignore[arg-type]
    assert payloads.event(event(type="app_home_opened", user="U0ANA", tab="messages"), ME) is None


def click(**changes: Any) -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U0ANA"},
        "trigger_id": "T.1",
        "response_url": "https://hooks.example/1",
        "container": {"type": "message", "channel_id": "C1", "message_ts": "2.0", "thread_ts": "1.0"},
        "actions": [{"action_id": "choose.1", "action_ts": "9.1", "value": Act(Verb.CHOOSE, "q1", "fts", 0).pack()}],
        **changes,
    }


def test_a_click() -> None:
    clicked = payloads.action(click())
    assert clicked is not None
    assert clicked.act == Act(Verb.CHOOSE, "q1", "fts", 0)
    assert (clicked.origin.channel, clicked.origin.ts, clicked.origin.thread_ts) == ("C1", "2.0", "1.0")
    assert clicked.back.trigger == "T.1"


def test_a_choice_from_a_menu() -> None:
    chosen = {
        "action_id": "choose.1",
        "action_ts": "9.1",
        "selected_option": {"value": Act(Verb.CHOOSE, "q1", "b").pack()},
    }
    clicked = payloads.action(click(actions=[chosen]))
    assert clicked is not None
    assert clicked.act.arg == "b"


def test_two_clicks_have_two_keys_and_one_click_repeated_has_one() -> None:
    first, again = payloads.action(click()), payloads.action(click())
    second = payloads.action(click(actions=[{**click()["actions"][0], "action_ts": "9.2"}]))
    assert first is not None
    assert again is not None
    assert second is not None
    assert first.origin.key == again.origin.key != second.origin.key


def test_a_form() -> None:
    state = {
        "task": {"task": {"type": "plain_text_input", "value": " Do it "}},
        "repo": {"repo": {"type": "static_select", "selected_option": {"value": "shop"}}},
        "reviewer": {"reviewer": {"type": "users_select", "selected_user": "U0BEN"}},
        "name": {"name": {"type": "plain_text_input", "value": None}},
    }
    view = {
        "id": "V1",
        "callback_id": "start",
        "private_metadata": Context(channel="C1").pack(),
        "state": {"values": state},
    }
    sent = payloads.submission({"type": "view_submission", "user": {"id": "U0ANA"}, "trigger_id": "T.2", "view": view})
    assert sent is not None
    assert sent.form is Form.START
    assert sent.values == {"task": "Do it", "repo": "shop", "reviewer": "U0BEN", "name": ""}
    assert sent.context.channel == "C1"


def test_a_shortcut_on_a_message() -> None:
    used = payloads.shortcut(
        {
            "type": "message_action",
            "callback_id": "tell",
            "trigger_id": "T.3",
            "user": {"id": "U0ANA"},
            "channel": {"id": "C1"},
            "message": {"ts": "2.0", "thread_ts": "1.0", "text": "hi"},
        }
    )
    assert used is not None
    assert (used.callback, used.words, used.origin.thread_ts) == ("tell", "hi", "1.0")


@pytest.mark.parametrize("place", ["message", "view"])
def test_what_is_ticked_comes_with_the_button_that_sends_it(place: str) -> None:
    ticked = {"selected_options": [{"value": Act(Verb.PICK, "q1", "fts", 0).pack(150)}, {"value": "not ours"}]}
    state = {"values": {"picks.1": {"picks.1": {"type": "checkboxes", **ticked}}, "other": {"x": {"value": "hi"}}}}
    body: dict[str, Any] = {
        "user": {"id": "U0ANA"},
        "actions": [{"value": Act(Verb.SEND, "q1", "picks.1").pack(), "action_id": "send.2", "action_ts": "1.0"}],
        "container": {"type": place, "channel_id": "C1", "message_ts": "1.0"},
        **({"state": state} if place == "message" else {"view": {"id": "V1", "state": state}}),
    }
    clicked = payloads.action(body)
    assert clicked is not None
    assert clicked.picked == {"picks.1": (Act(Verb.PICK, "q1", "fts", 0),), "other": ()}


def test_a_tick_alone_is_no_click() -> None:
    body = {"user": {"id": "U0ANA"}, "actions": [{"type": "checkboxes", "selected_options": [{"value": "[]"}]}]}
    assert payloads.action(body) is None


KEYS = [
    *("type", "event", "user", "id", "channel", "ts", "text", "actions", "value", "view", "state", "values"),
    *("container", "message", "previous_message", "subtype", "callback_id", "user_id", "private_metadata"),
    *("selected_options", "picks.1"),
]
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


BODY = ["event", "user", "actions", "view", "container", "message", "user_id", "state"]


@given(st.dictionaries(st.sampled_from(BODY), junk))
def test_junk_never_raises(body: dict[str, Any]) -> None:
    payloads.event(body, ME)
    payloads.command(body)
    payloads.action(body)
    payloads.submission(body)
    payloads.shortcut(body)


@given(
    st.sampled_from(["message", "app_mention", "app_home_opened", "user_change"]),
    st.dictionaries(st.text(max_size=6), junk),
)
def test_junk_inside_events_never_raises(kind: str, inner: dict[str, Any]) -> None:
    payloads.event({"event": {**inner, "type": kind}}, ME)
