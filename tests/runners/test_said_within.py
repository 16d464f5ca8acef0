"""What an agent is slow to take within its turn, or never says it took: said once, and never lost without a word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.messages import Prompt, PromptDropped, PromptGiven, WithdrawPrompt
from bot.wire.types import PromptId
from tests.runners.actor import Actor
from tests.runners.board import ANA
from tests.runners.scene import Scene, scene


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


@pytest.fixture
def actor(stage: Scene) -> Actor:
    actor = Actor()
    stage.open_agent = actor.open
    return actor


async def test_words_that_an_agent_is_slow_to_take_are_said_once(stage: Scene, actor: Actor) -> None:
    async with stage.runner() as runner:
        runner.driver.steer_within = 0.01
        await actor.prompted()
        actor.ear.clear()
        await stage.tell(Prompt("at once", ANA, PromptId("p1"), now=True))
        await actor.until(lambda: actor.steering == 1)
        await stage.tell(WithdrawPrompt(PromptId("p1")))
        assert (await stage.board.heard(PromptGiven)).prompt == "p1"  # it is on its way: too late
        actor.ear.set()
        assert (await stage.board.heard(PromptGiven, 2)).steered
        await stage.told(Prompt("next", ANA, PromptId("p2")))
        actor.end("limit")
        assert await actor.prompted(2) == "next"
    assert actor.asides == ["at once"]


async def test_words_that_an_agent_never_says_it_took_are_not_said_again_but_told(stage: Scene, actor: Actor) -> None:
    async with stage.runner() as runner:
        runner.driver.steer_within = 0.01
        await actor.prompted()
        actor.ear.clear()
        await stage.tell(Prompt("at once", ANA, PromptId("p1"), now=True))
        await actor.until(lambda: actor.steering == 1)
        await stage.told(Prompt("next", ANA, PromptId("p2")))
        actor.end("limit")
        dropped = await stage.board.heard(PromptDropped)
        assert (dropped.prompt, "may not have heard" in dropped.reason) == ("p1", True)
        assert await actor.prompted(2) == "next"
