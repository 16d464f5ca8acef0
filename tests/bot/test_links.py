"""Hosts and runners: credentials, replay, foreign and broken events, commands, hosts that fall silent."""

from __future__ import annotations

import asyncio

import msgspec

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Nothing, Origin, Start, Tell
from bot.domain.views import Light, SessionCard
from bot.services import Services
from bot.services.links import HostPeer, RunnerPeer
from bot.wire import codec
from bot.wire.messages import (
    Asked,
    Event,
    Hello,
    Progressed,
    Prompt,
    QuestionWithdrawn,
    ReviewOffered,
    SessionChanged,
    SessionEnded,
)
from bot.wire.types import Ending, HostId, Question, QuestionId, QuestionKind, RunState, Snapshot
from tests.bot.board import ANA, START, Board
from tests.bot.samples import choice, review


async def test_tokens_are_scoped_revocable_and_not_kept_in_clear(board: Board) -> None:
    token = await board.links.enroll(HostId("laptop"), ANA)
    assert token.startswith("sbh_")
    assert await board.links.authenticate(token) == HostPeer(HostId("laptop"), ANA, False)
    assert await board.links.authenticate(token + "x") is None
    assert await board.links.authenticate("") is None
    assert await board.links.authenticate("\udcff") is None
    again = await board.links.enroll(HostId("laptop"), ANA)
    assert await board.links.authenticate(token) is None
    await board.links.revoke(HostId("laptop"))
    assert await board.links.authenticate(again) is None
    runner = await board.session()
    data = await asyncio.to_thread(board.db.path.read_bytes)
    wal = await asyncio.to_thread(board.db.path.with_name("switchboard.db-wal").read_bytes)
    assert again.encode() not in data + wal
    assert runner.spec.token.startswith("sbr_")
    rows = await board.db.read(lambda tx: [bytes(row[0]) for row in tx.all("SELECT body FROM commands")])
    assert not any(runner.spec.token.encode() in row for row in rows)


async def test_replayed_events_change_nothing(board: Board) -> None:
    runner = await board.session()
    bodies = [SessionChanged(RunState.WORKING), Asked(choice(runner)), QuestionWithdrawn(choice(runner).id, "x")]
    events = [codec.event(n, START, body) for n, body in enumerate(bodies, 1)]
    assert await board.links.record(runner.peer, "e1", events) == 3
    await board.deliver()
    before = len(board.messages), [m.edits for m in board.messages]
    for start in range(3):
        assert await board.links.record(runner.peer, "e1", events[start:]) == 3
    await board.deliver()
    assert (len(board.messages), [m.edits for m in board.messages]) == before
    assert await board.links.greet(runner.peer, Hello((1,), "runner", "x", "e1", 3)) == 3
    assert await board.links.greet(runner.peer, Hello((1,), "runner", "x", "e2", 0)) == 0


async def test_a_time_without_a_zone_is_utc_and_stops_nothing(board: Board) -> None:
    runner = await board.session()
    event = codec.event(1, START, Asked(choice(runner)))
    naive = msgspec.structs.replace(event, at=START.replace(tzinfo=None))
    assert await board.links.record(runner.peer, "e1", [naive]) == 1
    card = await board.desk.question(choice(runner).id)
    assert card is not None
    assert card.asked.tzinfo is not None


async def test_gaps_are_accepted_and_acknowledged(board: Board) -> None:
    runner = await board.session()
    events = [codec.event(n, START, Progressed(Snapshot(at=START, line=str(n)))) for n in (2, 7, 40)]
    assert await board.links.record(runner.peer, "e1", events) == 40


async def test_unknown_and_broken_events_are_acknowledged_and_skipped(board: Board) -> None:
    runner = await board.session()
    events = [
        Event(1, "from.the.future", START, msgspec.Raw(b"{}")),
        Event(2, "question.asked", START, msgspec.Raw(b'{"question": 5}')),
        codec.event(3, START, Asked(choice(runner))),
    ]
    assert await board.links.record(runner.peer, "e1", events) == 3
    await board.deliver()
    assert len(board.shown(Subject.QUESTION)) == 1


async def test_a_runner_speaks_for_its_session_alone(board: Board) -> None:
    one, two = await board.session("One"), await board.session("Two")
    foreign = Question(QuestionId(f"{two.peer.session}.q1"), QuestionKind.TEXT, "?")
    await two.says(Asked(choice(two)), ReviewOffered(review(two)))
    await one.says(Asked(foreign), QuestionWithdrawn(choice(two).id, "ha"))
    event = codec.event(9, START, SessionEnded(Ending.STOPPED, "b"), two.peer.session)
    await board.links.record(one.peer, "e1", [event])
    card = await board.desk.question(choice(two).id)
    assert card.withdrawn is None
    assert len(await board.desk.all_sessions()) == 2


