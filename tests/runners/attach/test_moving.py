"""Whose process a terminal's old id is, before anybody asks it to end; what people read while a session moves."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.wire.types import RunState
from runners import files
from runners.attach import moving, record
from runners.attach.record import Record
from runners.errors import RunnerError
from runners.kept import started_at
from tests.runners.scene import DONE, scene


@pytest.fixture
def process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as found:
        yield found
        found.kill()


def known(process: subprocess.Popen[bytes], started: str) -> Record:
    return Record("a", "claude", "/w", "playback", "main", pid=process.pid, started=started)


def test_an_id_that_is_somebody_elses_by_now_is_a_terminal_that_has_ended(
    process: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    its = known(process, started_at(process.pid))
    assert record.alive(its)
    other = replace(its, started="1")
    assert not record.alive(other)
    assert record.why_gone(tmp_path, other, tmp_path) == "its terminal has ended"


async def test_a_process_of_which_only_the_id_is_known_is_not_ended(process: subprocess.Popen[bytes]) -> None:
    with pytest.raises(RunnerError, match="may be somebody else's"):
        await moving._ended(known(process, ""))
    assert process.poll() is None
    started = await asyncio.to_thread(started_at, process.pid)
    asyncio.get_running_loop().call_later(0.3, process.poll)  # as a shell, which sees its child go
    await moving._ended(known(process, started))
    assert process.wait() != 0


@pytest.mark.parametrize("words", [moving.TO_RUNNER, moving.TO_TERMINAL])
async def test_while_it_moves_people_read_that_and_not_that_its_machine_ends(tmp_path: Path, words: str) -> None:
    async with scene(tmp_path) as stage:
        stage.script(DONE)
        async with stage.runner():
            await stage.state(RunState.STOPPED)
            (stage.session / files.MOVING).write_text(words)
        assert (await stage.state(RunState.PAUSED)).detail == words
        (stage.session / files.MOVING).unlink()
        async with stage.runner():
            await stage.state(RunState.STOPPED, 2)
        assert (await stage.state(RunState.PAUSED, 2)).detail == "its machine is shutting down"
