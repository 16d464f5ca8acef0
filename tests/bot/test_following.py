"""Follow-ups: queued while the agent works, steered, taken back, and told truthfully when that was too late."""

from __future__ import annotations

from bot.domain.deliveries import Subject
from bot.domain.intents import Note, Queued, Reply, Response, Status, StatusOf, Steer, Tell, Unsend
from bot.domain.views import PrivateNote, SessionCard
from bot.wire.messages import (
    AgentDescribed,
    Prompt,
    PromptDropped,
    PromptGiven,
    SessionChanged,
    SessionEnded,
    SteerPrompt,
    WithdrawPrompt,
)
from bot.wire.types import Ability, Ending, PromptId, RunState
from tests.bot.board import ANA, CLEO, Board, Runner


async def told(board: Board, runner: Runner, words: str = "Mind the tests", *, now: bool = False) -> Response:
    return await board.does(ANA, Tell(runner.spec.name, words, now=now), surface="slash")


async def queued(board: Board, runner: Runner) -> PromptId:
    response = await told(board, runner)
    assert isinstance(response, Queued)
    return response.waiting.prompt


async def works(board: Board, *abilities: Ability) -> Runner:
    runner = await board.session()
    await runner.says(AgentDescribed("Claude Code", "2.1", "opus", abilities), SessionChanged(RunState.WORKING))
    return runner


async def test_words_for_a_busy_agent_are_queued_and_counted(board: Board) -> None:
    runner = await works(board, Ability.STEER, Ability.PROMPT)
    response = await told(board, runner)
    assert isinstance(response, Queued)
    assert response.can_steer
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert (card.queued, card.agent_title) == (1, "Claude Code 2.1 · opus")
    status = await board.does(ANA, Status(runner.spec.name))
    assert isinstance(status, StatusOf)
    assert status.queued == (response.waiting,)
    (prompt,) = [c for c in await runner.takes() if isinstance(c, Prompt)]
    assert prompt.id == response.waiting.prompt
    await runner.says(PromptGiven(prompt.id), PromptGiven(prompt.id), PromptDropped(prompt.id, "no"))
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert card.queued == 0
    assert board.shown(Subject.PRIVATE) == []


async def test_a_reply_to_a_busy_agent_is_queued_too(board: Board) -> None:
    runner = await works(board)
    response = await board.does(ANA, Reply("and this"), surface="reply", thread=board.thread(runner))
    assert isinstance(response, Queued)
    assert not response.can_steer


async def test_steer_and_take_back_are_carried_to_the_runner(board: Board) -> None:
    runner = await works(board, Ability.STEER)
    prompt = await queued(board, runner)
    await board.does(ANA, Steer(prompt))
    await board.does(ANA, Unsend(prompt))
    await board.does(ANA, Unsend(prompt))
    await board.does(CLEO, Unsend(prompt))
    assert [type(c) for c in await runner.takes()] == [Prompt, SteerPrompt, WithdrawPrompt]
    await runner.says(PromptDropped(prompt, "taken back"))
    await board.deliver()
    assert board.shown(Subject.PRIVATE) == []
    late = await board.does(ANA, Unsend(prompt))
    assert isinstance(late, Note)
    assert "was taken back" in late.text


async def test_a_take_back_that_was_too_late_is_told(board: Board) -> None:
    runner = await works(board)
    prompt = await queued(board, runner)
    await board.does(ANA, Unsend(prompt))
    await runner.says(PromptGiven(prompt))
    await board.deliver()
    (note,) = board.shown(Subject.PRIVATE)
    assert isinstance(note, PrivateNote)
    assert note.to == ANA
    assert "Too late" in note.text
    again = await board.does(ANA, Unsend(prompt))
    assert isinstance(again, Note)
    assert "Too late" in again.text


async def test_an_agent_that_cannot_be_steered_says_so(board: Board) -> None:
    runner = await works(board, Ability.PROMPT)
    prompt = await queued(board, runner)
    response = await board.does(ANA, Steer(prompt))
    assert isinstance(response, Note)
    assert "cannot" in response.text
    await told(board, runner, now=True)
    assert [c.now for c in await runner.takes() if isinstance(c, Prompt)] == [False, False]


async def test_words_that_never_reached_the_agent_come_back_to_their_writer(board: Board) -> None:
    runner = await works(board)
    await queued(board, runner)
    await runner.says(SessionEnded(Ending.MERGED, "b"))
    await board.deliver()
    (note,) = board.shown(Subject.PRIVATE)
    assert isinstance(note, PrivateNote)
    assert "Mind the tests" in note.text


async def test_a_foreign_or_unknown_prompt_changes_nothing(board: Board) -> None:
    runner = await works(board)
    prompt = await queued(board, runner)
    other = await board.session("Another")
    await other.says(PromptGiven(prompt), PromptDropped(PromptId("x"), "y"), PromptGiven(PromptId("")))
    assert isinstance(await board.does(ANA, Steer(PromptId("nope"))), Note)
    status = await board.does(ANA, Status(runner.spec.name))
    assert isinstance(status, StatusOf)
    assert len(status.queued) == 1
