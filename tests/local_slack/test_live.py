"""What pages hear while they are open, and what the inspector shows."""

from __future__ import annotations

import json

from bot.local_slack.hub import BACKLOG, Hub
from tests.local_slack.conftest import Place, bolt, connected


async def test_every_change_reaches_the_people_it_is_for(place: Place) -> None:
    ana, api = place.person(), place.api
    async with ana.watching() as next_push:
        ts = (await api.chat_postMessage(channel=place.sessions, text="one"))["ts"]
        assert (await next_push("message"))["message"]["text"] == "one"
        await api.chat_update(channel=place.sessions, ts=ts, text="two")
        assert (await next_push("changed"))["message"]["text"] == "two"
        await api.chat_postMessage(channel=place.sessions, text="reply", thread_ts=ts)
        assert (await next_push("message"))["message"]["thread_ts"] == ts
        assert (await next_push("changed"))["message"]["reply_count"] == 1
        await place.person("ben").post("react", channel=place.sessions, ts=ts, name="eyes")
        assert (await next_push("reaction"))["name"] == "eyes"
        await api.chat_postEphemeral(channel=place.sessions, user=ana.id, text="whisper")
        assert (await next_push("ephemeral"))["message"]["ephemeral"] is True
        await api.views_publish(user_id=ana.id, view={"type": "home", "blocks": []})
        assert (await next_push("home"))["view"]["type"] == "home"
        single = (await api.chat_postMessage(channel=place.sessions, text="x"))["ts"]
        await api.chat_delete(channel=place.sessions, ts=single)
        assert (await next_push("deleted"))["ts"] == single
        new = await ana.post("channels", name="fresh", bot=True)
        assert (await next_push("channel"))["channel"]["id"] == new["channel"]["id"]


async def test_others_do_not_hear_what_is_not_theirs(place: Place) -> None:
    ana, ben, api = place.person(), place.person("ben"), place.api
    async with ben.watching() as next_push:
        await api.chat_postMessage(channel=ana.id, text="private")
        await api.chat_postEphemeral(channel=place.sessions, user=ana.id, text="whisper")
        await api.views_publish(user_id=ana.id, view={"type": "home", "blocks": []})
        await api.chat_postMessage(channel=place.sessions, text="open")
        assert (await next_push("message"))["message"]["text"] == "open"
    assert not {"ephemeral", "home"} & {push["type"] for push in ben.pushes}


async def test_a_page_that_stops_reading_is_cut_off() -> None:
    hub = Hub()
    slow, other = hub.join("U1"), hub.join("U2")
    for number in range(BACKLOG + 1):
        hub.tell(["U1"], {"type": "message", "number": number})
    hub.tell_all({"type": "people"})
    seen = [slow.get_nowait() for _ in range(slow.qsize())]
    assert seen[-1] is None
    assert other.get_nowait() == {"type": "people"}


async def test_the_inspector_shows_traffic_without_secrets(place: Place) -> None:
    ana = place.person()
    app = bolt(place)

    @app.event("message")
    async def heard() -> None: ...

    async with connected(place, app):
        await ana.say(place.sessions, "hello")
        await place.api.chat_postMessage(channel=place.sessions, text="x", token=place.running.ready["bot_token"])
        traffic = (await ana.get("traffic", limit=500))["traffic"]
    names = {(entry["direction"], entry["name"]) for entry in traffic}
    assert ("from_app", "chat.postMessage") in names
    words = json.dumps(traffic)
    for secret in ("bot_token", "app_token", "signing_secret", "person_key"):
        assert place.running.ready[secret] not in words
