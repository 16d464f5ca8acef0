"""Turns: one at a time for each thread, by Slack's timestamps, whatever happens to who waits."""

from __future__ import annotations

import asyncio

from bot.slack.order import Turns


async def test_by_timestamp_within_a_key_and_side_by_side_across() -> None:
    turns, done, gate = Turns(), [], asyncio.Event()

    async def work(key: str, ts: str, until: asyncio.Event | None = None) -> None:
        async with turns.turn(key, ts):
            if until:
                await until.wait()
            done.append((key, ts))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(work("a", "1", gate))
        await asyncio.sleep(0)
        for ts in ("4", "2", "3"):
            tasks.create_task(work("a", ts))
        other = tasks.create_task(work("b", "9"))
        nothing = tasks.create_task(work("", "0"))
        await asyncio.wait({other, nothing})
        assert set(done) == {("b", "9"), ("", "0")}
        gate.set()
    assert done[2:] == [("a", "1"), ("a", "2"), ("a", "3"), ("a", "4")]
    assert turns._waiting == {}


async def test_who_gives_up_waiting_blocks_nobody() -> None:
    turns, done, gate = Turns(), [], asyncio.Event()

    async def work(ts: str, fail: bool = False) -> None:
        async with turns.turn("a", ts):
            await gate.wait()
            done.append(ts)
            if fail:
                raise ValueError(ts)

    first = asyncio.create_task(work("1", fail=True))
    await asyncio.sleep(0)
    second, third = asyncio.create_task(work("2")), asyncio.create_task(work("3"))
    await asyncio.sleep(0)
    second.cancel()
    gate.set()
    await asyncio.wait({first, second, third})
    assert isinstance(first.exception(), ValueError)
    assert done == ["1", "3"]
    assert turns._waiting == {}
