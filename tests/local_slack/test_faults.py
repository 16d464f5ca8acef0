"""The fault switches do what they say, once each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.local_slack.manifest import AppManifest
from tests.local_slack.clock import ManualClock
from tests.local_slack.conftest import Place, place_in

Json = dict[str, Any]


async def post(place: Place, text: str = "x") -> str:
    return str((await place.api.chat_postMessage(channel=place.sessions, text=text))["ts"])


async def texts(place: Place) -> list[str]:
    return [message["text"] for message in await place.person().history(place.sessions)]


async def test_rate_limits_name_their_wait_and_pass(place: Place) -> None:
    await place.faults(rules=[{"method": "chat.postMessage", "effect": "ratelimited", "retry_after": 7, "times": 2}])
    for _ in range(2):
        with pytest.raises(SlackApiError) as caught:
            await post(place)
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "7"
        assert caught.value.response["error"] == "ratelimited"
    await place.api.auth_test()
    await post(place)
    assert await texts(place) == ["x"]


async def test_a_dropped_connection_leaves_the_caller_in_doubt(place: Place) -> None:
    for effect, kept in (("drop_before", []), ("drop_after", ["second"])):
        await place.faults(rules=[{"method": "chat.postMessage", "effect": effect}])
        with pytest.raises(aiohttp.ClientError):
            await post(place, "first" if effect == "drop_before" else "second")
        assert await texts(place) == kept


async def test_errors_and_statuses(place: Place) -> None:
    rules = [
        {"method": "chat.postMessage", "effect": "error", "error": "fatal_error"},
        {"method": "*", "effect": "status", "status": 503, "channel": place.sessions},
    ]
    await place.faults(rules=rules)
    with pytest.raises(SlackApiError, match="fatal_error"):
        await post(place)
    await place.api.auth_test()
    with pytest.raises(SlackApiError) as caught:
        await post(place)
    assert caught.value.response.status_code == 503
    await place.faults(rules=rules)
    await place.faults(clear=True)
    await post(place)


async def test_a_slow_answer_waits_on_the_clock(tmp_path: Path, manifest: AppManifest) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place:
        await place.faults(rules=[{"method": "chat.postMessage", "effect": "delay", "seconds": 20}])
        posting = asyncio.ensure_future(post(place))
        await clock.advance(20)
        await posting


async def test_slacks_rate_limits_hold_where_switched_on(tmp_path: Path, manifest: AppManifest) -> None:
    clock = ManualClock()
    async with place_in(tmp_path, manifest, clock=clock) as place:
        for _ in range(5):
            await post(place)
        await place.faults(rate_limits=True)
        for _ in range(3):
            await post(place)
        with pytest.raises(SlackApiError) as caught:
            await post(place)
        assert caught.value.response.headers["Retry-After"] == "1"
        await place.api.chat_postMessage(channel=place.person().id, text="another channel")
        clock.jump(1)
        ts = await post(place)
        for _ in range(50):
            await place.api.chat_update(channel=place.sessions, ts=ts, text="x")
        with pytest.raises(SlackApiError) as caught:
            await place.api.chat_update(channel=place.sessions, ts=ts, text="x")
        assert caught.value.response.headers["Retry-After"] == "60"
        clock.jump(60)
        await place.api.chat_update(channel=place.sessions, ts=ts, text="x")


@pytest.mark.parametrize(
    "switches",
    [
        {"rules": [{"method": "x", "effect": "explode"}]},
        {"rules": [{"effect": "status"}]},
        {"rules": [{"method": "x", "effect": "status", "colour": 1}]},
        {"rules": {}},
        {"drop_acks": -1},
        {"drop_acks": "many"},
        {"retry_delays": ["soon"]},
        {"disconnect": "politely"},
    ],
)
async def test_a_switch_that_does_not_exist_is_refused_whole(place: Place, switches: Json) -> None:
    answer = await place.person().post("faults", duplicate_events=3, **switches)
    assert (answer["ok"], answer["error"]) == (False, "bad_fault")
    assert place.running.workspace.faults.duplicate_events == 0
