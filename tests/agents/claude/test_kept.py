"""Which processes outlive a runner, and which do not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runners.files import FOLDER
from runners.kept import PAPER, end_kept, forget, keep, kept, started_at, under
from runners.leftovers import end_leftovers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")

PARENT = """
import subprocess
below = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(below.pid, flush=True)
below.wait()
"""


def sleeper(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], start_new_session=True, env={**os.environ, FOLDER: str(folder)})


def ended(pid: int) -> None:
    """A signal's work is not done when it has been sent, and this is no child of ours to wait for."""
    deadline = time.monotonic() + 10
    while started_at(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_kept_is_spared_with_all_below_it(tmp_path: Path) -> None:
    env = {**os.environ, FOLDER: str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True, env=env, stdout=subprocess.PIPE)
    stray = sleeper(tmp_path)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    keep(tmp_path, parent.pid)
    try:
        assert kept(tmp_path) == {parent.pid}
        assert child in under([parent.pid])
        assert end_leftovers(tmp_path) == [stray.pid]
        assert end_kept(tmp_path) == [parent.pid]
        assert parent.wait(10) == -signal.SIGKILL
        assert stray.wait(10) == -signal.SIGKILL
        assert kept(tmp_path) == frozenset()
        ended(child)
    finally:
        for pid in (parent.pid, child):
            if started_at(pid):
                os.kill(pid, signal.SIGKILL)
        parent.stdout.close()


def test_a_process_id_that_went_to_somebody_else_is_not_kept(tmp_path: Path) -> None:
    stranger = sleeper(tmp_path / "other")
    try:
        (tmp_path / PAPER).write_text(json.dumps({str(stranger.pid): "1"}))
        assert kept(tmp_path) == frozenset()
        assert end_kept(tmp_path) == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_what_is_kept_may_start_processes_all_the_while(tmp_path: Path) -> None:
    env = {**os.environ, FOLDER: str(tmp_path)}
    busy = subprocess.Popen(["sh", "-c", "while :; do sleep 0.002; done"], start_new_session=True, env=env)
    keep(tmp_path, busy.pid)
    try:
        assert [pid for _ in range(20) for pid in end_leftovers(tmp_path)] == []
    finally:
        end_kept(tmp_path)
        busy.wait()


def test_what_is_forgotten_is_cleared_away(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    keep(tmp_path, process.pid)
    forget(tmp_path, process.pid)
    assert end_leftovers(tmp_path) == [process.pid]
    process.wait()


@pytest.mark.parametrize("paper", ["", "[]", '{"x": 1}', '{"12": 5}', "{"])
def test_a_spoiled_paper_keeps_nothing(tmp_path: Path, paper: str) -> None:
    (tmp_path / PAPER).write_text(paper)
    assert kept(tmp_path) == frozenset()
    forget(tmp_path, 12)


def test_nothing_is_kept_of_what_has_ended(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    process.kill()
    process.wait()
    keep(tmp_path, process.pid)
    assert kept(tmp_path) == frozenset()
