"""In a real session: the runner's own desk behind the door, its agent running ``switchboard ask``."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from bot.wire.messages import AnswerApplied, Asked, QuestionWithdrawn, SessionChanged
from bot.wire.types import QuestionKind, RunState, Urgency
from runners.agents.base import Chosen
from runners.ask.asking import RESENT, Asker
from runners.ask.calls import Call, parse
from runners.ask.serving import door_for
from runners.runner.daemon import Runner, utc_now
from tests.runners.ask.desk import WITHIN
from tests.runners.scene import Scene, scene

ASK = [sys.executable, "-m", "bot.cli", "ask"]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        yield found


@asynccontextmanager
async def runner(stage: Scene) -> AsyncIterator[Runner]:
    """With its door, as ``daemon.run`` opens it."""
    if stage.paper is None:
        await stage.place()
    async with stage.runner() as found, door_for(stage.session, found.driver.desk, utc_now, comes=True):
        yield found


async def last_words(stage: Scene) -> str:
    count = 1
    while (changed := await stage.board.heard(SessionChanged, count)).state is not RunState.STOPPED:
        count += 1
    return changed.last_words


QUESTION = {"question": "Which index?", "options": ["FTS", "Tantivy"]}


def call() -> Call:
    return parse({"questions": [QUESTION]}, utc_now())


async def test_a_script_in_a_session_asks_through_it(stage: Scene) -> None:
    stage.script(
        {"run": f"{shlex.join(ASK)} 'Which region?' -o eu -o us > region.txt"}, {"say": "Done."}, {"end": "limit"}
    )
    async with runner(stage):
        asked = (await stage.board.heard(Asked)).question
        assert (asked.kind, asked.title, asked.allow_text) == (QuestionKind.CHOICE, "Which region?", False)
        await stage.answer(asked, option="us")
        applied = await stage.board.heard(AnswerApplied)
        assert (applied.applied, applied.detail) == (True, "")
        assert await last_words(stage) == "Done."
        assert (stage.worktree / "region.txt").read_text() == "us\n"


async def test_a_parked_answer_comes_as_the_next_message(stage: Scene) -> None:
    stage.script({"say": "Hello."}, {"end": "limit"}, follow=[{"say": "Told: {{prompt}}"}, {"end": "limit"}])
    async with runner(stage) as found:
        await last_words(stage)
        asker = Asker(stage.session, found.driver.desk, utc_now)
        ids = await asker.post(call(), RESENT)
        assert await asker.wait(call(), ids, 0.05) == (None,)
        asked = (await stage.board.heard(Asked)).question
        await stage.answer(asked, option="Tantivy")
        assert (await stage.board.heard(AnswerApplied)).detail == "given to the agent as a message"
        while not any("Told: " in each.last_words for each in stage.board.all(SessionChanged)):
            await stage.board.heard(SessionChanged, len(stage.board.all(SessionChanged)) + 1)
        # The same call again: the same answer, and no second card.
        assert await asker.wait(call(), await asker.post(call(), RESENT), None) == (Chosen("Tantivy"),)
    assert len(stage.board.all(Asked)) == 1


async def test_a_veto_reaches_the_agent_as_a_correction(stage: Scene) -> None:
    stage.script({"say": "Hello."}, {"end": "limit"}, follow=[{"say": "Told: {{prompt}}"}, {"end": "limit"}])
    async with runner(stage) as found:
        await last_words(stage)
        asker = Asker(stage.session, found.driver.desk, utc_now)
        assumed = parse({"questions": [{**QUESTION, "default": "FTS", "within": "2h"}]}, stage.time.now())
        assert await asker.wait(assumed, await asker.post(assumed, RESENT), 30) == (None,)
        asked = (await stage.board.heard(Asked)).question
        assert (asked.urgency, asked.default) == (Urgency.ASSUMED, "FTS")
        await stage.answer(asked, option="Tantivy")
        while not (words := [e.last_words for e in stage.board.all(SessionChanged) if "Told: " in e.last_words]):
            await stage.board.heard(SessionChanged, len(stage.board.all(SessionChanged)) + 1)
        assert 'You assumed "FTS" for "Which index?"; Ana says instead: Tantivy' in words[0]


async def test_an_assumption_that_nobody_vetoes_stands(stage: Scene) -> None:
    stage.script({"say": "Hello."}, {"end": "limit"})
    async with runner(stage) as found:
        asker = Asker(stage.session, found.driver.desk, utc_now)
        assumed = parse({"questions": [{**QUESTION, "default": "FTS", "within": "2h"}]}, stage.time.now())
        ids = await asker.post(assumed, RESENT)
        waiting = asyncio.create_task(asker.wait(assumed, ids, None, for_all=True))
        await stage.board.heard(Asked)
        stage.time.on(timedelta(hours=2))
        async with asyncio.timeout(WITHIN):
            assert await waiting == (Chosen("FTS"),)
        assert "nobody objected" in (await stage.board.heard(QuestionWithdrawn)).reason


async def test_an_open_question_survives_a_restart_and_is_not_put_twice(stage: Scene) -> None:
    stage.script({"say": "Hello."}, {"end": "limit"}, follow=[{"say": "Told: {{prompt}}"}, {"end": "limit"}])
    async with runner(stage) as found:
        await last_words(stage)
        asker = Asker(stage.session, found.driver.desk, utc_now)
        await asker.post(call(), RESENT)
        await stage.board.heard(Asked)
    async with runner(stage) as found:
        asker = Asker(stage.session, found.driver.desk, utc_now)
        ids = await asker.post(call(), RESENT)
        waiting = asyncio.create_task(asker.wait(call(), ids, None))
        await stage.answer(stage.board.all(Asked)[0].question, option="FTS")
        async with asyncio.timeout(WITHIN):
            assert await waiting == (Chosen("FTS"),)
    assert {asked.question.id for asked in stage.board.all(Asked)} == set(ids)
    assert stage.board.all(QuestionWithdrawn) == []