async def test_a_host_speaks_for_the_sessions_on_it(board: Board) -> None:
    runner = await board.session()
    other = await board.host("other")
    await board.host_says(other, SessionEnded(Ending.FAILED, "b"), runner.peer.session)
    assert len(await board.desk.all_sessions()) == 1
    host = HostPeer(HostId("laptop"), ANA, False)
    await board.links.record(
        host, "h1", [codec.event(99, START, SessionChanged(RunState.FAILED, "gone"), runner.peer.session)]
    )
    (card,) = await board.desk.all_sessions()
    assert card.light is Light.FAILED


async def test_commands_come_in_order_until_they_are_acknowledged(board: Board) -> None:
    runner = await board.session()
    for words in ("one", "two", "three"):
        await board.does(ANA, Tell("add-search", words))
    waiting = await board.links.commands(runner.peer, 0)
    texts = [codec.command_body(kind, body).text for _, kind, body in waiting]
    assert texts == ["one", "two", "three"]
    await board.links.command_acked(runner.peer, waiting[0][0], "")
    await board.links.command_acked(runner.peer, waiting[0][0], "")
    assert [c[0] for c in await board.links.commands(runner.peer, 0)] == [c[0] for c in waiting[1:]]
    assert await board.links.commands(runner.peer, waiting[2][0]) == []


async def test_a_refused_command_is_said_in_the_thread(board: Board) -> None:
    runner = await board.session()
    await board.does(ANA, Tell("add-search", "one"))
    ((number, _, _),) = await board.links.commands(runner.peer, 0)
    await board.links.command_acked(runner.peer, number, "the agent is gone")
    await board.deliver()
    (note,) = board.shown(Subject.NOTE)
    assert "the agent is gone" in note.text  # type: ignore[union-attr]


async def test_waiting_for_commands_ends_when_one_comes(board: Board) -> None:
    runner = await board.session()
    waiting = asyncio.ensure_future(board.links.wait_commands(runner.peer, 0))
    await asyncio.sleep(0)
    await board.does(ANA, Tell("add-search", "one"))
    await asyncio.wait_for(waiting, 5)
    assert [type(c) for c in await runner.takes()] == [Prompt]


async def test_a_silent_host_is_asleep_answers_are_taken_and_wait_for_it(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)))
    host = HostPeer(HostId("laptop"), ANA, False)
    await board.links.disconnected(host)
    await board.links.disconnected(runner.peer)
    await board.deliver()
    board.clock.forward(seconds=31)
    await board.services.digests.run_due()
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert card.light is Light.ASLEEP
    assert await board.does(ANA, Choose(choice(runner).id, "fts")) == Nothing()
    await board.links.greet(host, Hello((1,), "host", "laptop", "h1", 0))
    await board.links.greet(runner.peer, Hello((1,), "runner", "x", "e1", 1))
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert card.light is Light.STARTING
    assert len(await runner.takes()) == 1


async def test_after_a_restart_nobody_counts_as_connected(board: Board) -> None:
    host = await board.host()
    restarted = Services(board.db, board.settings, board.clock)
    await restarted.links.wake()
    assert not (await restarted.links.hosts())[0].connected
    await restarted.links.greet(host, Hello((1,), "host", "laptop", "h1", 0))
    assert (await restarted.links.hosts())[0].connected
    response = await restarted.desk.handle(Start("t"), ANA, board_origin())
    assert not response.problem  # type: ignore[union-attr]


def board_origin():  # type: ignore[no-untyped-def]
    return Origin("fresh", "slash", "C1")


async def test_hostile_text_stays_data(board: Board) -> None:
    runner = await board.session()
    nasty = "<!channel> <@U1> &lt; ``` \x1b[31m \x00 \u202e " + "x" * 3000
    question = Question(
        QuestionId(f"{runner.peer.session}.q1"), QuestionKind.CHOICE, nasty, options=choice(runner).options * 15
    )
    await runner.says(Asked(question), Progressed(Snapshot(at=START, line=nasty, last_words=nasty)))
    await board.deliver()
    assert board.shown(Subject.QUESTION)
    assert isinstance(runner.peer, RunnerPeer)


async def test_a_question_that_was_asked_while_we_were_away_has_its_true_age(board: Board) -> None:
    runner = await board.session()
    board.clock.forward(minutes=40)
    events = [
        codec.event(1, START, Asked(choice(runner))),
        codec.event(2, START.replace(year=1999), Asked(choice(runner, 2))),
        codec.event(2**70, START, Asked(choice(runner, 3))),
    ]
    assert await board.links.record(runner.peer, "e1", events) == 2
    assert (await board.desk.question(choice(runner).id)).asked == START
    assert (await board.desk.question(choice(runner, 2).id)).asked == board.clock.now()
