"""A guest whose profile Slack was slow to tell, or did not tell, once could start a session."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.domain.intents import Choose, Intent, Merge, Note, Reply, SendBack, Start, Stop, Tell
from bot.domain.views import Light
from bot.services.people import Profile
from bot.slack.people import PeopleLoop
from bot.wire.messages import Asked, ReviewOffered
from bot.wire.types import PersonId
from tests.bot.board import ADMIN, ANA, BEN, GUS, Board
from tests.bot.samples import COMMIT, choice, review

DAN = PersonId("UDAN")


async def starts(board: Board, by: PersonId, **start: Any) -> Note:
    answer = await board.does(by, Start("Add search", **start), surface="slash")
    assert isinstance(answer, Note)
    return answer


async def test_who_is_not_known_starts_nothing(board: Board) -> None:
    await board.host(shared=True)
    refused = await starts(board, GUS)
    assert refused.problem
    assert "could not check who you are" in refused.text
    assert await board.desk.all_sessions() == []
    await board.knows(GUS, guest=True)
    assert "Guests" in (await starts(board, GUS)).text
    await board.knows(DAN)
    assert not (await starts(board, DAN)).problem


async def test_of_whom_slack_tells_nothing_is_not_taken_for_a_member(board: Board) -> None:
    await board.host(shared=True)
    await board.services.people.know(Profile(GUS))
    assert "could not check" in (await starts(board, GUS)).text


async def test_what_slack_once_told_is_not_forgotten_when_it_tells_nothing(board: Board) -> None:
    await board.host(shared=True)
    await board.knows(GUS, guest=True)
    await board.services.people.know(Profile(GUS))
    assert "Guests" in (await starts(board, GUS)).text


async def test_an_unknown_reviewer_is_not_named(board: Board) -> None:
    await board.host(shared=True)
    refused = await starts(board, ANA, reviewer=GUS)
    assert (refused.problem, refused.field) == (True, "reviewer")


async def test_those_whom_a_session_names_go_on_while_slack_is_silent(board: Board) -> None:
    """Admins are named in the configuration; owner and reviewer were checked when it began."""
    await board.host(shared=True)
    assert not (await starts(board, ADMIN)).problem
    runner = await board.session("Fix it", BEN)
    for intent in (Stop(runner.spec.name), Tell(runner.spec.name, "x")):
        refused = await board.does(GUS, intent)
        assert isinstance(refused, Note)
        assert refused.problem


async def test_nothing_of_a_session_changes_for_the_unknown(board: Board) -> None:
    runner = await board.session()
    await runner.says(Asked(choice(runner)), ReviewOffered(review(runner)))
    await board.deliver()
    offer, name = review(runner).id, runner.spec.name
    intents: list[Intent] = [
        Choose(choice(runner).id, "fts"),
        Merge(offer, COMMIT),
        SendBack(offer, COMMIT, "x"),
        Tell(name, "x"),
        Stop(name),
    ]
    for intent in intents:
        answer = await board.does(GUS, intent)
        assert isinstance(answer, Note)
        assert answer.problem
    await board.does(GUS, Reply("FTS"), surface="reply", thread=board.thread(runner))
    assert await runner.takes() == []
    (card,) = await board.desk.all_sessions()
    assert card.light is Light.NEEDS_YOU


# --- asking Slack ---------------------------------------------------------------------------------------------------


class Client:
    """Slack's ``users.info``, which answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.was_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.fails = False

    async def users_info(self, *, user: str) -> dict[str, Any]:
        self.asked += 1
        self.was_asked.set()
        await self.may_answer.wait()
        if self.fails:
            raise SlackApiError("no", {"ok": False, "error": "internal_error"})
        return {"user": {"id": user, "name": "gus", "is_restricted": True}}


async def test_clicks_at_the_same_time_wait_for_one_answer(board: Board) -> None:
    client = Client()
    people = PeopleLoop(board.services, client)  # type: ignore[arg-type]
    meetings = [asyncio.create_task(people.meet(GUS)) for _ in range(3)]
    await client.was_asked.wait()
    assert not any(meeting.done() for meeting in meetings)
    client.may_answer.set()
    await asyncio.gather(*meetings)
    assert client.asked == 1
    await people.meet(GUS)
    assert client.asked == 1


@pytest.mark.parametrize("how", ["slow", "failing"])
async def test_who_was_not_told_is_asked_for_again(board: Board, how: str) -> None:
    client = Client()
    client.fails = how == "failing"
    if client.fails:
        client.may_answer.set()
    people = PeopleLoop(board.services, client, within=0.05)  # type: ignore[arg-type]
    await board.host(shared=True)
    await people.meet(GUS)
    assert "could not check" in (await starts(board, GUS)).text
    client.fails = False
    client.may_answer.set()
    await people.meet(GUS)
    assert client.asked == 2
    assert "Guests" in (await starts(board, GUS)).text


async def test_a_visitor_who_gives_up_leaves_the_others_waiting_well(board: Board) -> None:
    client = Client()
    people = PeopleLoop(board.services, client)  # type: ignore[arg-type]
    first, second = asyncio.create_task(people.meet(GUS)), asyncio.create_task(people.meet(GUS))
    await client.was_asked.wait()
    first.cancel()
    await asyncio.wait({first, second})
    assert first.cancelled()
    assert second.exception() is None
