"""Digests: what goes in, that nothing is told twice, schedules, downtime, restarts, time changes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.deliveries import Subject
from bot.domain.digests import Cron, Every, Off, parse_duration, parse_schedule
from bot.domain.intents import Choose, DigestNow, Later, Note, Nothing, Reply, SetPrefs, Stop
from bot.domain.views import DigestView, Light, ProgressView
from bot.services import Services, calendar
from bot.store import due, questions
from bot.store.due import Due
from bot.timers import Timers
from bot.wire.messages import Asked, Progressed, ReviewOffered, SessionChanged, SessionEnded
from bot.wire.types import Commit, Ending, PlanStep, RunState, Snapshot, StepState
from tests.bot.board import ANA, BEN, START, Board
from tests.bot.samples import choice, review


def snapshot(commits: int = 1, line: str = "tests") -> Progressed:
    made = tuple(Commit(f"{n:040x}", f"commit {n}") for n in range(commits))
    steps = (PlanStep("a", StepState.DONE), PlanStep("b"))
    return Progressed(Snapshot(at=START, line=line, steps=steps, commits=made, commit_count=commits))


def digests(board: Board, person: str = ANA) -> list[DigestView]:
    return [v for v in board.shown(Subject.DIGEST, f"D{person}") if isinstance(v, DigestView)]


async def half_an_hour(board: Board) -> None:
    board.clock.forward(minutes=30, seconds=1)
    await board.services.digests.run_due()
    await board.deliver()


async def test_one_page_with_decisions_first_and_true_counts(board: Board) -> None:
    asking = await board.session("Ask a thing")
    await asking.says(Asked(choice(asking)))
    offering = await board.session("Offer a thing")
    await offering.says(ReviewOffered(review(offering)))
    working = await board.session("Work on it")
    await working.says(SessionChanged(RunState.WORKING), snapshot())
    stopped = await board.session("Stop somewhere")
    await stopped.says(SessionChanged(RunState.STOPPED, last_words="I am done, I think."))
    failed = await board.session("Fail badly")
    await failed.says(SessionChanged(RunState.FAILED, "exit 1"))
    await half_an_hour(board)
    (page,) = digests(board)
    assert [bool(d.question) for d in page.decisions] == [True, False, False]
    assert page.decisions[1].failed == "exit 1"
    assert page.decisions[2].review
    assert [d.number for d in page.decisions] == [1, 2, 3]
    assert [(line.session_name, line.text) for line in page.working] == [("work-it", "1/2 · tests · 1 commit")]
    assert [line.text for line in page.stopped] == ["I am done, I think."]
    assert page.next == board.clock.now() + timedelta(minutes=30) - timedelta(seconds=1)


async def test_nothing_is_told_twice_and_an_empty_digest_is_not_sent(board: Board) -> None:
    runner = await board.session()
    await half_an_hour(board)
    assert not digests(board)  # a session that was only started is the person's own doing
    await runner.says(snapshot(1), Asked(choice(runner)))
    await half_an_hour(board)
    assert len(digests(board)) == 1
    await half_an_hour(board)
    assert len(digests(board)) == 1
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    await runner.says(snapshot(2))
    await half_an_hour(board)
    assert len(digests(board)) == 2
    assert not digests(board)[1].decisions
    await half_an_hour(board)
    assert len(digests(board)) == 2


async def test_later_is_told_again_in_the_next_one(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await half_an_hour(board)
    await board.does(ANA, Later(choice(runner).id))
    await half_an_hour(board)
    assert len(digests(board)) == 2
    await half_an_hour(board)
    assert len(digests(board)) == 2


async def test_a_settled_decision_is_edited_in_the_digest_and_on_home(board: Board) -> None:
    await board.desk.home_opened(ANA)
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await half_an_hour(board)
    await board.does(ANA, Choose(choice(runner).id, "fts"))
    board.clock.forward(seconds=6)
    await board.deliver()
    (page,) = digests(board)
    assert page.decisions[0].settled == "Which index? → FTS · Ana"
    assert (await board.desk.home(ANA)).decisions == ()
    assert (await board.desk.home(ANA)).answered_today == 1
    assert (await board.desk.home(ANA)).pinged_today == 1


async def test_home_is_published_every_few_seconds_at_most(board: Board) -> None:
    await board.desk.home_opened(ANA)
    runner = await board.session()
    homes = []
    for n in range(20):
        await runner.says(snapshot(n, f"line {n}"))
        homes += [m for m in await board.deliver() if m.delivery.subject is Subject.HOME]
    assert len(homes) <= 1
    board.clock.forward(seconds=5)
    (last,) = [m for m in await board.deliver() if m.delivery.subject is Subject.HOME]
    assert last.view.sessions[0].line == "line 19"  # type: ignore[union-attr]
    board.clock.forward(hours=2)
    await runner.says(snapshot(30, "nobody looks"))
    assert not [m for m in await board.deliver() if m.delivery.subject is Subject.HOME]


async def test_the_owners_own_stop_is_no_news(board: Board) -> None:
    runner = await board.session()
    await board.does(ANA, Stop("add-search"))
    await runner.says(SessionEnded(Ending.STOPPED, "b"))
    await half_an_hour(board)
    assert not digests(board)


async def test_a_session_that_died_is_told_as_a_failure_once(board: Board) -> None:
    runner = await board.session()
    await runner.says(SessionEnded(Ending.FAILED, "b", last_words="oh", exit_status=3))
    await half_an_hour(board)
    await half_an_hour(board)
    (page,) = digests(board)
    assert [d.failed for d in page.decisions] == ["oh"]


async def test_on_demand_tells_everything_as_it_is(board: Board) -> None:
    empty = await board.does(ANA, DigestNow())
    assert isinstance(empty, Note)
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    for _ in range(2):
        assert isinstance(await board.does(ANA, DigestNow()), Note)
        await board.deliver()
    assert [len(page.decisions) for page in digests(board)] == [1, 1]
    assert await board.does(ANA, DigestNow(), channel="DUANA") == Nothing()


async def test_the_reviewer_gets_the_review_in_their_own_digest(board: Board) -> None:
    runner = await board.session(reviewer=BEN)
    await runner.says(ReviewOffered(review(runner)))
    await half_an_hour(board)
    (page,) = digests(board, BEN)
    assert page.decisions[0].review
    assert not any(line.review for page in digests(board) for line in page.decisions)


async def test_downtime_collapses_into_one(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)), snapshot())
    board.clock.forward(hours=9)
    restarted = Services(board.db, board.settings, board.clock)
    await asyncio.gather(restarted.digests.run_due(), board.services.digests.run_due())
    await board.deliver()
    assert len(digests(board)) == 1
    assert await board.services.digests.next_due() is not None
    due = await board.db.read(lambda tx: tx.all("SELECT at FROM due WHERE kind = 'digest'"))
    assert len(due) == 1


async def test_nobody_without_a_session_is_woken(board: Board) -> None:
    runner = await board.session()
    await runner.says(SessionEnded(Ending.STOPPED, "b"))
    await half_an_hour(board)
    assert not await board.db.read(lambda tx: tx.all("SELECT * FROM due WHERE kind = 'digest'"))


async def test_one_row_that_cannot_be_done_holds_up_nobody(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    await board.db.write(lambda tx: tx.run("UPDATE people SET digest = 'nonsense' WHERE id = ?", BEN))
    broken = Due("digest", BEN, "x", START)
    await board.db.write(lambda tx: due.schedule(tx, broken))
    await board.session("Another", reviewer=BEN)
    await half_an_hour(board)
    assert len(digests(board)) == 1
    await board.db.write(lambda tx: tx.run("UPDATE people SET digest = '' WHERE id = ?", BEN))
    await half_an_hour(board)
    assert await board.db.read(lambda tx: due.get(tx, "digest", BEN))


async def test_what_is_held_is_posted_at_its_time_if_it_still_waits(board: Board) -> None:
    runner = await board.session()
    question = choice(runner)
    await board.db.write(
        lambda tx: questions.add(
            tx, runner.peer.session, question, START, card=question.id, waits=True, ping=False, held_for="focus"
        )
    )
    at = START + timedelta(minutes=10)
    await board.db.write(lambda tx: due.schedule(tx, Due("held", question.id, "", at)))
    await board.services.digests.run_due()
    await board.deliver()
    assert not board.shown(Subject.QUESTION)
    board.clock.forward(minutes=10)
    await board.services.digests.run_due()
    await board.services.digests.run_due()
    await board.deliver()
    (card,) = board.shown(Subject.QUESTION)
    assert card.mention == ANA  # type: ignore[union-attr]


# --- preferences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("digest", "tz", "field"),
    [
        ("sometimes", "", "digest"),
        ("every 0s", "", "digest"),
        ("every 8d", "", "digest"),
        ("every", "", "digest"),
        ("61 * * * *", "", "digest"),
        ("0 0 30 2 *", "", "digest"),
        ("0 9 * * funday", "", "digest"),
        ("* * * *", "", "digest"),
        ("every 30m", "Mars/Olympus", "tz"),
        ("every 30m", "../../etc/passwd", "tz"),
    ],
)
async def test_impossible_wishes_are_refused_where_they_are_set(board: Board, digest: str, tz: str, field: str) -> None:
    response = await board.does(ANA, SetPrefs(digest, tz), surface="modal")
    assert isinstance(response, Note)
    assert (response.problem, response.field) == (True, field)
    assert (await board.desk.prefs(ANA)).digest == "every 30m"


async def test_a_crontab_is_read_in_the_persons_own_zone(board: Board) -> None:
    await board.session()
    response = await board.does(ANA, SetPrefs("0 13 * * 1-5", "Europe/Berlin"))
    assert isinstance(response, Note)
    assert not response.problem, response
    (row,) = await board.db.read(lambda tx: tx.all("SELECT slot, at FROM due WHERE kind = 'digest'"))
    assert row["slot"] == "2026-11-23T13:00"
    assert row["at"] == int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp() * 1_000_000)
    await board.does(ANA, SetPrefs("off"))
    assert not await board.db.read(lambda tx: tx.all("SELECT * FROM due WHERE kind = 'digest'"))


async def test_a_wish_that_is_not_named_stays_as_it_is(board: Board) -> None:
    await board.does(ANA, SetPrefs("every 2h", "Asia/Tokyo"))
    said = await board.does(ANA, SetPrefs(digest="every 3h"))
    assert isinstance(said, Note)
    assert "(Asia/Tokyo)" in said.text
    await board.does(ANA, SetPrefs(tz="Europe/Berlin"))
    now = await board.desk.prefs(ANA)
    assert (now.digest, now.tz) == ("every 3h", "Europe/Berlin")
    said = await board.does(ANA, SetPrefs("", " "), surface="modal")
    assert isinstance(said, Note)
    now = await board.desk.prefs(ANA)
    assert (now.digest, now.tz) == ("every 30m", "UTC")
    assert "(UTC)" in said.text


def test_schedules() -> None:
    assert parse_schedule("Every 20s") == Every(timedelta(seconds=20))
    assert parse_schedule("off") == Off()
    assert parse_schedule("0 9,13 * * 0") == Cron("0", "9,13", "*", "*", "sun")
    assert parse_schedule("0 9 * * 5-7") == Cron("0", "9", "*", "*", "fri,sat,sun")
    assert parse_schedule("0 9 * * mon-fri") == Cron("0", "9", "*", "*", "mon,tue,wed,thu,fri")
    assert parse_duration("1h30m") == timedelta(minutes=90)
    for bad in ("", "5", "m5", "5 parsecs", "-5m"):
        with pytest.raises(ValueError):
            parse_duration(bad)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_fortnight_across_the_change_has_one_slot_a_day(zone: str) -> None:
    tz = ZoneInfo(zone)
    for start in (datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)):
        now, slots, last = start, [], ""
        while now < start + timedelta(days=30):
            due = calendar.next_due("digest", "U", parse_schedule("30 2 * * *"), tz, now, last=None, last_slot=last)
            assert due is not None
            last, now = due.slot, due.at
            slots.append(due.slot[:10])
        assert len(slots) == len(set(slots))
        assert len(slots) >= 30


# --- the progress message of a thread -------------------------------------------------------------------------------


def progress(board: Board) -> list[ProgressView]:
    return [v for v in board.shown(Subject.PROGRESS) if isinstance(v, ProgressView)]


async def test_one_progress_message_is_edited_at_its_interval_and_only_with_news(board: Board) -> None:
    runner = await board.session()
    await runner.says(snapshot(1))
    await board.services.digests.run_due()
    await board.deliver()
    assert [(v.snapshot.commit_count, v.since) for v in progress(board)] == [(1, None)]
    await runner.says(snapshot(3, "more"))
    await board.services.digests.run_due()
    await board.deliver()
    assert progress(board)[0].snapshot.commit_count == 1
    await half_an_hour(board)
    (view,) = progress(board)
    assert (view.snapshot.commit_count, view.new_commits, view.since) == (3, 2, START)
    edits = sum(m.edits for m in board.messages if m.delivery.subject is Subject.PROGRESS)
    await runner.says(snapshot(3, "only another line"))
    await half_an_hour(board)
    assert sum(m.edits for m in board.messages if m.delivery.subject is Subject.PROGRESS) == edits


async def test_a_fresh_progress_message_once_a_person_has_written_below(board: Board) -> None:
    runner = await board.session()
    await runner.says(snapshot(1))
    await half_an_hour(board)
    await board.does(ANA, Reply("nice"), surface="reply", thread=board.thread(runner))
    await runner.says(snapshot(2))
    await half_an_hour(board)
    assert [v.snapshot.commit_count for v in progress(board)] == [1, 2]
    await runner.says(snapshot(5))
    await half_an_hour(board)
    assert [v.snapshot.commit_count for v in progress(board)] == [1, 5]


async def test_timers_ring_when_something_is_due(board: Board) -> None:
    runner = await board.session()
    async with Timers(board.services, board.clock) as timers:
        ticking = asyncio.create_task(_run(timers))
        await runner.says(snapshot(1))
        while not progress(board):
            await asyncio.sleep(0.01)
            await board.deliver()
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
    assert progress(board)[0].light is Light.STARTING


async def _run(timers: Timers) -> None:
    async with asyncio.TaskGroup() as tasks:
        timers.run(tasks)
