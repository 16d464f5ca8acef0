"""Slack's own libraries take the workspace for Slack: one round trip of everything that matters most."""

from __future__ import annotations

from typing import Any

from tests.local_slack.conftest import Inbox, Place, bolt, connected


async def test_a_bolt_app_hears_a_person_and_answers_in_the_thread(place: Place, inbox: Inbox) -> None:
    app = bolt(place)

    @app.event("message")
    async def heard(body: dict[str, Any], say: Any, event: dict[str, Any]) -> None:
        await inbox.put(body)
        await say(text=f"you said {event['text']}", thread_ts=event["ts"])

    ana = place.person()
    async with connected(place, app), ana.watching() as next_push:
        ts = await ana.say(place.sessions, "hello & <b>")
        event = (await inbox.event("message"))["event"]
        assert event["text"] == "hello &amp; &lt;b&gt;"
        assert event["channel_type"] == "channel"
        assert event["user"] == ana.id
        assert (await next_push("message"))["message"]["ts"] == ts
        assert (await next_push("message"))["message"]["text"] == "you said hello &amp; &lt;b&gt;"
    thread = (await ana.get("thread", channel=place.sessions, ts=ts))["messages"]
    assert thread[0]["ts"] == ts
    assert len(thread) == 2
    assert await ana.notified() == [("thread_reply", "you said hello & <b>")]


async def test_a_command_opens_a_modal_and_its_submission_is_answered(place: Place, inbox: Inbox) -> None:
    app = bolt(place)

    @app.command("/probe")
    async def command(ack: Any, body: dict[str, Any], client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @app.view("ask")
    async def submitted(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        await ack()
        await inbox.put(view["state"]["values"])

    ana = place.person()
    async with connected(place, app), ana.watching() as next_push:
        assert (await ana.post("command", channel=place.sessions, command="/probe", text="x"))["ok"]
        view = (await next_push("view_opened"))["view"]
        refused = await ana.post("view/submit", view_id=view["id"], state={"values": {}})
        assert refused["errors"] == {"why": "Please complete this required field."}
        values = {"why": {"words": {"value": "because"}}}
        assert (await ana.post("view/submit", view_id=view["id"], state={"values": values}))["result"] == "closed"
        assert await inbox.next() == {"why": {"words": {"type": "plain_text_input", "value": "because"}}}


async def test_a_button_is_pressed_and_the_card_is_edited(place: Place, inbox: Inbox) -> None:
    app = bolt(place)

    @app.action("go")
    async def pressed(ack: Any, body: dict[str, Any], respond: Any) -> None:
        await ack()
        await respond(text="gone", replace_original=True)
        await inbox.put(body)

    ana = place.person()
    async with connected(place, app):
        button = {"type": "button", "action_id": "go", "value": "7", "text": {"type": "plain_text", "text": "Go"}}
        blocks = [{"type": "actions", "block_id": "row", "elements": [button]}]
        posted = await place.api.chat_postMessage(channel=place.sessions, text="card", blocks=blocks)
        container = {"type": "message", "channel": place.sessions, "ts": posted["ts"]}
        action = {"block_id": "row", "action_id": "go", "type": "button", "value": "7"}
        assert (await ana.post("action", container=container, action=action))["ok"]
        body = await inbox.next()
    assert body["actions"][0]["value"] == "7"
    assert body["message"]["ts"] == posted["ts"]
    assert [message["text"] for message in await ana.history(place.sessions)] == ["gone"]


MODAL = {
    "type": "modal",
    "callback_id": "ask",
    "title": {"type": "plain_text", "text": "Why"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": {"type": "plain_text", "text": "Why?"},
            "element": {"type": "plain_text_input", "action_id": "words"},
        }
    ],
}
