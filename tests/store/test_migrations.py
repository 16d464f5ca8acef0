"""The schema: fresh equals migrated step by step; a newer one is refused untouched."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils

from bot.errors import SchemaTooNew
from bot.store import migrations
from bot.store.database import Database

NAMES = [step.name for step in migrations.steps._migrations]


def schema(path: Path) -> list[tuple[str, ...]]:
    with closing(sqlite_utils.Database(str(path))) as db:
        rows = db.query(
            "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
        )
        return [tuple(str(value) for value in row.values()) for row in rows]


def test_steps_are_numbered_in_order() -> None:
    assert [int(name[1:4]) for name in NAMES] == list(range(1, len(NAMES) + 1))


@pytest.mark.parametrize("stop_before", NAMES[1:])
def test_fresh_equals_migrated(tmp_path: Path, stop_before: str) -> None:
    with closing(sqlite_utils.Database(str(tmp_path / "old.db"))) as db:
        migrations.steps.apply(db, stop_before=stop_before)
    migrations.migrate(tmp_path / "old.db")
    migrations.migrate(tmp_path / "fresh.db")
    assert schema(tmp_path / "old.db") == schema(tmp_path / "fresh.db")


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    migrations.migrate(path)
    with closing(sqlite_utils.Database(str(path))) as db:
        db.table("_sqlite_migrations").insert(
            {"migration_set": "switchboard", "name": "m999_from_the_future", "applied_at": ""}
        )
    before = path.read_bytes()
    with pytest.raises(SchemaTooNew, match="m999_from_the_future"):
        await Database.open(path)
    assert path.read_bytes() == before
