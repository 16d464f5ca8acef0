"""Slack's answer to a session card's first post was lost: the thread stayed known by the channel's name, and deaf."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.parts import parts
from tests.acceptance.people import words
from tests.acceptance.story import SENTENCE, Story


@pytest.mark.timeout(120)
async def test_a_thread_whose_first_post_was_uncertain_hears_its_owner(tmp_path: Path) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        rule = {"method": "chat.postMessage", "effect": "drop_after", "times": 1}
        assert (await running.workspace.post("/person/faults", rules=[rule]))["ok"]
        story = await Story.begin(ana)
        # Ana may have seen the first post; it is taken away once the second is there.
        choice = await ana.sees(lambda m: m.get("thread_ts") and "recommended" in words(m), "the choice")
        story.thread = choice["thread_ts"]
        await story.choose(choice)
        await story.question()
        await story.write()
        answered = await ana.sees(
            lambda m: story.here(m) and SENTENCE in words(m) and "agent has it" in words(m), "applied"
        )
        assert answered["thread_ts"] == story.thread
        cards = [
            m
            for m in ana.messages.values()
            if not m.get("ephemeral") and "*typos*" in words(m) and "started by" in words(m)
        ]
        assert len(cards) == 1
