"""Files that several processes write, each at a time of its own."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runners.files import write_atomic


def test_two_who_write_one_file_at_once_do_not_spoil_it_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write_atomic(path, str(number).encode() * 1000), range(200)))
    found = path.read_text()
    assert found == found[: len(found) // 1000] * 1000
    assert os.listdir(tmp_path) == ["record.json"]
    assert path.stat().st_mode & 0o777 == 0o600
