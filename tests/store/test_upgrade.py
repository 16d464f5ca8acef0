"""A database of the first release, checked in as its dump: after the upgrade everything in it is there and works."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Nothing
from bot.services import Services
from bot.services.settings import ServiceSettings
from bot.store import deliveries, questions
from bot.store.database import Database
from bot.wire.types import DENY, PersonId
from tests.bot.board import Board, SetClock
from tests.store.test_migrations import schema

FIRST = Path(__file__).with_name("first.sql")
ANA = PersonId("UANA")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(FIRST.read_text("utf-8"))
    return path


@pytest_asyncio.fixture
async def board(old: Path):  # type: ignore[no-untyped-def]
    db = await Database.open(old)
    async with db:
        chosen, clock = ServiceSettings(), SetClock()
        yield Board(db, clock, chosen, Services(db, chosen, clock))


async def test_it_looks_like_a_fresh_one(board: Board, tmp_path: Path) -> None:
    async with await Database.open(tmp_path / "fresh.db"):
        pass
    tables = [{row[1] for row in schema(path)} for path in (board.db.path, tmp_path / "fresh.db")]
    assert tables[0] == tables[1]
    columns = [_columns(path) for path in (board.db.path, tmp_path / "fresh.db")]
    assert columns[0] == columns[1]


def _columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        names = [
            row[0]
            for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'")
        ]
        return {name: [tuple(row[1:]) for row in db.execute(f"PRAGMA table_info({name})")] for name in names}


async def test_its_sessions_and_open_questions_are_shown_and_answered(board: Board) -> None:
    cards = {card.name: card for card in await board.desk.all_sessions()}
    assert set(cards) == {"add-search", "fix-queue", "tidy-up"}
    search = cards["add-search"]
    assert (search.cost, search.wakes, search.queued) == (0.1, True, 0)
    (permission, text) = await board.db.read(lambda tx: questions.open_in(tx, search.session))
    assert (permission.card, text.card) == (permission.question.id, text.question.id)
    assert await board.does(ANA, Choose(permission.question.id, DENY)) == Nothing()
    ref = permission.question.id
    assert await board.db.read(lambda tx: deliveries.copies(tx, Subject.QUESTION, ref))
    assert (await board.desk.home(ANA)).decisions
