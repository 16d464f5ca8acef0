"""A session that a person runs in a terminal: followed, never prompted, never touched; it leaves as it came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.wire.messages import (
    Asked,
    ContextReset,
    PauseSession,
    Prompt,
    PromptGiven,
    ResetContext,
    ReviewOffered,
    SessionChanged,
    SessionEnded,
    StopSession,
)
from bot.wire.types import Ability, Ending, PromptId, QuestionKind, RunState
from runners.agents.base import Inquiry
from runners.runner import ticket
from tests.runners.actor import Actor
from tests.runners.board import ANA
from tests.runners.places import save
from tests.runners.scene import S, Scene, scene


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as found:
        paper = await found.place()
        found.paper = replace(paper, adapter="attach", place=replace(paper.place, attached=True))
        ticket.write(found.session, found.paper)
        yield found


@pytest.fixture
def actor(stage: Scene) -> Actor:
    found = Actor(frozenset({Ability.STEER}), holds=True)
    found._alive = True
    stage.open_agent = found.open
    return found


async def test_it_is_watched_from_the_start_and_never_prompted(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await stage.state(RunState.STOPPED)
        assert actor.agent is not None
        actor.agent.desk.stirred()
        await stage.state(RunState.WORKING)
        (stage.worktree / "left.txt").write_text("x")
        actor.end("done", "What next?")
        assert (await stage.state(RunState.STOPPED, 2)).last_words == "What next?"
        actor.agent.desk.stirred()
        await actor.until(lambda: actor.rejoined == 2)
        save(stage.worktree, "By hand")
        actor.end("done", "Done.")
        assert (await stage.board.heard(ReviewOffered)).review.summary == "Done."
        await stage.tell(StopSession(S, ANA))
        ended = await stage.board.heard(SessionEnded)
    assert actor.prompts == []
    assert (ended.ending, ended.worktree) == (Ending.STOPPED, str(stage.worktree))
    assert (stage.worktree / "left.txt").exists()


async def test_what_is_said_waits_for_its_next_turn_and_is_handed_over_in_it(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await stage.state(RunState.STOPPED)
        await stage.told(Prompt("Look at the tests", ANA, PromptId("p1")))
        assert stage.board.all(PromptGiven) == []
        assert actor.agent is not None
        actor.agent.desk.stirred()
        assert (await stage.board.heard(PromptGiven)).steered
        await stage.tell(Prompt("And the docs", ANA, PromptId("p2")))
        await stage.board.heard(PromptGiven, 2)
        assert actor.asides == ["Look at the tests", "And the docs"]


async def test_what_only_its_terminal_can_do_is_said(stage: Scene, actor: Actor) -> None:
    actor.resets_here = False
    async with stage.runner():
        await stage.state(RunState.STOPPED)
        await stage.tell(PauseSession(ANA))
        assert "terminal" in (await stage.state(RunState.STOPPED, 2)).detail
        await stage.tell(ResetContext(ANA))
        assert "terminal" in (await stage.board.heard(ContextReset)).problem
    assert all(each.state is not RunState.FAILED for each in stage.board.all(SessionChanged))


async def test_it_leaves_the_board_and_keeps_its_worktree(stage: Scene, actor: Actor) -> None:
    async with stage.runner():
        await stage.state(RunState.STOPPED)
        assert actor.agent is not None
        actor.ask(Inquiry(QuestionKind.TEXT, "Name?"))
        await stage.board.heard(Asked)
        actor.agent.desk.gone("the terminal was closed")
        ended = await stage.board.heard(SessionEnded)
    assert (ended.ending, ended.last_words) == (Ending.DETACHED, "the terminal was closed")
    assert stage.worktree.exists()


async def test_work_on_the_base_branch_itself_offers_no_review(stage: Scene, actor: Actor) -> None:
    assert stage.paper is not None
    stage.paper = replace(stage.paper, place=replace(stage.paper.place, base=stage.paper.place.branch))
    async with stage.runner():
        await stage.state(RunState.STOPPED)
        assert actor.agent is not None
        actor.agent.desk.stirred()
        await actor.until(lambda: actor.rejoined == 1)
        (stage.worktree / "made.txt").write_text("x")
        save(stage.worktree, "By hand")
        actor.end("done", "Done.")
        await stage.state(RunState.STOPPED, 2)
    assert stage.board.all(ReviewOffered) == []
