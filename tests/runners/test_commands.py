"""Set-up and check commands as real processes: results, timeouts, what they leave running, what they print."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.wire import codec
from bot.wire.messages import ReviewOffered
from bot.wire.types import Check, CheckState, Review, ReviewId, Share
from runners import process
from runners.errors import SetupFailed
from runners.leftovers import end_leftovers
from runners.repo import checks, reviewing

ENV = dict(os.environ)


async def check(tmp_path: Path, *command: str, timeout: float = 20) -> Check:
    return await checks.run_check(command, cwd=tmp_path, env=ENV, timeout=timeout)


async def test_a_check_passes_fails_or_cannot_be_run(tmp_path: Path) -> None:
    assert (await check(tmp_path, "true")).state is CheckState.PASSED
    failed = await check(tmp_path, "sh", "-c", "echo one; echo two >&2; exit 3")
    assert (failed.state, failed.tail) == (CheckState.FAILED, "one\ntwo")
    missing = await check(tmp_path, "no-such-check", "-q")
    assert (missing.state, missing.name) == (CheckState.NOT_RUN, "no-such-check -q")
    assert "No such file" in missing.tail


async def test_a_check_that_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo $$ > child; while :; do sleep 0.1; done"
    (tmp_path / "stubborn").write_text(stubborn)
    found = await check(tmp_path, "sh", "-c", "echo started; sh stubborn & wait", timeout=1)
    assert found.state is CheckState.FAILED
    assert "stopped after 1 s" in found.tail
    assert "started" in found.tail
    assert not alive(int((tmp_path / "child").read_text()))


def alive(pid: int) -> bool:
    """Not ended; one that ended and that nobody has waited for is not alive."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(shown.strip()) and not shown.startswith("Z")


async def test_a_check_whose_child_keeps_its_output_open_ends_all_the_same(tmp_path: Path) -> None:
    async with asyncio.timeout(15):
        found = await check(tmp_path, "sh", "-c", "sleep 60 & echo done", timeout=30)
    assert (found.state, found.tail) == (CheckState.PASSED, "done")


async def test_only_the_end_of_a_flood_is_kept_without_control_codes(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('x' * 5_000_000 + '\\n' + '\\x1b[31mred\\x1b[0m \\x00end\\n')"
    found = await check(tmp_path, sys.executable, "-c", code)
    assert found.tail.endswith("red end")
    assert len(found.tail) <= checks.SHOWN + 1


async def test_a_failing_set_up_names_its_command_and_output(tmp_path: Path) -> None:
    commands = [("touch", "made"), ("sh", "-c", "echo no network; exit 2"), ("touch", "never")]
    with pytest.raises(SetupFailed, match="no network") as caught:
        await checks.set_up(commands, cwd=tmp_path, env=ENV, timeout=20)
    assert "status 2" in caught.value.problem
    assert (tmp_path / "made").exists()
    assert not (tmp_path / "never").exists()


async def test_a_child_is_gone_when_its_block_is_left(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with process.child(("sleep", "60"), cwd=tmp_path, env=ENV) as (child, _):
            raise ZeroDivisionError
    assert child.returncode == -signal.SIGTERM


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_a_killed_runner_left_is_found_by_its_mark(tmp_path: Path) -> None:
    mine = subprocess.Popen(["sleep", "60"], env={**ENV, "SWITCHBOARD_FOLDER": str(tmp_path / "s1")})
    other = subprocess.Popen(["sleep", "60"], env={**ENV, "SWITCHBOARD_FOLDER": str(tmp_path / "s10")})
    try:
        assert end_leftovers(tmp_path / "s1") == [mine.pid]
        assert mine.wait(10) == -signal.SIGKILL
        assert other.poll() is None
    finally:
        for left in (mine, other):
            left.kill()
            left.wait()


@pytest.mark.parametrize("text", ["line of code\n" * 200_000, '"\\\n' * 400_000, "ü🔎\n" * 300_000])
def test_a_diff_is_cut_to_fit_a_frame_and_says_so(text: str) -> None:
    review = Review(ReviewId("r"), "c", "b", "main", "c0", "ok", diff=text, share=Share.FULL)
    found = reviewing.fit(review)
    assert found.diff is not None
    assert found.diff.endswith(reviewing.CUT)
    size = len(codec.body_bytes(ReviewOffered(found)))
    assert codec.MAX_FRAME * 0.7 < size < codec.MAX_FRAME - 1000
    small = Review(ReviewId("r"), "c", "b", "main", "c0", "ok", diff="small", share=Share.FULL)
    assert reviewing.fit(small) == small
