"""Each optional scope by what is there with it and lost without it; a scope that changes nothing is not asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from bot.domain.intents import Origin
from bot.slack import manifest, payloads
from bot.slack.payloads import Me, Replied
from bot.wire.messages import Asked, DeliverAnswer, MergeReview, ReviewOffered, SessionChanged
from bot.wire.types import Review, ReviewId, RunState
from tests.bot.board import Runner
from tests.slack.scene import Stage
from tests.slack.test_conversation import choice, start

Scene = Callable[[Stage, bool], Awaitable[None]]


async def replies_reach_the_agent(stage: Stage, granted: bool) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    await ana.says(channel, "Tantivy", card["ts"])
    if granted:
        await ana.sees(channel, "→ *Tantivy*", card["ts"])
    else:
        assert (await ana.clicks(channel, asked, "FTS · recommended"))["ok"]  # comes after the reply, and yet is first
        await ana.sees(channel, "→ *FTS*", card["ts"])
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.option == ("tantivy" if granted else "fts")


async def threads_live_where_the_bot_is_no_member(stage: Stage, granted: bool) -> None:
    ana = stage.workspace.person("ana")
    await stage.board.host(owner=ana.id, channel="")
    assert (await ana.types("start Add search", channel="general"))["ok"]
    where = stage.workspace.channel("general") if granted else await ana.direct()
    await ana.sees(where, "· Add search")


async def diffs_come_as_files(stage: Stage, granted: bool) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(offered(runner)))
    if not granted:
        await ana.sees(channel, "+ a line", card["ts"])
        return

    async def uploaded() -> object:
        return [message for message in await ana.thread(channel, card["ts"]) if message.get("files")]

    await ana.workspace_until(uploaded, "a file")


async def merges_carry_the_approvers_address(stage: Stage, granted: bool) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(offered(runner)))
    shown = await ana.sees(channel, "ready at `ccccccc`", card["ts"])
    assert (await ana.clicks(channel, shown, "Merge"))["ok"]
    (merge,) = await runner.takes()
    assert isinstance(merge, MergeReview)
    assert bool(merge.by.email) is granted


SCENES: dict[str, Scene] = {
    "channels:history": replies_reach_the_agent,
    "chat:write.public": threads_live_where_the_bot_is_no_member,
    "files:write": diffs_come_as_files,
    "users:read.email": merges_carry_the_approvers_address,
}


def offered(runner: Runner) -> Review:
    name = ReviewId(f"{runner.peer.session}.r1")
    return Review(name, "c" * 40, runner.spec.branch, "main", "b" * 40, "Search works.", diff="+ a line\n" * 9)


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("scope", SCENES)
async def test_what_the_scope_is_for(stage: Stage, scope: str, granted: bool) -> None:
    if not granted:
        await stage.workspace.call("scopes", remove=[scope])
    await SCENES[scope](stage, granted)


def test_private_channels_need_a_scope_of_their_own() -> None:
    """The embedded workspace has none: what Slack sends under this scope is read like a public channel's."""
    inner = {"type": "message", "channel_type": "group", "channel": "G1", "user": "U0ANA", "text": "FTS"}
    body = {"type": "event_callback", "event_id": "Ev1", "event": {**inner, "ts": "2.0", "thread_ts": "1.0"}}
    replied = payloads.event(body, Me("UBOT", "BBOT", "T1"))
    assert isinstance(replied, Replied)
    assert replied.origin == Origin("Ev1", "reply", "G1", "1.0", "2.0")
    assert manifest.EVENTS["message.groups"] == "groups:history"


def test_every_optional_scope_has_its_scene() -> None:
    assert {*SCENES, "groups:history"} == set(manifest.OPTIONAL_SCOPES)
