"""Buttons, selects, shortcuts, modals and response_urls: complete payloads, Slack's rules, a person's view of both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.local_slack.manifest import AppManifest
from tests.local_slack.clock import ManualClock
from tests.local_slack.conftest import Inbox, Person, Place, bolt, connected, place_in

Json = dict[str, Any]


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def button(action_id: str, **more: Any) -> Json:
    return {"type": "button", "action_id": action_id, "text": words(action_id), "value": "v", **more}


def option(value: str) -> Json:
    return {"text": words(value.upper()), "value": value}


def row(*elements: Json, block_id: str = "row") -> Json:
    return {"type": "actions", "block_id": block_id, "elements": list(elements)}


def entry(block_id: str, **more: Any) -> Json:
    element = {"type": "plain_text_input", "action_id": "words", **more}
    return {"type": "input", "block_id": block_id, "label": words("L"), "element": element}


def modal(*blocks: Json, **more: Any) -> Json:
    base = {"type": "modal", "callback_id": "v", "title": words("T"), "submit": words("S"), "blocks": list(blocks)}
    return base | more


@pytest.fixture
async def app(place: Place, inbox: Inbox) -> Any:
    """An app that acknowledges every action and keeps its payload."""
    found = bolt(place)

    @found.action(re.compile(".*"))
    async def acted(ack: Any, body: Json) -> None:
        await ack()
        await inbox.put(body)

    return found


async def press(person: Person, channel: str, ts: str, action_id: str, **more: Any) -> Json:
    container = {"type": "message", "channel": channel, "ts": ts}
    state = more.pop("state", {})
    action = {"block_id": "row", "action_id": action_id, "type": "button", **more}
    return await person.post("action", container=container, action=action, state=state)


async def test_a_press_in_a_thread_carries_everything_slack_sends(place: Place, app: Any, inbox: Inbox) -> None:
    ana, api = place.person(), place.api
    parent = (await api.chat_postMessage(channel=place.sessions, text="parent"))["ts"]
    pick = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    blocks = [row(button("go", style="primary"), pick)]
    posted = await api.chat_postMessage(channel=place.sessions, text="c", blocks=blocks, thread_ts=parent)
    async with connected(place, app):
        state = {"values": {"row": {"pick": {"selected_option": {"value": "b"}}}}}
        assert (await press(ana, place.sessions, posted["ts"], "go", state=state))["ok"]
        body = await inbox.next()
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": place.sessions,
        "is_ephemeral": False,
        "thread_ts": parent,
    }
    assert body["channel"] == {"id": place.sessions, "name": "sessions"}
    assert body["message"]["thread_ts"] == parent
    assert body["state"]["values"] == {"row": {"pick": {"type": "static_select", "selected_option": option("b")}}}
    assert body["user"]["id"] == ana.id
    action = dict(body["actions"][0])
    assert float(action.pop("action_ts")) > 0
    assert action == {
        "type": "button",
        "action_id": "go",
        "block_id": "row",
        "text": words("go"),
        "value": "v",
        "style": "primary",
    }
    assert body["response_url"].startswith(place.running.url)
    assert body["trigger_id"]


async def test_only_what_is_on_offer_can_be_chosen(place: Place, app: Any, inbox: Inbox) -> None:
    ana, ben = place.person(), place.person("ben")
    pick = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    more = {"type": "overflow", "action_id": "more", "options": [option("x")]}
    private = button("mine", visible_to_user_ids=[ana.id])
    posted = await place.api.chat_postMessage(channel=place.sessions, text="c", blocks=[row(pick, more, private)])
    ts = posted["ts"]
    async with connected(place, app):
        wrong = await press(ana, place.sessions, ts, "pick", selected_option={"value": "z"})
        assert (wrong["ok"], wrong["error"]) == (False, "bad_option")
        assert (await press(ana, place.sessions, ts, "pick", selected_option={"value": "b"}))["ok"]
        assert (await inbox.next())["actions"][0]["selected_option"] == option("b")
        assert (await press(ana, place.sessions, ts, "more", selected_option={"value": "x"}))["ok"]
        assert (await inbox.next())["actions"][0]["selected_option"] == option("x")
        assert (await press(ana, place.sessions, ts, "nothing"))["error"] == "action_not_found"
        assert (await press(ben, place.sessions, ts, "mine"))["error"] == "action_not_found"
        assert (await press(ana, place.sessions, ts, "mine"))["ok"]
    assert len((await ben.history(place.sessions))[0]["blocks"][0]["elements"]) == 2
    assert len((await ana.history(place.sessions))[0]["blocks"][0]["elements"]) == 3


async def test_a_click_from_a_client_a_moment_behind_still_arrives(place: Place, app: Any, inbox: Inbox) -> None:
    ana = place.person()
    ts = (await place.api.chat_postMessage(channel=place.sessions, text="c", blocks=[row(button("go"))]))["ts"]
    async with connected(place, app):
        await place.api.chat_update(channel=place.sessions, ts=ts, text="answered", blocks=[])
        assert (await press(ana, place.sessions, ts, "go"))["ok"]
        assert (await inbox.next())["actions"][0]["action_id"] == "go"
        await place.api.chat_delete(channel=place.sessions, ts=ts)
        assert (await press(ana, place.sessions, ts, "go"))["error"] == "message_not_found"


async def test_without_an_app_the_person_is_told(place: Place) -> None:
    ts = (await place.api.chat_postMessage(channel=place.sessions, text="c", blocks=[row(button("go"))]))["ts"]
    answer = await press(place.person(), place.sessions, ts, "go")
    assert (answer["ok"], answer["error"]) == (False, "dispatch_failed")
    assert "did not respond" in answer["message"]


async def test_a_response_url_replaces_deletes_and_runs_out(place: Place, app: Any, inbox: Inbox) -> None:
    ana = place.person()
    await place.api.chat_postEphemeral(channel=place.sessions, user=ana.id, text="q", blocks=[row(button("go"))])
    shown = (await ana.history(place.sessions))[0]
    async with connected(place, app), aiohttp.ClientSession() as http:
        assert (await press(ana, place.sessions, shown["ts"], "go"))["ok"]
        body = await inbox.next()
        assert body["container"]["is_ephemeral"] is True
        assert "message" not in body

        async def respond(**args: Any) -> tuple[int, str]:
            async with http.post(body["response_url"], json=args) as answer:
                return answer.status, await answer.text()

        assert await respond(replace_original=True, text="changed") == (200, "ok")
        assert [message["text"] for message in await ana.history(place.sessions)] == ["changed"]
        assert (await respond(text="x", blocks=[{"type": "nope"}]))[0] == 400
        assert await respond(text="for all", response_type="in_channel") == (200, "ok")
        assert await respond(text="for me") == (200, "ok")
        ben = [message["text"] for message in await place.person("ben").history(place.sessions)]
        assert ben == ["for all"]
        assert await respond(delete_original=True) == (200, "ok")
        assert [message["text"] for message in await ana.history(place.sessions)] == ["for all", "for me"]
        assert await respond(text="fifth") == (200, "ok")
        status, text = await respond(text="sixth")
        assert (status, "used_url" in text) == (404, True)


async def test_a_response_url_lives_half_an_hour(tmp_path: Path, manifest: AppManifest, inbox: Inbox) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place, aiohttp.ClientSession() as http:
        app = bolt(place)

        @app.command("/probe")
        async def command(ack: Any, body: Json) -> None:
            await ack()
            await inbox.put(body)

        async with connected(place, app):
            await place.person().post("command", channel=place.sessions, command="/probe", text="")
            url = (await inbox.next())["response_url"]
        clock.jump(30 * 60)
        async with http.post(url, json={"text": "late"}) as answer:
            assert (answer.status, (await answer.json())["error"]) == (404, "expired_url")


async def test_triggers_die_after_three_seconds_and_work_once(
    tmp_path: Path, manifest: AppManifest, inbox: Inbox
) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place:
        app = bolt(place)

        @app.command("/probe")
        async def command(ack: Any, body: Json) -> None:
            await ack()
            await inbox.put(body)

        async def trigger() -> str:
            await place.person().post("command", channel=place.sessions, command="/probe", text="")
            return str((await inbox.next())["trigger_id"])

        async def opening(trigger_id: str) -> str:
            try:
                await place.api.views_open(trigger_id=trigger_id, view=modal())
            except SlackApiError as error:
                return str(error.response["error"])
            return "ok"

        async with connected(place, app):
            once = await trigger()
            assert await opening(once) == "ok"
            assert await opening(once) == "exchanged_trigger_id"
            late = await trigger()
            clock.jump(3.1)
            assert await opening(late) == "expired_trigger_id"
            killed = await trigger()
            await place.faults(expire_triggers=True)
            assert await opening(killed) == "expired_trigger_id"
            assert await opening("made.up") == "invalid_trigger_id"


async def test_modals_stack_three_deep_and_answers_steer_them(place: Place, inbox: Inbox) -> None:
    app, ana = bolt(place), place.person()
    answers: list[Json] = []

    @app.shortcut("probe_anywhere")
    async def anywhere(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(entry("one"), external_id="mine"))

    @app.view("v")
    async def submitted(ack: Any, body: Json) -> None:
        await ack(**answers.pop(0))
        await inbox.put(body)

    async def open_views() -> list[str]:
        return [view["blocks"][0]["block_id"] for view in (await ana.get("views"))["views"]]

    async def submit(text: str = "x") -> Json:
        view = (await ana.get("views"))["views"][-1]
        block = view["blocks"][0]["block_id"]
        values = {block: {"words": {"value": text}}}
        return await ana.post("view/submit", view_id=view["id"], state={"values": values})

    async with connected(place, app):
        assert (await ana.post("shortcut", callback_id="probe_anywhere"))["ok"]
        answers.append({"response_action": "errors", "errors": {"one": "again"}})
        assert (await submit("keep me"))["errors"] == {"one": "again"}
        assert (await ana.get("views"))["views"][0]["state"]["values"]["one"]["words"]["value"] == "keep me"
        answers.append({"response_action": "errors", "errors": {"unknown": "again"}})
        assert (await submit())["error"] == "bad_response_action"
        answers.append({"response_action": "update", "view": modal(entry("two"))})
        assert (await submit())["result"] == "updated"
        for name in ("three", "four"):
            answers.append({"response_action": "push", "view": modal(entry(name))})
            assert (await submit())["result"] == "pushed"
        assert await open_views() == ["two", "three", "four"]
        answers.append({"response_action": "push", "view": modal(entry("five"))})
        assert (await submit())["reason"] == "push_limit_reached"
        answers.append({"response_action": "push", "view": modal(entry("six"), title=words("x" * 25))})
        assert (await submit())["reason"] == "invalid_arguments"
        answers.append({})
        assert (await submit())["result"] == "closed"
        assert await open_views() == ["two", "three"]
        answers.append({"response_action": "clear"})
        assert (await submit())["result"] == "cleared"
        assert await open_views() == []


async def test_closing_is_told_where_asked_for(place: Place, inbox: Inbox) -> None:
    app, ana = bolt(place), place.person()

    @app.shortcut("probe_anywhere")
    async def anywhere(ack: Any, body: Json, client: Any) -> None:
        await ack()
        view = modal(entry("b"), private_metadata="kept", notify_on_close=True)
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.view_closed("v")
    async def closed(ack: Any, body: Json) -> None:
        await ack()
        await inbox.put(body)

    async with connected(place, app):
        await ana.post("shortcut", callback_id="probe_anywhere")
        view = (await ana.get("views"))["views"][0]
        assert (await ana.post("view/close", view_id=view["id"]))["ok"]
        body = await inbox.next()
        assert (body["type"], body["is_cleared"], body["view"]["private_metadata"]) == ("view_closed", False, "kept")


async def test_fields_are_checked_before_the_app_hears_of_them(place: Place, app: Any) -> None:
    ana = place.person()

    @app.shortcut("probe_anywhere")
    async def anywhere(ack: Any, body: Json, client: Any) -> None:
        await ack()
        number = {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "max_value": "9"}
        view = modal(
            entry("short", max_length=5),
            entry("long", action_id="more"),
            {"type": "input", "block_id": "number", "label": words("N"), "element": number, "optional": True},
        )
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    async with connected(place, app):
        await ana.post("shortcut", callback_id="probe_anywhere")
        view = (await ana.get("views"))["views"][0]
        values = {
            "short": {"words": {"value": "toolong"}},
            "long": {"more": {"value": "x" * 100_000}},
            "number": {"n": {"value": "12"}},
        }
        answer = await ana.post("view/submit", view_id=view["id"], state={"values": values})
    assert set(answer["errors"]) == {"short", "long", "number"}
    assert "100000 characters" in answer["errors"]["long"]


async def test_an_action_in_a_view_and_the_update_keeps_what_was_typed(place: Place, inbox: Inbox) -> None:
    app, ana = bolt(place), place.person()
    check = {"type": "static_select", "action_id": "pick", "options": [option("a"), option("b")]}
    view = modal(entry("kept"), row(check))

    @app.shortcut("probe_anywhere")
    async def anywhere(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)

    @app.action("pick")
    async def picked(ack: Any, body: Json, client: Any) -> None:
        await ack()
        await client.views_update(view_id=body["view"]["id"], hash=body["view"]["hash"], view=view)
        await inbox.put(body)

    async with connected(place, app):
        await ana.post("shortcut", callback_id="probe_anywhere")
        opened = (await ana.get("views"))["views"][0]
        action = {"block_id": "row", "action_id": "pick", "selected_option": option("b")}
        state = {"values": {"kept": {"words": {"value": "typed"}}}}
        container = {"type": "view", "view_id": opened["id"]}
        assert (await ana.post("action", container=container, action=action, state=state))["ok"]
        body = await inbox.next()
        values = body["view"]["state"]["values"]
        assert values["row"]["pick"]["selected_option"] == option("b")
        assert "response_url" not in body
        after = (await ana.get("views"))["views"][0]
        assert after["hash"] != opened["hash"]
        assert after["state"]["values"] == values
        assert after["state"]["values"]["kept"]["words"]["value"] == "typed"


async def test_a_message_shortcut_brings_its_message(place: Place, inbox: Inbox) -> None:
    app, ana = bolt(place), place.person()

    @app.shortcut("probe_message")
    async def on_message(ack: Any, body: Json) -> None:
        await ack()
        await inbox.put(body)

    ts = await ana.say(place.sessions, "look")
    async with connected(place, app):
        assert (await ana.post("shortcut", callback_id="probe_message", channel=place.sessions, ts=ts))["ok"]
        body = await inbox.next()
    assert (body["type"], body["message"]["text"], body["channel"]["id"]) == ("message_action", "look", place.sessions)
    assert (await ana.post("shortcut", callback_id="probe_message"))["error"] == "wrong_shortcut_place"
    assert (await ana.post("shortcut", callback_id="nope"))["error"] == "no_shortcut"


async def test_commands_are_refused_in_threads_and_answered_for_one_person(place: Place, inbox: Inbox) -> None:
    app, ana, ben = bolt(place), place.person(), place.person("ben")

    @app.command("/named")
    async def command(ack: Any, body: Json) -> None:
        await ack(text="only you")
        await inbox.put(body)

    ts = await ana.say(place.sessions, "x")
    async with connected(place, app):
        for name, more, error in (
            ("/named", {"thread_ts": ts}, "thread_unsupported"),
            ("/nope", {}, "no_command"),
        ):
            answer = await ana.post("command", channel=place.sessions, command=name, text="", **more)
            assert (answer["ok"], answer["error"]) == (False, error)
        assert (await ana.post("command", channel=place.sessions, command="/named", text="@ben in #random <x>"))["ok"]
        body = await inbox.next()
    random = place.running.ready["channels"]["random"]
    assert body["text"] == f"<@{ben.id}|ben> in <#{random}|random> &lt;x&gt;"
    assert [message["text"] for message in await ana.history(place.sessions)] == ["x", "only you"]
    assert [message["text"] for message in await ben.history(place.sessions)] == ["x"]
