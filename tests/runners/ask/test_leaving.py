"""A script's session leaves the board once its scripts have their answers, and not before."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from runners.ask.asking import AT_ONCE, Asker
from runners.ask.calls import Call, parse
from runners.ask.leaving import LINGERS, UNCOLLECTED, leave, over
from tests.runners.ask.desk import NOW, WITHIN, Clock, People


def call(question: str) -> Call:
    return parse({"questions": [question]}, NOW)


async def test_it_stays_while_somebody_waits_or_a_question_is_open(tmp_path: Path) -> None:
    people, clock = People(), Clock()
    asker = Asker(tmp_path, people, clock)
    asked = call("Deploy?")
    ids = await asker.post(asked, AT_ONCE)
    waiting = asyncio.create_task(asker.wait(asked, ids, None))
    await people.until(lambda: people.waiting == 1)
    clock.passes(days=3)
    assert not await over(asker, clock())
    waiting.cancel()
    await asyncio.wait({waiting})
    assert not await over(asker, clock())  # parked: nobody waits, and people may still answer
    await people.answer(ids[0], text="yes")
    assert await asker.wait(asked, ids, None)
    assert not await over(asker, clock())
    assert await over(asker, clock() + LINGERS)


async def test_an_answer_that_nobody_came_back_for_is_kept_for_a_day(tmp_path: Path) -> None:
    people, clock = People(), Clock()
    asker = Asker(tmp_path, people, clock)
    ids = await asker.post(call("Deploy?"), AT_ONCE)
    await people.answer(ids[0], text="yes")
    assert not await over(asker, clock() + UNCOLLECTED - timedelta(seconds=1))
    assert await over(asker, clock() + UNCOLLECTED)


async def test_it_says_so_once(tmp_path: Path) -> None:
    people, clock, gone = People(), Clock(), asyncio.Queue[str]()
    asker = Asker(tmp_path, people, clock)
    ids = await asker.post(call("Deploy?"), AT_ONCE)
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as tasks:
        tasks.create_task(leave(asker, clock, gone.put_nowait, every=0.01))
        asker.withdraw(ids, "interrupted")
        clock.passes(minutes=2)
    assert gone.qsize() == 1
