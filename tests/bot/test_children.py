"""The parts of `up`: what is told of one that ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bot.up.children import ChildFailed, child


async def test_only_what_this_start_wrote_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("an old trouble\n" * 20)
    with pytest.raises(ChildFailed) as failed:
        async with child("The part", [sys.executable, "-c", "print('a new one'); exit(3)"], log, os.environ):
            pass
    assert "exit status 3" in str(failed.value)
    assert "a new one" in str(failed.value)
    assert "an old trouble" not in str(failed.value)


async def test_a_part_without_last_words_says_how_it_ended(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    ends = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(ChildFailed, match="killed by SIGKILL") as failed:
        async with child("The part", [sys.executable, "-c", ends], log, os.environ):
            pass
    assert "It left no last words" in str(failed.value)
