"""``status`` and ``list all`` once showed every member the sessions that live in somebody's own messages."""

from __future__ import annotations

import pytest

from bot.domain.intents import Intent, Listing, ListSessions, Note, Status, StatusOf, Stop, Tell
from bot.wire.messages import ReportNow, SessionChanged
from bot.wire.types import PersonId, RunState
from tests.bot.board import ADMIN, ANA, BEN, CLEO, GUS, Board, Runner


async def private(board: Board, **start: object) -> Runner:
    """A session whose thread is in its owner's messages."""
    await board.host(shared=True, channel="")
    runner = await board.session("Rename the secret product", by=ANA, **start)
    await runner.says(SessionChanged(RunState.WORKING))
    await board.db.write(lambda tx: tx.run("UPDATE sessions SET channel = ''"))
    return runner


async def seen(board: Board, by: PersonId) -> tuple[str, ...]:
    listing = await board.does(by, ListSessions(everyone=True), surface="slash")
    assert isinstance(listing, Listing)
    return tuple(session.name for session in listing.sessions)


async def test_a_session_in_somebodys_messages_is_shown_to_its_circle_only(board: Board) -> None:
    await board.knows(ADMIN)
    runner = await private(board, reviewer=BEN)
    name = runner.spec.name
    for person in (ANA, BEN, ADMIN):
        assert await seen(board, person) == (name,)
        assert isinstance(await board.does(person, Status(name)), StatusOf)
    assert await seen(board, CLEO) == ()


@pytest.mark.parametrize("wanted", ["{name}", "{id}", "{near}"])
async def test_for_others_it_does_not_exist(board: Board, wanted: str) -> None:
    runner = await private(board)
    words = wanted.format(name=runner.spec.name, id=runner.peer.session, near=runner.spec.name[:-1])
    intents: list[Intent] = [Status(words), Tell(words, "x"), Stop(words)]
    for intent in intents:
        answer = await board.does(CLEO, intent)
        assert isinstance(answer, Note)
        assert "There is no session" in answer.text
        assert "Did you mean" not in answer.text
        assert "UANA" not in answer.text


async def test_a_session_in_a_channel_is_everybodys_to_see_and_asked_to_report_by_its_own(board: Board) -> None:
    await board.host(shared=True)
    runner = await board.session(by=ANA)
    await runner.says(SessionChanged(RunState.WORKING))
    await runner.takes()
    assert await seen(board, CLEO) == (runner.spec.name,)
    assert isinstance(await board.does(CLEO, Status(runner.spec.name)), StatusOf)
    assert await runner.takes() == []
    await board.does(ANA, Status(runner.spec.name))
    assert [type(command) for command in await runner.takes()] == [ReportNow]


async def test_the_list_of_all_waits_for_a_profile(board: Board) -> None:
    await board.session()
    answer = await board.does(GUS, ListSessions(everyone=True), surface="slash")
    assert isinstance(answer, Note)
    assert "could not check" in answer.text
