"""Commands that an agent has us run: how they end is known though something they left behind holds their output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runners.agents.acp.terminals import Exit, Terminals
from tests.agents.claude.conftest import soon


@pytest.fixture
async def terminals() -> AsyncIterator[Terminals]:
    found = Terminals({})
    yield found
    await found.close()


@pytest.mark.parametrize("left", ["sleep 60 &", "(trap '' HUP; exec setsid sleep 60) &"])
async def test_a_command_has_ended_though_what_it_left_holds_its_output(
    terminals: Terminals, tmp_path: Path, left: str
) -> None:
    name = await terminals.create(f"{left} echo $!; exit 3", (), {}, tmp_path)
    terminal = terminals.find(name)
    try:
        async with asyncio.timeout(10):
            assert await terminal.wait() == Exit(code=3)
            assert terminal.output.strip().isdigit()
            await terminals.release(name)
    finally:
        with contextlib.suppress(ProcessLookupError, ValueError):
            os.kill(int(terminal.output), signal.SIGKILL)


async def test_what_is_left_behind_is_heard_until_the_terminal_is_released(
    terminals: Terminals, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    line = f"(while [ ! -e {go} ]; do sleep 0.02; done; echo late) & echo early"
    terminal = terminals.find(await terminals.create(line, (), {}, tmp_path))
    async with asyncio.timeout(10):
        assert await terminal.wait() == Exit(code=0)
        assert terminal.output == "early\n"
        go.touch()
        await soon(lambda: terminal.output == "early\nlate\n")


async def test_only_the_newest_output_is_kept(terminals: Terminals, tmp_path: Path) -> None:
    name = await terminals.create("printf 0123456789", (), {}, tmp_path, limit=4)
    await terminals.find(name).wait()
    assert (terminals.find(name).output, terminals.find(name).truncated) == ("6789", True)
