"""Starting and stopping: what may run where, names from any text, and clear words for what cannot be."""

from __future__ import annotations

import pytest

from bot.domain.deliveries import Subject
from bot.domain.intents import Listing, ListSessions, Note, Start, Status, StatusOf, Stop, Tell
from bot.domain.views import Light, SessionCard
from bot.wire.messages import SessionChanged, SessionEnded, SessionRefused, StopSession
from bot.wire.types import Ending, PersonId, RunState
from tests.bot.board import ANA, BEN, Board


@pytest.mark.parametrize(
    ("intent", "field", "says"),
    [
        (Start(""), "task", "what the agent should do"),
        (Start("\x00\x07 "), "task", "what the agent should do"),
        (Start("x" * 100_001), "task", "100,001 bytes"),
        (Start("t", repo="nope"), "repo", "`app`"),
        (Start("t", agent="nope"), "agent", "`codex`, `demo`"),
        (Start("t", base="a..b"), "base", "“..”"),
        (Start("t", base="a b"), "base", "space"),
        (Start("t", base="-x"), "base", "it begins with “-”"),
        (Start("t", base="x/"), "base", "it ends with “/”"),
        (Start("t", reviewer=PersonId("bob")), "reviewer", "Ana"),
        (Start("t", name="🙂🙂"), "name", "a-z"),
    ],
)
async def test_what_is_wrong_is_named_with_its_field(board: Board, intent: Start, field: str, says: str) -> None:
    host = await board.host()
    response = await board.does(ANA, intent, surface="modal")
    assert isinstance(response, Note)
    assert (response.problem, response.field) == (True, field)
    assert says in response.text
    assert await board.links.commands(host, 0) == []


@pytest.mark.parametrize("pasted", ["a\u200bpp", "\ufeffapp", "\u202aapp\u202c", "APP"])
async def test_a_pasted_name_means_what_it_looks_like(board: Board, pasted: str) -> None:
    host = await board.host()
    response = await board.does(ANA, Start("t", repo=pasted, agent="de\u2060mo", base="ma\u200bin", name="x"))
    assert isinstance(response, Note)
    assert not response.problem
    ((_, _, order),) = await board.links.commands(host, 0)
    assert b'"repo":"app"' in order
    assert b'"base":"main"' in order
    found = await board.does(ANA, Status("x\u200b"))
    assert isinstance(found, StatusOf)


async def test_without_a_host_it_says_how_to_connect_one(board: Board) -> None:
    response = await board.does(ANA, Start("t"))
    assert isinstance(response, Note)
    assert "switchboard host" in response.text
    assert "switchboard host" in (await board.desk.offers(ANA)).problem


async def test_a_personal_host_runs_only_its_owners_sessions(board: Board) -> None:
    await board.host()
    response = await board.does(BEN, Start("t"))
    assert isinstance(response, Note)
    assert response.problem
    await board.host("cloud", ANA, shared=True)
    response = await board.does(BEN, Start("t"))
    assert isinstance(response, Note)
    assert not response.problem


async def test_a_silent_host_is_named(board: Board) -> None:
    host = await board.host()
    await board.links.disconnected(host)
    response = await board.does(ANA, Start("t", repo="app"))
    assert isinstance(response, Note)
    assert "`laptop`" in response.text


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ("Add playback speed control to the player", "add-playback-speed-control"),
        ("Ändere die Überschrift", "andere-die-uberschrift"),
        ("🙂🙂 ✨", "session"),
        ("أضف البحث", "session"),
        ("a\u200bb\u202ec", "abc"),
        ("../../etc/passwd; rm -rf", "etc-passwd-rm-rf"),
        ("x" * 500, "x" * 32),
    ],
)
async def test_any_text_gives_a_safe_name(board: Board, task: str, name: str) -> None:
    runner = await board.session(task)
    assert (runner.spec.name, runner.spec.branch) == (name, f"switchboard/{name}")


async def test_names_are_unique_among_open_sessions(board: Board) -> None:
    names = [(await board.session("Fix it")).spec.name for _ in range(3)]
    assert names == ["fix-it", "fix-it-2", "fix-it-3"]


async def test_a_large_task_reaches_the_agent_whole_and_the_card_cut(board: Board) -> None:
    task = "line\n" * 19_000
    runner = await board.session(task)
    assert runner.spec.task == task.strip()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert len(card.task) <= 1_200


async def test_a_refused_session_is_a_failure_that_its_owner_hears_of(board: Board) -> None:
    host = await board.host()
    await board.does(ANA, Start("t", base="nope"))
    (card,) = await board.deliver()
    session = card.delivery.ref
    await board.host_says(host, SessionRefused("there is no branch nope", "there are main, dev"), session)  # type: ignore[arg-type]
    await board.deliver()
    (card_view,) = board.shown(Subject.SESSION)
    assert isinstance(card_view, SessionCard)
    assert (card_view.light, card_view.open) == (Light.FAILED, False)
    assert "there are main, dev" in card_view.detail
    (told,) = board.shown(Subject.FAILURE)
    assert "there are main, dev" in told.why  # type: ignore[union-attr]
    said = await board.does(ANA, Tell("t", "go on"))
    assert isinstance(said, Note)
    assert "never began: there is no branch nope" in said.text


async def test_a_failed_agent_is_told_once_and_can_be_stopped(board: Board) -> None:
    runner = await board.session()
    await runner.says(SessionChanged(RunState.FAILED, "exit 1 <!channel>"), SessionChanged(RunState.FAILED, "exit 1"))
    await board.deliver()
    (told,) = board.shown(Subject.FAILURE)
    assert told.why == "exit 1 <!channel>"  # type: ignore[union-attr]
    await board.does(ANA, Stop("add-search"))
    assert [type(c) for c in await runner.takes()] == [StopSession]


async def test_stop_is_carried_to_the_runner_and_the_card_says_how_to_get_at_the_work(board: Board) -> None:
    runner = await board.session()
    await board.does(ANA, Stop(""), surface="mention", thread=board.thread(runner))
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert card.light is Light.STOPPING
    assert [type(c) for c in await runner.takes()] == [StopSession]
    await runner.says(
        SessionEnded(
            Ending.STOPPED,
            "switchboard/add-search",
            "/w",
            ("a.py", "1 commit on no branch", "b", "c", "d"),
            "git switch switchboard/add-search",
        )
    )
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert card.light is Light.ENDED
    assert "git switch switchboard/add-search" in card.detail
    assert "kept in /w, not on its branch: a.py, 1 commit on no branch, b and 2 more" in card.detail
    assert await board.links.authenticate(runner.spec.token)  # its last acknowledgement may have been lost
    board.clock.forward(days=1, seconds=1)
    assert await board.links.authenticate(runner.spec.token) is None


async def test_a_session_that_no_host_took_is_closed_at_once(board: Board) -> None:
    host = await board.host()
    await board.does(ANA, Start("t"))
    await board.links.disconnected(host)
    await board.does(ANA, Stop("t"))
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert not card.open


async def test_lists_and_status(board: Board) -> None:
    runner = await board.session("Add search")
    await board.session("Add tests")
    listing = await board.does(ANA, ListSessions())
    assert isinstance(listing, Listing)
    assert [card.name for card in listing.sessions] == ["add-search", "add-tests"]
    status = await board.does(BEN, Status("add-search"))
    assert isinstance(status, StatusOf)
    assert status.session.session == runner.peer.session
    outside = await board.does(ANA, Status(""))
    assert isinstance(outside, Note)
    assert "`add-search`" in outside.text
