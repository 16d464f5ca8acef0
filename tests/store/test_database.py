"""The database: group commit, isolation between functions of one commit, bells after commit, closing, permissions."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from blockbuster import blockbuster_ctx

from bot.errors import StoreClosed, StoreError
from bot.store.database import Database, Tx


@pytest_asyncio.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    with blockbuster_ctx("bot"):
        async with Database(tmp_path / "data" / "switchboard.db") as db:
            yield db


def put(key: str, at: int = 1):  # type: ignore[no-untyped-def]
    return lambda tx: tx.run("INSERT INTO inbox (key, at) VALUES (?, ?)", key, at)


async def count(db: Database) -> int:
    return await db.read(lambda tx: tx.all("SELECT COUNT(*) FROM inbox")[0][0])


async def test_a_write_is_seen_by_the_next_read(db: Database) -> None:
    await db.write(put("a"))
    assert await count(db) == 1


async def test_a_failing_function_harms_none_of_its_neighbours(db: Database) -> None:
    def fails(tx: Tx) -> None:
        put("half done")(tx)
        raise ValueError("no")

    results = await asyncio.gather(
        *(db.write(fails if n == 5 else put(f"k{n}")) for n in range(20)), return_exceptions=True
    )
    assert [type(r) for r in results if isinstance(r, Exception)] == [ValueError]
    assert await count(db) == 19


async def test_a_broken_constraint_becomes_our_error_and_harms_nobody(db: Database) -> None:
    await db.write(put("a"))
    results = await asyncio.gather(db.write(put("a")), db.write(put("b")), return_exceptions=True)
    assert isinstance(results[0], StoreError)
    assert results[1] == 1


async def test_writes_are_done_in_the_order_in_which_they_were_asked_for(db: Database) -> None:
    await asyncio.gather(*(db.write(put(f"{n:04}", n)) for n in range(500)))
    rows = await db.read(lambda tx: [row[0] for row in tx.all("SELECT at FROM inbox ORDER BY rowid")])
    assert rows == list(range(500))


async def test_many_writers_share_few_commits(db: Database) -> None:
    commits = 0
    before = await db.read(lambda tx: tx.all("PRAGMA data_version")[0][0])
    await asyncio.gather(*(db.write(put(f"k{n}")) for n in range(200)))
    commits = await db.read(lambda tx: tx.all("PRAGMA data_version")[0][0]) - before
    assert commits < 50  # the reader sees one new version for each commit it looks past


async def test_a_bell_rings_after_the_commit_and_not_for_what_was_rolled_back(db: Database) -> None:
    def rings(tx: Tx) -> None:
        tx.ring("x")

    def rings_and_fails(tx: Tx) -> None:
        tx.ring("x")
        raise ValueError

    await db.write(rings)
    assert db.bells.rung("x") == 1
    with pytest.raises(ValueError):
        await db.write(rings_and_fails)
    assert db.bells.rung("x") == 1


async def test_a_ring_between_looking_and_waiting_is_not_missed(db: Database) -> None:
    seen = db.bells.rung("x")
    db.bells.ring(["x"])
    assert await db.bells.wait("x", seen, timeout=5)
    assert not await db.bells.wait("x", db.bells.rung("x"), timeout=0.01)


async def test_a_cancelled_caller_changes_nothing_for_the_others(db: Database) -> None:
    tasks = [asyncio.create_task(db.write(put(f"k{n}"))) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await count(db) >= 9


async def test_close_finishes_what_is_queued_and_may_be_repeated(tmp_path: Path) -> None:
    db = await Database.open(tmp_path / "x.db")
    writes = [asyncio.ensure_future(db.write(put(f"k{n}"))) for n in range(300)]
    await asyncio.sleep(0)
    await db.close()
    await db.close()
    assert sum(await asyncio.gather(*writes)) == 300
    with pytest.raises(StoreClosed):
        await db.write(put("late"))
    async with await Database.open(tmp_path / "x.db") as again:
        assert await count(again) == 300


async def test_only_this_user_can_read_it(db: Database) -> None:
    await db.write(put("a"))
    mode = stat.S_IMODE((await asyncio.to_thread(db.path.stat)).st_mode)
    folder = stat.S_IMODE((await asyncio.to_thread(db.path.parent.stat)).st_mode)
    assert (mode, folder) == (0o600, 0o700)
    wal = await asyncio.to_thread(db.path.with_name("switchboard.db-wal").stat)
    assert stat.S_IMODE(wal.st_mode) == 0o600


async def test_commits_are_durable(db: Database) -> None:
    pragmas = await db.write(lambda tx: (tx.all("PRAGMA journal_mode")[0][0], tx.all("PRAGMA synchronous")[0][0]))
    assert pragmas == ("wal", 2)


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(StoreError, match=r"x\.db"):
        await Database.open(path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        await Database.open(tmp_path / "file" / "x.db")


async def test_a_full_disk_is_an_error_that_passes(db: Database) -> None:
    pages = await db.read(lambda tx: tx.all("PRAGMA page_count")[0][0])
    await db.write(lambda tx: tx.all(f"PRAGMA max_page_count = {pages + 2}"))
    results = await asyncio.gather(db.write(put("x" * 100_000)), db.write(put("y" * 100_000)), return_exceptions=True)
    assert all(isinstance(result, StoreError) for result in results)
    await db.write(lambda tx: tx.all("PRAGMA max_page_count = 1000000"))
    await db.write(put("z"))
    assert await count(db) == 1
