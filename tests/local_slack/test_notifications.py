"""The notification log says what a real client would have done: per person, once per message, never for an edit."""

from __future__ import annotations

from typing import Any

from tests.local_slack.conftest import Place


def section(text: str, kind: str = "mrkdwn") -> list[dict[str, Any]]:
    return [{"type": "section", "text": {"type": kind, "text": text}}]


async def test_direct_messages_mentions_and_followed_threads_notify(place: Place) -> None:
    ana, ben, cleo, api = place.person(), place.person("ben"), place.person("cleo"), place.api
    await api.chat_postMessage(channel=ana.id, text="direct")
    parent = (await api.chat_postMessage(channel=place.sessions, text=f"card for <@{ben.id}>"))["ts"]
    await api.chat_postMessage(channel=place.sessions, text="for the follower", thread_ts=parent)
    await ana.say(place.sessions, "joining in", thread_ts=parent)
    await api.chat_postMessage(channel=place.sessions, text="for both", thread_ts=parent)
    assert await ana.notified() == [("dm", "direct"), ("thread_reply", "for both")]
    assert await ben.notified() == [
        ("mention", f"card for @{ben.id}"),
        ("thread_reply", "for the follower"),
        ("thread_reply", "joining in"),
        ("thread_reply", "for both"),
    ]
    assert await cleo.notified() == []


async def test_edits_reactions_ephemerals_and_ones_own_words_do_not(place: Place) -> None:
    ana, api = place.person(), place.api
    ts = await ana.say(place.sessions, "@ana talking to myself")
    await ana.say(place.sessions, "and again", thread_ts=ts)
    card = (await api.chat_postMessage(channel=place.sessions, text="card"))["ts"]
    await api.chat_update(channel=place.sessions, ts=card, text=f"<@{ana.id}> edited in")
    await api.chat_postEphemeral(channel=place.sessions, user=ana.id, text=f"<@{ana.id}>")
    await api.reactions_add(channel=place.sessions, timestamp=ts, name="eyes")
    assert await ana.notified() == []


async def test_one_message_is_one_notification(place: Place) -> None:
    ana, api = place.person(), place.api
    await api.chat_postMessage(channel=ana.id, text=f"<@{ana.id}> <!channel>")
    parent = await ana.say(place.sessions, "mine")
    await api.chat_postMessage(channel=place.sessions, text=f"<@{ana.id}>", thread_ts=parent)
    assert [kind for kind, _ in await ana.notified()] == ["dm", "mention"]


async def test_with_blocks_only_the_blocks_mention(place: Place) -> None:
    ana, api = place.person(), place.api
    mark = f"<@{ana.id}>"
    await api.chat_postMessage(channel=place.sessions, text=mark, blocks=section("nobody"))
    await api.chat_postMessage(channel=place.sessions, text="x", blocks=section(mark, "plain_text"))
    assert await ana.notified() == []
    await api.chat_postMessage(channel=place.sessions, text="x", blocks=section(f"look {mark}"))
    assert await ana.notified() == [("mention", "x")]


async def test_an_agents_escaped_broadcast_reaches_nobody_and_a_real_one_everybody(place: Place) -> None:
    ana, gus, api = place.person(), place.person("gus"), place.api
    await api.chat_postMessage(channel=place.sessions, text="&lt;!channel&gt; &lt;@U1&gt;")
    assert await ana.notified() == []
    await api.chat_postMessage(channel=place.sessions, text="<!here> all")
    assert [kind for kind, _ in await gus.notified()] == ["mention"]


async def test_the_page_hears_of_it_and_reading_counts_down(place: Place) -> None:
    ana, api = place.person(), place.api

    async def sessions() -> tuple[int, int]:
        channels = (await ana.get("workspace"))["channels"]
        found = next(channel for channel in channels if channel["id"] == place.sessions)
        return found["unread"], found["mentions"]

    async with ana.watching() as next_push:
        ts = (await api.chat_postMessage(channel=place.sessions, text=f"<@{ana.id}>"))["ts"]
        assert (await next_push("notification"))["notification"]["ts"] == ts
        assert await sessions() == (1, 1)
        await ana.post("read", channel=place.sessions, ts=ts)
        assert (await next_push("read"))["ts"] == ts
        assert await sessions() == (0, 0)
    later = await ana.get("notifications", since=ts)
    assert later["notifications"] == []
