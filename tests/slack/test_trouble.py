"""What goes wrong between Slack and the bot, and what people then see."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.slack.errors import SlackRefused, SlackUnreachable
from bot.wire.messages import Asked, DeliverAnswer, Prompt, ReviewOffered, SessionChanged
from bot.wire.types import Review, ReviewId, RunState
from tests.slack.scene import Person, Stage, labels, slack_side, workspace
from tests.slack.test_conversation import choice, start


@pytest.mark.parametrize(
    "switch", [{"duplicate_events": 1}, {"drop_acks": 1, "ack_seconds": 0.3, "retry_delays": [0.1]}]
)
async def test_an_event_that_comes_twice_counts_once(stage: Stage, switch: dict[str, object]) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await stage.workspace.faults(**switch)
    await ana.says(channel, "use FTS", card["ts"])
    await ana.says(channel, "and tests", card["ts"])
    await _heard(stage, ana, channel, card["ts"], 2)
    assert [p.text for p in await runner.takes() if isinstance(p, Prompt)] == ["use FTS", "and tests"]


async def _heard(stage: Stage, ana: Person, channel: str, ts: str, times: int) -> None:
    async def notes() -> bool:
        return sum("is at work" in m["text"] for m in await ana.thread(channel, ts)) >= times

    await ana.workspace_until(notes, f"{times} notes")


@pytest.mark.parametrize(
    "rule",
    [
        {"effect": "ratelimited", "retry_after": 1},
        {"effect": "error", "error": "fatal_error"},
        {"effect": "status", "status": 500},
        {"effect": "status", "status": 503},
        {"effect": "drop_before"},
        {"effect": "error", "error": "invalid_blocks"},
    ],
)
async def test_a_question_reaches_its_person_all_the_same(stage: Stage, rule: dict[str, object]) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await stage.workspace.faults(rules=[{"method": "chat.postMessage", **rule}])
    await runner.says(Asked(choice(runner)))
    await ana.sees(channel, "· Which index?", card["ts"])
    await ana.says(channel, "FTS", card["ts"])
    await ana.sees(channel, "→ *FTS*", card["ts"])


async def test_a_post_whose_reply_was_lost_is_found_and_not_repeated(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await stage.workspace.faults(rules=[{"method": "chat.postMessage", "effect": "drop_after"}])
    await runner.says(Asked(choice(runner)))
    await ana.sees(channel, "[FTS · recommended]", card["ts"])
    await runner.says(Asked(choice(runner, 2, title="Which name?")))
    await ana.sees(channel, "· Which name?", card["ts"])  # in the same lane, so the first is settled by now
    cards = [m for m in await ana.thread(channel, card["ts"]) if "· Which index?" in m["text"]]
    assert len(cards) == 1


@pytest.mark.parametrize("how", ["refresh_requested", "abort", "too_many_websockets"])
async def test_a_lost_connection_comes_back(stage: Stage, how: str) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    await stage.workspace.faults(disconnect=how, refuse_connections=1, refuse_tickets=1)

    async def back() -> bool:
        return bool((await ana.get("workspace"))["app"]["connected"] and await stage.side.connected())

    while not await back():
        await stage.workspace.faults()  # a round trip: no need to wait in idleness
    assert (await ana.clicks(channel, asked, "Tantivy"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)


async def test_a_channel_that_is_archived_moves_the_session_to_its_owner(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, _ = await start(stage, ana)
    assert (await ana.post("archive", channel=channel))["ok"]
    await runner.says(Asked(choice(runner)))
    direct = await ana.direct()
    card = await ana.sees(direct, "Add search")
    await ana.sees(direct, "[FTS · recommended]", card["ts"])
    await ana.says(direct, "Tantivy", card["ts"])
    await ana.sees(direct, "→ *Tantivy*", card["ts"])


async def test_where_the_bot_is_no_member_the_session_lives_in_the_dm(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    await stage.workspace.call("scopes", remove=["chat:write.public"])
    await stage.board.host(owner=ana.id, channel="")
    assert (await ana.types("start Add search", channel="general"))["ok"]
    await ana.sees(await ana.direct(), "Add search")


async def test_a_card_that_somebody_deleted_is_posted_again(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.post("delete", channel=channel, ts=asked["ts"], any=True))["ok"]

    async def again() -> object:
        found = [m for m in await ana.thread(channel, card["ts"]) if "· Which index?" in m["text"]]
        return found if found and found[0]["ts"] != asked["ts"] else None

    (fresh,) = await ana.workspace_until(again, "a fresh card")
    assert "FTS · recommended" in labels(fresh)


async def test_without_the_scope_a_diff_comes_as_a_message(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await stage.workspace.call("scopes", remove=["files:write"])
    diff = "".join(f"+ line {n}\n" for n in range(900))
    review = Review(ReviewId(f"{runner.peer.session}.r1"), "c" * 40, "b", "main", "b" * 40, "Done.", diff=diff)
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(review))
    assert "+ line 7" in (await ana.sees(channel, "Cut here", card["ts"]))["text"]


async def test_a_form_that_slack_no_longer_opens_is_explained(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    await stage.workspace.faults(rules=[{"method": "views.open", "effect": "error", "error": "expired_trigger_id"}])
    assert (await ana.clicks(channel, asked, "Other…"))["ok"]
    assert (await ana.sees(channel, "click again", card["ts"]))["ephemeral"]


async def test_guests_and_strangers_reach_nothing(stage: Stage) -> None:
    ana, gus = stage.workspace.person("ana"), stage.workspace.person("gus")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    stranger = (await stage.workspace.call("people", name="Sam", team_id="TOTHER"))["person"]["id"]
    await gus.clicks(channel, asked, "Tantivy")
    assert (await gus.sees(channel, "Guests", card["ts"]))["ephemeral"]
    sam = Person(stage.workspace, "sam", stranger)
    await sam.clicks(channel, asked, "Tantivy")
    assert (await sam.sees(channel, "Guests", card["ts"]))["ephemeral"]
    assert await runner.takes() == []


async def test_a_thread_of_others_is_left_alone(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    bot = (await ana.get("workspace"))["app"]["user"]
    channel = stage.workspace.channel("sessions")
    top = await ana.says(channel, "lunch?")
    await ana.says(channel, "yes", top)
    await ana.says(channel, f"<@{bot}> stop", top)
    await ana.sees(channel, "⚠️", top)
    assert [m["text"] for m in await ana.thread(channel, top) if m.get("ephemeral")] != []


# --- credentials ----------------------------------------------------------------------------------------------------


async def test_wrong_credentials_are_named_with_the_fix(tmp_path: Path) -> None:
    async with workspace(tmp_path / "workspace") as there:
        cases = [
            ({"bot_token": "xoxp-1"}, "SLACK_BOT_TOKEN must start with xoxb-"),
            ({"bot_token": "xoxb-wrong"}, r"refused SLACK_BOT_TOKEN \(invalid_auth\)"),
            ({"app_token": "xoxb-wrong"}, "SLACK_APP_TOKEN must start with xapp-"),
            ({"app_token": "xapp-wrong"}, r"refused SLACK_APP_TOKEN \(invalid_auth\)"),
            ({"app_token": None}, "SLACK_SIGNING_SECRET"),
        ]
        for number, (config, words) in enumerate(cases):
            with pytest.raises(SlackRefused, match=words):
                async with slack_side(tmp_path / str(number), there, **config):
                    raise AssertionError("not reached")
        await there.call("scopes", remove=["im:write"])
        with pytest.raises(SlackRefused, match=r"lacks the scope im:write.*reinstall"):
            async with slack_side(tmp_path / "scope", there):
                raise AssertionError("not reached")
        with pytest.raises(SlackUnreachable, match="SLACK_API_URL"):
            async with slack_side(tmp_path / "nobody", there, api_url="http://127.0.0.1:1/api/"):
                raise AssertionError("not reached")
