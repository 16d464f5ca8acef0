"""Files that an agent writes through us: whole or not at all, and with the mode they had."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runners.agents.acp.confine import OutOfBounds, read_text, write_text

FULL = """
import resource, sys
from pathlib import Path
from runners.agents.acp.confine import OutOfBounds, write_text
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_text(Path(sys.argv[1]), sys.argv[2], "x" * 5000)
except OutOfBounds as refused:
    print(refused)
"""


def test_a_write_that_finds_no_room_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("precious\n")
    said = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(path)], capture_output=True, text=True, check=True
    ).stdout
    assert "cannot be written" in said
    assert path.read_text() == "precious\n"
    assert os.listdir(tmp_path) == ["a.py"]


@pytest.mark.parametrize("mode", [0o755, 0o600, 0o640])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "run.sh"
    path.write_text("old")
    path.chmod(mode)
    write_text(tmp_path, str(path), "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)


def test_a_new_file_has_the_mode_that_any_program_would_give_it(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    write_text(tmp_path, str(tmp_path / "made" / "new.txt"), "new")
    assert (tmp_path / "made" / "new.txt").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_symlink_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path, str(tmp_path / "link.txt"), "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anything")
def test_what_may_not_be_written_is_not_replaced_either(tmp_path: Path) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")
    path.chmod(0o444)
    with pytest.raises(OutOfBounds, match="cannot be written"):
        write_text(tmp_path, str(path), "new")


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutOfBounds):
        write_text(tmp_path, str(tmp_path / "pipe"), "new")


def test_a_path_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(OutOfBounds, match="not UTF-8"):
        read_text(tmp_path, f"{tmp_path}/a\ud83d")
