"""Whatever dies while a question is open, the question stays, its answer arrives, and it arrives once."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.acceptance.parts import parts
from tests.acceptance.people import Refused, Workspace, words
from tests.acceptance.story import SENTENCE, Story, git
from tests.acceptance.up import up

pytestmark = pytest.mark.timeout(180)


def landed_once(repo: Path) -> bool:
    return git(repo, "show", "main:README.md").count(SENTENCE) == 1


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL], ids=lambda signum: signum.name)
async def test_the_bot_ends_while_a_question_is_open(tmp_path: Path, signum: signal.Signals) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        await running.end("bot", signum)
        with pytest.raises(Refused, match="dispatch_failed"):
            await story.choose(choice)
        await running.start_bot()
        await story.choose(choice)
        await story.chosen(choice)
        await story.question()
        await running.end("bot", signum)
        await running.start_bot()
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        review = await story.review()
        await ana.clicks(review, "Merge")
        await story.merged(review)
    assert landed_once(running.repo)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL], ids=lambda signum: signum.name)
async def test_the_host_ends_while_a_question_is_open(tmp_path: Path, signum: signal.Signals) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        runners = running.runners()
        await running.end("host", signum)
        assert running.runners() == runners
        await story.choose(choice)
        await story.chosen(choice)
        await running.start_host()
        await story.question()
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        review = await story.review()
        assert running.runners() == runners
        await ana.clicks(review, "Merge")
        await story.merged(review)
    assert landed_once(running.repo)


async def test_an_answer_given_while_the_network_is_cut_arrives_when_it_is_back(tmp_path: Path) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        running.wire.cut()
        await story.choose(choice)
        running.wire.mend()
        await story.chosen(choice)
        await story.question()
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        await ana.clicks(review := await story.review(), "Merge")
        await story.merged(review)
    assert landed_once(running.repo)


async def test_a_killed_runner_comes_back_and_takes_the_answer(tmp_path: Path) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        await story.choose(choice)
        await story.question()
        (runner,) = running.runners()
        os.kill(runner, signal.SIGKILL)
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        await ana.clicks(review := await story.review(), "Merge")
        await story.merged(review)
    assert landed_once(running.repo)


async def test_a_second_up_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data) as first, Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        said = await first.stop()
    assert "paused" in said
    async with up(data), Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        story = Story(ana, story.name, story.thread)
        await story.choose(choice)
        await story.chosen(choice)
        await story.question()
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        await ana.clicks(review := await story.review(), "Merge")
        await story.merged(review)
    assert landed_once(data / "playback")


@pytest.mark.parametrize("said_again", [False, True], ids=["queued before", "said again after"])
async def test_words_beside_an_open_question_never_make_two_of_it(tmp_path: Path, said_again: bool) -> None:
    data = tmp_path / "data"
    async with up(data) as first, Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        await ana.types("/session", f"tell {story.name} What is the plan?")
        await ana.sees_text("reads your words when its turn ends")
        await first.stop()
    async with up(data) as second, Workspace.opened(data) as workspace, workspace.person("ana") as ana:
        story = Story(ana, story.name, story.thread)
        if said_again:
            await ana.types("/session", f"tell {story.name} And what is it now?")
            async with asyncio.timeout(30):
                while not second.pids("runners.agents.demo"):  # noqa: ASYNC110  (the agent's return shows nowhere else)
                    await asyncio.sleep(0.1)
        await story.choose(choice)
        await story.chosen(choice)
        question = await story.question()
        await story.write()
        await ana.clicks(await story.permission(), "Allow")
        await ana.clicks(review := await story.review(), "Merge")
        await story.merged(review)
        asked = [m["ts"] for m in ana.messages.values() if story.here(m) and "Which typo tolerance?" in words(m)]
        called = [n for n in await ana.notifications() if n["ts"] == choice["ts"]]
    assert asked == [choice["ts"]]
    assert question["ts"] > choice["ts"]
    assert len(called) == 1
    assert landed_once(data / "playback")
    # The first words said brought the agent back to its question; what is said beside it is taken up afterwards.
    last = "And what is it now?" if said_again else "What is the plan?"
    assert git(data / "playback", "log", "main", "--format=%s").count(last) == 1
