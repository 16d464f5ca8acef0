"""Pause, resume, reset, limits, failures: who may, what the agent cannot, what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, DigestNow, Drop, Intent, Note, Nothing, Pause, Reset, Resume, SetWake, Start
from bot.domain.views import DigestView, FailureCard, Light, QuestionCard, SessionCard, ThreadNote
from bot.services.links import HostPeer
from bot.wire import codec
from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    ContextReset,
    PauseSession,
    Progressed,
    ResetContext,
    ResumeSession,
    SessionChanged,
    SessionEnded,
    StopSession,
    WakeAtReset,
)
from bot.wire.types import Ability, Ending, RunState, Snapshot
from tests.bot.board import ADMIN, ANA, CLEO, Board, Runner
from tests.bot.samples import choice

NAME = "add-search"


def card(board: Board) -> SessionCard:
    (shown,) = board.shown(Subject.SESSION)
    assert isinstance(shown, SessionCard)
    return shown


async def works(board: Board, *abilities: Ability, **start: object) -> Runner:
    runner = await board.session(**start)  # type: ignore[arg-type]
    await runner.says(AgentDescribed("Codex", abilities=abilities), SessionChanged(RunState.WORKING))
    return runner


@pytest.mark.parametrize(
    ("intent", "command"),
    [(Pause(NAME), PauseSession), (Reset(NAME), ResetContext), (SetWake(NAME, False), WakeAtReset)],
)
async def test_orders_reach_the_runner_from_those_who_may(board: Board, intent: Intent, command: type) -> None:
    runner = await works(board, Ability.CANCEL, Ability.RESET)
    refused = await board.does(CLEO, intent)
    assert isinstance(refused, Note)
    assert refused.problem
    assert await runner.takes() == []
    await board.does(ANA, intent)
    assert [type(c) for c in await runner.takes()] == [command]


@pytest.mark.parametrize("intent", [Pause(NAME), Reset(NAME)])
async def test_what_an_agent_cannot_is_said(board: Board, intent: Intent) -> None:
    runner = await works(board, Ability.PROMPT)
    response = await board.does(ANA, intent)
    assert isinstance(response, Note)
    assert "This agent (Codex) cannot" in response.text
    assert await runner.takes() == []


async def test_resume_goes_to_the_host_as_well_where_no_runner_listens(board: Board) -> None:
    runner = await works(board)
    await runner.says(SessionChanged(RunState.FAILED, "the agent died", "Oh no.", exit_status=137))
    await board.deliver()
    assert card(board).light is Light.FAILED
    assert (card(board).exit_status, card(board).last_words) == (137, "Oh no.")
    assert await board.does(ANA, Resume(NAME)) == Nothing()
    assert [type(c) for c in await runner.takes()] == [ResumeSession]
    await board.links.disconnected(runner.peer)
    await board.does(ANA, Resume(NAME))
    (known,) = await board.links.hosts()
    waiting = await board.links.commands(HostPeer(known.id, known.owner, known.shared), 0)
    body = codec.command_body(*waiting[-1][1:])
    assert isinstance(body, ResumeSession)
    assert body.session == runner.peer.session


def failure(board: Board) -> FailureCard:
    (shown,) = board.shown(Subject.FAILURE)
    assert isinstance(shown, FailureCard)
    return shown


async def test_a_failure_is_a_card_that_says_what_became_of_it(board: Board) -> None:
    runner = await works(board, Ability.RESUME)
    await runner.says(SessionChanged(RunState.FAILED, "the agent died", "Oh no.", exit_status=137))
    (post,) = [message for message in await board.deliver() if message.delivery.subject is Subject.FAILURE]
    first = post.view
    assert isinstance(first, FailureCard)
    assert (first.why, first.last_words, first.exit_status) == ("the agent died", "Oh no.", 137)
    assert (first.mention, first.open, first.can_resume) == (ANA, True, True)
    assert await board.does(ANA, Resume(NAME)) == Nothing()
    again = await board.does(ADMIN, Resume(NAME))
    assert isinstance(again, Note)
    assert "Ana asked for that" in again.text
    await board.deliver()
    assert (failure(board).taken_by, failure(board).mention) == ("Ana", None)
    await runner.says(SessionChanged(RunState.WORKING))
    await board.deliver()
    assert (failure(board).settled, failure(board).open) == ("Ana resumed it", False)
    assert failure(board).exit_status == 137


async def test_a_late_drop_stops_nothing(board: Board) -> None:
    runner = await works(board, Ability.RESUME)
    await runner.says(SessionChanged(RunState.FAILED, "it died"))
    await board.does(ANA, Resume(NAME))
    await runner.says(SessionChanged(RunState.WORKING))
    await runner.takes()
    late = await board.does(ANA, Drop(NAME))
    assert isinstance(late, Note)
    assert "was not dropped: Ana resumed it" in late.text
    assert await runner.takes() == []
    await runner.says(SessionChanged(RunState.FAILED, "it died again"))
    await board.deliver()
    await board.does(ANA, Drop(NAME))
    assert [type(c) for c in await runner.takes()] == [StopSession]
    await runner.says(SessionEnded(Ending.STOPPED, "b"))
    await board.deliver()
    assert failure(board).settled == "Ana dropped it"
    gone = await board.does(ANA, Drop(NAME))
    assert isinstance(gone, Note)
    assert "has ended" in gone.text


async def test_a_session_that_ends_by_failing_says_its_exit_status(board: Board) -> None:
    runner = await works(board)
    await runner.says(SessionEnded(Ending.FAILED, "b", last_words="oh", exit_status=3))
    await board.deliver()
    assert (card(board).light, card(board).exit_status, card(board).last_words) == (Light.FAILED, 3, "oh")
    assert (failure(board).exit_status, failure(board).open, failure(board).settled) == (3, False, "")


async def test_resume_says_when_there_is_nothing_to_resume(board: Board) -> None:
    runner = await works(board)
    assert isinstance(await board.does(ANA, Resume(NAME)), Note)
    await runner.says(SessionChanged(RunState.STOPPED))
    assert isinstance(await board.does(ANA, Resume(NAME)), Note)


@pytest.mark.parametrize("taken", [False, True])
@pytest.mark.parametrize("state", [RunState.WORKING, RunState.STOPPED])
async def test_resume_right_after_pause_reaches_the_runner(board: Board, state: RunState, taken: bool) -> None:
    runner = await works(board, Ability.CANCEL)
    await runner.says(SessionChanged(state))
    await board.does(ANA, Pause(NAME))
    if taken:
        assert [type(c) for c in await runner.takes()] == [PauseSession]
    answer = await board.does(ANA, Resume(NAME))
    assert isinstance(answer, Note) is taken
    assert [type(c) for c in await runner.takes()][-1] is ResumeSession


async def test_a_limit_shows_until_when_and_whether_it_wakes(board: Board) -> None:
    runner = await works(board)
    until = board.clock.at + timedelta(hours=4)
    await runner.says(SessionChanged(RunState.LIMITED, "the 5-hour limit", until=until, wakes=True))
    await board.deliver()
    assert (card(board).light, card(board).limited_until, card(board).wakes) == (Light.LIMITED, until, True)
    await board.does(ANA, SetWake(NAME, False))
    await board.deliver()
    assert card(board).wakes is False
    await runner.says(SessionChanged(RunState.WORKING))
    await board.deliver()
    assert (card(board).light, card(board).limited_until) == (Light.WORKING, None)


async def test_a_reset_tells_the_thread_what_lived_on(board: Board) -> None:
    runner = await works(board)
    await runner.says(ContextReset(("npm run dev <x>",), ("a sub-agent",)), ContextReset(problem="it is busy"))
    await board.deliver()
    one, two = [note.text for note in board.shown(Subject.NOTE) if isinstance(note, ThreadNote)]
    assert "npm run dev &lt;x&gt;" in one
    assert "Could not be kept: `a sub-agent`" in one
    assert "not cleared: it is busy" in two


async def test_a_budget_goes_to_the_host_and_nonsense_is_refused(board: Board) -> None:
    runner = await works(board, budget=5.0)
    assert runner.spec.budget == 5.0
    for budget in (0.0, -1.0, float("nan"), float("inf"), 1e9):
        response = await board.does(ANA, Start("More", budget=budget))
        assert isinstance(response, Note)
        assert response.field == "budget"


async def test_what_was_used_stands_on_card_digest_and_home(board: Board) -> None:
    runner = await works(board)
    await runner.says(Progressed(Snapshot(board.clock.at, commit_count=1, tokens=12_000, cost=0.5, context=10**400)))
    board.clock.forward(seconds=1)
    other = await board.session("Another")
    await other.says(Progressed(Snapshot(board.clock.at, commit_count=1, tokens=3_000)))
    board.clock.forward(minutes=31)
    await board.services.digests.run_due()
    await board.deliver()
    (digest,) = board.shown(Subject.DIGEST)
    assert isinstance(digest, DigestView)
    assert [(line.text, line.tokens, line.cost) for line in digest.working] == [
        ("1 commit", 12_000, 0.5),
        ("1 commit", 3_000, None),
    ]
    assert (digest.tokens, digest.cost) == (15_000, 0.5)
    home = await board.desk.home(ANA)
    assert (home.tokens, home.cost) == (15_000, 0.5)


async def test_a_digest_keeps_the_figures_of_its_time(board: Board) -> None:
    runner = await works(board)
    await runner.says(Asked(choice(runner)), Progressed(Snapshot(board.clock.at, tokens=12_000, cost=0.5)))
    await board.does(ANA, DigestNow())
    await runner.says(Progressed(Snapshot(board.clock.at, tokens=99_000, cost=4.5)))
    await board.deliver()
    (digest,) = board.shown(Subject.DIGEST)
    assert isinstance(digest, DigestView)
    assert (digest.tokens, digest.cost) == (12_000, 0.5)


async def test_figures_that_cannot_be_are_left_out(board: Board) -> None:
    runner = await works(board)
    nonsense = Snapshot(board.clock.at, commit_count=1, tokens=10**400, cost=-3.0, context=-1)
    await runner.says(Progressed(nonsense), SessionChanged(RunState.STOPPED, last_words="Done."))
    await board.does(ANA, DigestNow())
    await board.deliver()
    (digest,) = board.shown(Subject.DIGEST)
    assert isinstance(digest, DigestView)
    assert [(line.tokens, line.cost) for line in digest.stopped] == [(None, None)]
    assert (card(board).tokens, card(board).cost, card(board).context) == (None, None, None)


async def test_a_detached_session_ends_without_a_word(board: Board) -> None:
    runner = await works(board)
    await runner.says(SessionEnded(Ending.DETACHED, "feature/x", "/w/x"))
    await board.deliver()
    assert card(board).light is Light.ENDED
    assert "terminal goes on" in card(board).detail
    assert board.shown(Subject.NOTE) == []


async def test_an_answer_to_a_paused_session_is_kept_until_it_is_resumed(board: Board) -> None:
    runner = await works(board, Ability.CANCEL)
    await runner.says(Asked(choice(runner)), SessionChanged(RunState.PAUSED, "paused by Ana"))
    await board.deliver()
    (shown,) = board.shown(Subject.QUESTION)
    assert isinstance(shown, QuestionCard)
    board.clock.forward(seconds=5)
    await board.does(ANA, Choose(shown.question.id, shown.question.options[0].id))
    await runner.says(AnswerApplied(shown.question.id, applied=True))
    await board.deliver()
    (shown,) = board.shown(Subject.QUESTION)
    assert isinstance(shown, QuestionCard)
    assert shown.resting
    board.clock.forward(seconds=5)
    await runner.says(SessionChanged(RunState.WORKING))
    await board.deliver()
    (shown,) = board.shown(Subject.QUESTION)
    assert isinstance(shown, QuestionCard)
    assert not shown.resting
