"""The Web API as slack_sdk and curl meet it: arguments, tokens, scopes, and each method's own rules."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.ids import micros
from tests.local_slack.conftest import Place

Json = dict[str, Any]


async def refused(call: Any) -> Json:
    with pytest.raises(SlackApiError) as caught:
        await call
    return dict(caught.value.response.data)


def blocks(text: str = "b") -> list[Json]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]


async def post_raw(place: Place, method: str, token: str | None = None, **request: Any) -> Json:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{place.running.url}/api/{method}", **request) as answer,
    ):
        assert answer.status == 200
        return dict(await answer.json())


async def test_arguments_come_by_query_form_json_and_multipart(place: Place) -> None:
    token = place.running.ready["bot_token"]
    args = {"channel": place.sessions, "text": "x", "blocks": json.dumps(blocks())}
    multipart = aiohttp.FormData(args, default_to_multipart=True)
    for request in ({"params": args}, {"data": args}, {"json": args}, {"data": multipart}):
        answer = await post_raw(place, "chat.postMessage", token, **request)
        assert answer["ok"], answer
        assert answer["message"]["blocks"][0]["text"]["text"] == "b"
    assert (await post_raw(place, "chat.postMessage", json=args | {"token": token}))["ok"]
    assert (await post_raw(place, "auth.test", token, data="{", headers=JSON))["error"] == "invalid_json"
    assert (await post_raw(place, "auth.test", token, data="[]", headers=JSON))["error"] == "json_not_object"


JSON = {"Content-Type": "application/json"}


async def test_tokens_are_told_apart(place: Place) -> None:
    ready = place.running.ready
    assert (await post_raw(place, "auth.test"))["error"] == "not_authed"
    assert (await post_raw(place, "auth.test", "xoxb-wrong"))["error"] == "invalid_auth"
    assert (await post_raw(place, "auth.test", "xoxb-é".encode().decode("latin-1")))["error"] == "invalid_auth"
    assert (await post_raw(place, "auth.test", ready["app_token"]))["error"] == "not_allowed_token_type"
    opened = await post_raw(place, "apps.connections.open", ready["bot_token"])
    assert opened["error"] == "not_allowed_token_type"
    assert (await post_raw(place, "chat.scheduleMessage", ready["bot_token"]))["error"] == "unknown_method"


async def test_auth_test_says_who_and_with_which_scopes(place: Place) -> None:
    answer = await place.api.auth_test()
    assert answer["user_id"] == place.bot
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")
    assert (await place.api.users_info(user=place.bot))["user"]["is_bot"] is True


async def test_a_missing_scope_is_named(place: Place) -> None:
    await place.person().post("scopes", remove=["users:read"])
    error = await refused(place.api.users_info(user=place.bot))
    assert error["error"] == "missing_scope"
    assert error["needed"] == "users:read"
    assert "chat:write" in error["provided"]


async def test_posts_are_refused_with_slacks_names(place: Place) -> None:
    ana, api = place.person(), place.api
    general = place.running.ready["channels"]["general"]
    assert (await refused(api.chat_postMessage(channel="C404", text="x")))["error"] == "channel_not_found"
    assert (await refused(api.chat_postMessage(channel=general, text="x")))["error"] == "not_in_channel"
    empty = await post_raw(
        place, "chat.postMessage", place.running.ready["bot_token"], json={"channel": place.sessions}
    )
    assert empty["error"] == "no_text"
    unthreaded = api.chat_postMessage(channel=place.sessions, text="x", thread_ts="1.000000")
    assert (await refused(unthreaded))["error"] == "thread_not_found"
    bad = await refused(api.chat_postMessage(channel=place.sessions, text="x", blocks=[{"type": "nope"}]))
    assert bad["error"] == "invalid_blocks"
    assert bad["errors"] == ["unsupported type: nope [json-pointer:/blocks/0/type]"]
    assert bad["response_metadata"]["messages"] == ["[ERROR] unsupported type: nope [json-pointer:/blocks/0/type]"]
    await ana.post("archive", channel=place.sessions)
    assert (await refused(api.chat_postMessage(channel=place.sessions, text="x")))["error"] == "is_archived"
    assert not (await ana.post("message", channel=place.sessions, text="x"))["ok"]


async def test_other_peoples_direct_messages_do_not_exist_for_the_app(place: Place) -> None:
    ana = place.person()
    dm = (await ana.post("dm", user=place.person("ben").id))["channel"]
    await ana.say(dm, "between us")
    assert (await refused(place.api.conversations_history(channel=dm)))["error"] == "channel_not_found"


async def test_timestamps_are_unique_and_increase(place: Place) -> None:
    stamps = [(await place.api.chat_postMessage(channel=place.sessions, text=str(n)))["ts"] for n in range(50)]
    assert stamps == sorted(set(stamps), key=micros)


async def test_a_long_post_is_cut_with_a_warning_and_a_long_update_is_refused(place: Place) -> None:
    posted = await place.api.chat_postMessage(channel=place.sessions, text="x" * 40_001)
    assert posted["warning"] == "message_truncated"
    assert len(posted["message"]["text"]) == 40_000
    long = place.api.chat_update(channel=place.sessions, ts=posted["ts"], text="x" * 4_001)
    assert (await refused(long))["error"] == "msg_too_long"
    await place.api.chat_update(channel=place.sessions, ts=posted["ts"], text="x" * 4_000)


async def test_update_follows_slacks_rules_for_text_blocks_and_metadata(place: Place) -> None:
    api, channel = place.api, place.sessions
    metadata = {"event_type": "row", "event_payload": {"id": 7}}
    ts = (await api.chat_postMessage(channel=channel, text="a", blocks=blocks(), metadata=metadata))["ts"]

    async def now() -> Json:
        found = await api.conversations_history(channel=channel, include_all_metadata=True, limit=1)
        return dict(found["messages"][0])

    await api.chat_update(channel=channel, ts=ts, text="b", blocks=blocks("c"))
    assert (await now())["blocks"][0]["text"]["text"] == "c"
    assert "edited" not in await now()
    assert (await now())["metadata"] == metadata
    await api.chat_update(channel=channel, ts=ts, text="plain")
    assert "blocks" not in await now()
    assert (await now())["edited"]["user"] == place.bot
    await api.chat_update(channel=channel, ts=ts, text="plain", metadata={})
    assert "metadata" not in await now()
    ana = place.person()
    theirs = await ana.say(channel, "mine")
    assert (await refused(api.chat_update(channel=channel, ts=theirs, text="x")))["error"] == "cant_update_message"
    assert (await refused(api.chat_update(channel=channel, ts="1.000000", text="x")))["error"] == "message_not_found"
    assert (await refused(api.chat_delete(channel=channel, ts=theirs)))["error"] == "cant_delete_message"
    await api.chat_delete(channel=channel, ts=ts)
    assert (await refused(api.chat_update(channel=channel, ts=ts, text="x")))["error"] == "message_not_found"


async def test_metadata_is_shown_only_when_asked_for_and_checked(place: Place) -> None:
    api, channel = place.api, place.sessions
    metadata = {"event_type": "row", "event_payload": {}}
    parent = (await api.chat_postMessage(channel=channel, text="a", metadata=metadata))["ts"]
    assert "metadata" not in (await api.conversations_replies(channel=channel, ts=parent))["messages"][0]
    shown = await api.conversations_replies(channel=channel, ts=parent, include_all_metadata=True)
    assert shown["messages"][0]["metadata"] == metadata
    bad = api.chat_postMessage(channel=channel, text="a", metadata={"event_type": "row"})
    assert (await refused(bad))["error"] == "invalid_metadata_schema"


async def test_replies_come_parent_first_and_page_by_cursor(place: Place) -> None:
    api, channel = place.api, place.sessions
    parent = (await api.chat_postMessage(channel=channel, text="parent"))["ts"]
    sent = [(await api.chat_postMessage(channel=channel, text=str(n), thread_ts=parent))["ts"] for n in range(5)]
    first = await api.conversations_replies(channel=channel, ts=parent, limit=3)
    assert [message["text"] for message in first["messages"]] == ["parent", "0", "1", "2"]
    assert first["has_more"]
    rest = await api.conversations_replies(
        channel=channel, ts=parent, limit=3, cursor=first["response_metadata"]["next_cursor"]
    )
    assert [message["text"] for message in rest["messages"]] == ["parent", "3", "4"]
    assert not rest["has_more"]
    later = await api.conversations_replies(channel=channel, ts=parent, oldest=sent[3])
    assert [message["text"] for message in later["messages"]] == ["parent", "4"]
    newest = await api.conversations_history(channel=channel)
    assert [message["text"] for message in newest["messages"]] == ["parent"]
    assert newest["messages"][0]["reply_count"] == 5
    assert newest["messages"][0]["latest_reply"] == sent[-1]
    wrong = api.conversations_replies(channel=channel, ts=parent, cursor="bogus")
    assert (await refused(wrong))["error"] == "invalid_cursor"
    late = api.conversations_history(channel=channel, oldest="yesterday")
    assert (await refused(late))["error"] == "invalid_ts_oldest"


async def test_a_reply_to_a_reply_lands_under_the_parent(place: Place) -> None:
    api, channel = place.api, place.sessions
    parent = (await api.chat_postMessage(channel=channel, text="parent"))["ts"]
    reply = (await api.chat_postMessage(channel=channel, text="reply", thread_ts=parent))["ts"]
    nested = await api.chat_postMessage(channel=channel, text="nested", thread_ts=reply)
    assert nested["message"]["thread_ts"] == parent


async def test_a_deleted_parent_leaves_a_tombstone(place: Place) -> None:
    api, channel = place.api, place.sessions
    parent = (await api.chat_postMessage(channel=channel, text="parent"))["ts"]
    await api.chat_postMessage(channel=channel, text="reply", thread_ts=parent)
    await api.chat_delete(channel=channel, ts=parent)
    thread = (await api.conversations_replies(channel=channel, ts=parent))["messages"]
    assert [message.get("subtype", "") for message in thread] == ["tombstone", ""]


async def test_ephemerals_reach_one_person_and_stay_out_of_history(place: Place) -> None:
    ana, ben, api = place.person(), place.person("ben"), place.api
    await api.chat_postEphemeral(channel=place.sessions, user=ana.id, text="psst")
    assert [message["text"] for message in await ana.history(place.sessions)] == ["psst"]
    assert (await ana.history(place.sessions))[0]["ephemeral"] is True
    assert await ben.history(place.sessions) == []
    assert (await api.conversations_history(channel=place.sessions))["messages"] == []
    assert await ana.notified() == []
    outside = await ana.post("people", name="Dora", channels=[])
    stranger = api.chat_postEphemeral(channel=place.sessions, user=outside["person"]["id"], text="x")
    assert (await refused(stranger))["error"] == "user_not_in_channel"


async def test_a_direct_message_is_opened_once(place: Place) -> None:
    ana, api = place.person(), place.api
    first = (await api.conversations_open(users=ana.id))["channel"]["id"]
    again = await api.conversations_open(users=ana.id)
    assert again["channel"]["id"] == first
    assert again["already_open"]
    assert (await api.chat_postMessage(channel=ana.id, text="by user id"))["channel"] == first
    assert (await api.conversations_info(channel=first))["channel"]["user"] == ana.id
    assert (await refused(api.conversations_open(users="U404")))["error"] == "user_not_found"


async def test_joining_and_info(place: Place) -> None:
    general = place.running.ready["channels"]["general"]
    assert not (await place.api.conversations_info(channel=general))["channel"]["is_member"]
    assert (await place.api.conversations_join(channel=general))["channel"]["is_member"]
    assert (await place.api.conversations_join(channel=general))["warning"] == "already_in_channel"
    await place.api.chat_postMessage(channel=general, text="here I am")


async def test_reactions_are_checked_and_counted(place: Place) -> None:
    ana, api = place.person(), place.api
    ts = await ana.say(place.sessions, "done")
    await api.reactions_add(channel=place.sessions, timestamp=ts, name="eyes")
    again = api.reactions_add(channel=place.sessions, timestamp=ts, name="eyes")
    assert (await refused(again))["error"] == "already_reacted"
    odd = api.reactions_add(channel=place.sessions, timestamp=ts, name="not a name")
    assert (await refused(odd))["error"] == "invalid_name"
    await ana.post("react", channel=place.sessions, ts=ts, name="eyes")
    assert (await ana.history(place.sessions))[0]["reactions"] == [
        {"name": "eyes", "users": [place.bot, ana.id], "count": 2}
    ]


async def test_users_are_described_with_zone_and_guesthood(place: Place) -> None:
    gus = (await place.api.users_info(user=place.person("gus").id))["user"]
    assert (gus["is_restricted"], gus["is_ultra_restricted"], gus["is_bot"]) == (True, True, False)
    stranger = await place.person().post("people", name="Olga أولغا 🦊", tz="Asia/Tokyo", team_id="T0THER")
    olga = (await place.api.users_info(user=stranger["person"]["id"]))["user"]
    assert (olga["team_id"], olga["tz_offset"], olga["real_name"]) == ("T0THER", 32400, "Olga أولغا 🦊")


async def test_files_go_up_in_three_steps_into_a_thread(place: Place) -> None:
    ana, api = place.person(), place.api
    parent = (await api.chat_postMessage(channel=place.sessions, text="parent"))["ts"]
    await api.files_upload_v2(
        channel=place.sessions, thread_ts=parent, filename="x.diff", content="+ä\n", initial_comment="the diff"
    )
    thread = (await ana.get("thread", channel=place.sessions, ts=parent))["messages"]
    assert thread[1]["text"] == "the diff"
    file = thread[1]["files"][0]
    assert (file["name"], file["size"]) == ("x.diff", len("+ä\n".encode()))
    async with place.http.get(place.running.url + file["url"]) as answer:
        assert await answer.text() == "+ä\n"
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    async with aiohttp.ClientSession() as stranger, stranger.get(place.running.url + file["url"]) as answer:
        assert answer.status == 403
    empty = api.files_getUploadURLExternal(filename="x", length=0)
    assert (await refused(empty))["error"] == "invalid_arguments"
    missing = api.files_completeUploadExternal(files=[{"id": "F404"}], channel_id=place.sessions)
    assert (await refused(missing))["error"] == "file_not_found"


async def test_a_permalink_leads_to_the_page(place: Place) -> None:
    ts = (await place.api.chat_postMessage(channel=place.sessions, text="x"))["ts"]
    link = (await place.api.chat_getPermalink(channel=place.sessions, message_ts=ts))["permalink"]
    async with place.http.get(link, allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/#/{place.sessions}/{ts}"


async def test_views_are_published_with_a_hash_that_guards_against_races(place: Place) -> None:
    ana, api = place.person(), place.api
    home = {"type": "home", "blocks": blocks("one")}
    first = (await api.views_publish(user_id=ana.id, view=home))["view"]
    second = (await api.views_publish(user_id=ana.id, view=home, hash=first["hash"]))["view"]
    assert second["id"] == first["id"]
    stale = api.views_publish(user_id=ana.id, view=home, hash=first["hash"])
    assert (await refused(stale))["error"] == "hash_conflict"
    assert (await ana.post("home"))["view"]["blocks"][0]["text"]["text"] == "one"
    wrong = await refused(api.views_publish(user_id=ana.id, view={"type": "home", "blocks": [{"type": "x"}]}))
    assert wrong["error"] == "invalid_arguments"
    assert wrong["response_metadata"]["messages"] == ["[ERROR] unsupported type: x [json-pointer:/view/blocks/0/type]"]


async def test_text_is_stored_as_slack_stores_it(place: Place) -> None:
    ana = place.person()
    posted = await place.api.chat_postMessage(
        channel=place.sessions, text=f"a < b & <@{ana.id}> &amp; \x00<https://x|y>"
    )
    assert posted["message"]["text"] == f"a &lt; b &amp; <@{ana.id}> &amp; <https://x|y>"


@pytest.mark.parametrize("method", ["auth.test", "nope"])
async def test_a_client_of_another_kind_is_answered_in_json(place: Place, method: str) -> None:
    client = AsyncWebClient("xoxb-x", base_url=place.running.ready["api"])
    assert (await refused(client.api_call(method)))["ok"] is False
