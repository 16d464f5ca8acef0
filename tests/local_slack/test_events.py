"""Which events the app gets: subscribed in the manifest, allowed by scope, seen by membership, shaped as Slack's."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.local_slack.manifest import AppManifest
from tests.local_slack.conftest import Inbox, Place, bolt, connected, place_in

Json = dict[str, Any]


@pytest.fixture
async def heard(place: Place, inbox: Inbox) -> AsyncIterator[Inbox]:
    async with listening(place, inbox) as found:
        yield found


def listening(place: Place, inbox: Inbox) -> Any:

    app = bolt(place, ignoring_self_events_enabled=False)

    @app.middleware
    async def keep(body: Json, next_: Any) -> None:
        await inbox.put(body)
        await next_()

    @app.event({"type": "message"})
    @app.event("app_mention")
    @app.event("app_home_opened")
    @app.event("reaction_added")
    @app.event("member_joined_channel")
    @app.event("channel_archive")
    @app.event("user_change")
    async def any_event(ack: Any) -> None:
        await ack()

    @contextlib.asynccontextmanager
    async def run() -> AsyncIterator[Inbox]:
        async with connected(place, app):
            yield inbox

    return run()


async def test_the_wrapper_says_whose_and_for_whom(place: Place, heard: Inbox) -> None:
    ana = place.person()
    ts = await ana.say(place.sessions, "hello")
    body = await heard.event("message")
    assert body["type"] == "event_callback"
    assert body["event_id"].startswith("Ev")
    assert body["team_id"] == body["event"]["team"]
    assert body["authorizations"][0]["user_id"] == place.bot
    assert body["is_ext_shared_channel"] is False
    event = body["event"]
    assert (event["ts"], event["event_ts"], event["channel"], event["user"]) == (ts, ts, place.sessions, ana.id)
    assert event["client_msg_id"]
    elements = event["blocks"][0]["elements"][0]["elements"]
    assert elements == [{"type": "text", "text": "hello"}]


async def test_mentions_come_twice_in_channels_and_once_in_a_dm(place: Place, heard: Inbox) -> None:
    ana = place.person()
    dm = (await ana.post("dm", user=place.bot))["channel"]
    await ana.say(dm, "@probe in private")
    direct = (await heard.event("message"))["event"]
    assert (direct["channel_type"], direct["text"]) == ("im", f"<@{place.bot}> in private")
    await ana.say(place.sessions, "hey @probe, stop")
    first = await heard.event("message", channel_type="channel")
    second = await heard.event("app_mention")
    assert first["event"]["ts"] == second["event"]["ts"]
    assert first["event_id"] != second["event_id"]
    assert heard.queue.empty()


async def test_replies_name_the_parents_author(place: Place, heard: Inbox) -> None:
    ana = place.person()
    parent = (await place.api.chat_postMessage(channel=place.sessions, text="card"))["ts"]
    own = (await heard.event("message", ts=parent))["event"]
    assert own["bot_id"]
    assert own["user"] == place.bot
    await ana.say(place.sessions, "reply", thread_ts=parent)
    event = (await heard.event("message", text="reply"))["event"]
    assert (event["thread_ts"], event["parent_user_id"]) == (parent, place.bot)


async def test_edits_and_deletions_bring_what_was_there_before(place: Place, heard: Inbox) -> None:
    ana = place.person()
    ts = await ana.say(place.sessions, "one")
    await ana.post("edit", channel=place.sessions, ts=ts, text="two")
    changed = (await heard.event("message", subtype="message_changed"))["event"]
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("two", "one")
    assert changed["message"]["edited"]["user"] == ana.id
    await ana.post("delete", channel=place.sessions, ts=ts)
    deleted = (await heard.event("message", subtype="message_deleted"))["event"]
    assert (deleted["deleted_ts"], deleted["previous_message"]["text"]) == (ts, "two")
    card = (await place.api.chat_postMessage(channel=place.sessions, text="card"))["ts"]
    assert (await ana.post("delete", channel=place.sessions, ts=card))["error"] == "not_yours"
    assert (await ana.post("delete", channel=place.sessions, ts=card, any=True))["ok"]
    assert (await heard.event("message", subtype="message_deleted"))["event"]["deleted_ts"] == card


async def test_the_other_events(place: Place, heard: Inbox) -> None:
    ana = place.person()
    await ana.post("home")
    opened = (await heard.event("app_home_opened"))["event"]
    assert (opened["tab"], opened["user"], opened["channel"][0]) == ("home", ana.id, "D")
    assert "view" not in opened
    await place.api.views_publish(user_id=ana.id, view={"type": "home", "blocks": []})
    await ana.post("home")
    assert (await heard.event("app_home_opened"))["event"]["view"]["type"] == "home"
    ts = await ana.say(place.sessions, "x")
    await ana.post("react", channel=place.sessions, ts=ts, name="eyes")
    reaction = (await heard.event("reaction_added"))["event"]
    assert reaction["item"] == {"type": "message", "channel": place.sessions, "ts": ts}
    await ana.post("people/change", user=place.person("ben").id, tz="Asia/Tokyo")
    changed = (await heard.event("user_change"))["event"]["user"]
    assert (changed["name"], changed["tz"], changed["tz_offset"]) == ("ben", "Asia/Tokyo", 32400)
    general = place.running.ready["channels"]["general"]
    await ana.post("invite", channel=general, user=place.bot)
    joined = (await heard.event("member_joined_channel"))["event"]
    assert (joined["user"], joined["channel"], joined["inviter"]) == (place.bot, general, ana.id)
    await ana.post("archive", channel=general)
    assert (await heard.event("channel_archive"))["event"]["channel"] == general


async def test_a_channel_without_the_app_is_silent(place: Place, heard: Inbox) -> None:
    ana = place.person()
    general = place.running.ready["channels"]["general"]
    await ana.say(general, "@probe can you hear me")
    await ana.say(place.sessions, "and now")
    assert (await heard.next())["event"]["text"] == "and now"


async def test_events_without_subscription_or_scope_are_not_sent(tmp_path: Path, manifest: AppManifest) -> None:
    few = dataclasses.replace(
        manifest, events=frozenset({"app_mention", "message.im", "message.channels"}), scopes=manifest.scopes
    )
    async with place_in(tmp_path, few) as place, listening(place, Inbox()) as heard:
        ana = place.person()
        await ana.post("home")
        await ana.post("scopes", remove=["channels:history"])
        await ana.say(place.sessions, "@probe only as a mention")
        assert (await heard.next())["event"]["type"] == "app_mention"
        dm = (await ana.post("dm", user=place.bot))["channel"]
        await ana.say(dm, "last")
        assert (await heard.next())["event"]["text"] == "last"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a & b <i>", "a &amp; b &lt;i&gt;"),
        ("see https://example.com/a?b=1&c=2.", "see <https://example.com/a?b=1&amp;c=2>."),
        ("mail me@example.com", "mail me@example.com"),
        ("<@U404> <!channel>", "&lt;@U404&gt; &lt;!channel&gt;"),
        ("@nobody and #nowhere", "@nobody and #nowhere"),
        ("😀 مرحبا \u200b", "😀 مرحبا \u200b"),
        ("@here now", "<!here> now"),
    ],
)
async def test_what_people_type_is_stored_as_slack_would(place: Place, typed: str, stored: str) -> None:
    ana = place.person()
    await ana.say(place.sessions, typed)
    assert (await ana.history(place.sessions))[-1]["text"] == stored


async def test_names_become_marks(place: Place) -> None:
    ana, ben = place.person(), place.person("ben")
    random = place.running.ready["channels"]["random"]
    await ana.say(place.sessions, f"@Ben. @probe, <@{ben.id}> #random")
    assert (await ana.history(place.sessions))[-1]["text"] == (f"<@{ben.id}>. <@{place.bot}>, <@{ben.id}> <#{random}>")


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("message", {"channel": "C404", "text": "x"}, "channel_not_found"),
        ("message", {"channel": "#sessions", "text": "   "}, "no_text"),
        ("message", {"channel": "#sessions", "text": "x" * 40_001}, "msg_too_long"),
        ("message", {"channel": "#sessions", "text": 7}, "bad_argument"),
        ("message", {"channel": "#sessions", "text": "x", "thread_ts": "1.1"}, "thread_not_found"),
        ("message", {"channel": "#sessions", "text": "x", "as": "U404"}, "unknown_person"),
        ("edit", {"channel": "#sessions", "ts": "1.1", "text": "x"}, "message_not_found"),
        ("view/submit", {"view_id": "V404"}, "view_not_found"),
        ("action", {"container": "x", "action": {}}, "bad_argument"),
        ("dm", {"user": "U404"}, "unknown_person"),
        ("people", {"name": "X", "tz": "Mars/Olympus"}, "unknown_time_zone"),
        ("channels", {"name": "sessions"}, "name_taken"),
    ],
)
async def test_bad_requests_are_answered_with_words(place: Place, path: str, body: Json, error: str) -> None:
    answer = await place.person().post(path, **body)
    assert (answer["ok"], answer["error"]) == (False, error)
    assert answer["message"]


async def test_a_guest_sees_only_the_own_channel(place: Place) -> None:
    gus = place.person("gus")
    assert [channel["name"] for channel in (await gus.get("workspace"))["channels"]] == ["sessions"]
    assert (await gus.post("message", channel="#general", text="x"))["error"] == "channel_not_found"
