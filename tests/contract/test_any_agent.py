"""What people rely on, whoever the agent is: one suite for every adapter, the real programs among them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, ALWAYS, DENY, Ability, QuestionKind
from runners.agents.base import Chosen, Text
from runners.errors import AgentDied
from tests.agents.repos import Worktree, make_worktree
from tests.contract.desk import RecordingDesk
from tests.contract.peers import Ask, Choose, Peer, Run, Say, opened, present

pytestmark = pytest.mark.timeout(120)
INDEX = Choose("Which index?", ("FTS", "Tantivy"))
PARTS = Choose("Which parts?", ("Search", "Queue", "Player"), multiple=True)


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    return make_worktree(tmp_path)


@pytest.fixture(params=present())
async def peer(request: pytest.FixtureRequest, tmp_path: Path, worktree: Worktree) -> AsyncIterator[Peer]:
    async with opened(request.param, tmp_path, worktree) as peer:
        yield peer


def needs(peer: Peer, ability: Ability) -> None:
    if ability not in peer.promises:
        pytest.skip(f"its adapter does not promise to {ability}")


async def test_it_works_a_task_off_and_says_so(peer: Peer, worktree: Worktree) -> None:
    peer.play((Run("touch made.txt"), Say("Made it.")))
    desk = RecordingDesk([Chosen(ALLOW)])
    agent = peer.agent(desk)
    info = await agent.start()
    assert info.title
    assert info.version or Ability.PROMPT not in peer.promises  # who only listens is not told it
    assert info.session
    assert peer.promises <= info.abilities
    ended = await peer.turn(agent, "Make it.")
    assert (ended.reason, ended.last_words) == ("done", "Made it.")
    assert (worktree.path / "made.txt").exists()
    (asked,) = desk.asked
    assert asked.kind is QuestionKind.PERMISSION
    assert "touch made.txt" in asked.detail
    assert not asked.allow_text
    ids = [option.id for option in asked.options]
    assert [id_ for id_ in ids if id_ != ALWAYS] == [ALLOW, DENY]
    assert await agent.rejoin() == ended


async def test_a_denial_stands_and_its_words_arrive(peer: Peer, worktree: Worktree) -> None:
    peer.play((Run("touch made.txt"), Say("Understood.")), (Say("Understood."),))
    agent = peer.agent(RecordingDesk([Chosen(DENY, "Leave that to Ben.")]))
    await agent.start()
    ended = await peer.turn(agent, "Make it.")
    assert ended.reason == "done"
    assert not (worktree.path / "made.txt").exists()
    assert "Leave that to Ben." in peer.heard()


@pytest.mark.parametrize("answer", [Chosen("tantivy"), Text("just use grep")], ids=["option", "words"])
async def test_a_question_is_answered_by_option_or_in_words(peer: Peer, answer: Chosen | Text) -> None:
    peer.play((INDEX, Say("Thank you.")), (Say("Thank you."),))

    def answering(inquiry):
        if isinstance(answer, Text):
            return answer
        return Chosen(next(o.id for o in inquiry.options if o.label == "Tantivy"))

    desk = RecordingDesk([answering])
    agent = peer.agent(desk)
    await agent.start()
    await peer.turn(agent, "Choose.")
    (asked,) = desk.asked
    assert (asked.kind, asked.title, asked.allow_text) == (QuestionKind.CHOICE, "Which index?", True)
    assert [option.label for option in asked.options] == ["FTS", "Tantivy"]
    assert ("Tantivy" if isinstance(answer, Chosen) else "just use grep") in peer.heard()


async def test_several_questions_of_one_call_stand_on_one_card(peer: Peer) -> None:
    peer.play((Ask((INDEX, PARTS)), Say("Thank you.")))

    def several(inquiry):
        ids = tuple(option.id for option in inquiry.options if option.label in ("Search", "Player"))
        return Chosen(ids[0], options=ids)

    desk = RecordingDesk([lambda i: Chosen(i.options[0].id), several])
    agent = peer.agent(desk)
    await agent.start()
    await peer.turn(agent, "Choose.")
    (group,) = desk.groups
    assert [inquiry.title for inquiry in group] == ["Which index?", "Which parts?"]
    if group[1].multiple:  # not every agent has questions with several answers
        assert "Search, Player" in peer.heard()


async def test_stop_withdraws_what_is_open_and_the_next_prompt_works(peer: Peer, worktree: Worktree) -> None:
    needs(peer, Ability.CANCEL)
    peer.play((Run("touch made.txt"), Say("Made it.")), (Say("Hello again."),))
    desk = RecordingDesk()
    agent = peer.agent(desk)
    await agent.start()
    turn = asyncio.create_task(peer.turn(agent, "Make it."))
    question = await desk.question()
    await agent.cancel()
    assert (await turn).reason == "cancelled"
    assert question.withdrawn
    assert not (worktree.path / "made.txt").exists()


async def test_a_session_goes_on_after_its_end(peer: Peer) -> None:
    needs(peer, Ability.RESUME)
    peer.play((Say("It is about notes."),), (Say("I remember."),))
    agent = peer.agent(RecordingDesk())
    session = (await agent.start()).session
    await peer.turn(agent, "What is this about?")
    await agent.close()

    desk = RecordingDesk()
    again = peer.agent(desk)
    info = await again.start(resume=session)
    assert info.resumed
    assert "It is about notes." not in desk.words
    ended = await peer.turn(again, "Go on.")
    assert ended.last_words.endswith("I remember.")


async def test_closing_ends_a_turn_with_a_question_open(peer: Peer) -> None:
    needs(peer, Ability.CANCEL)
    peer.play((INDEX, Say("Thank you.")))
    desk = RecordingDesk()
    agent = peer.agent(desk)
    await agent.start()
    turn = asyncio.create_task(peer.turn(agent, "Choose."))
    question = await desk.question()
    await asyncio.gather(agent.close(), agent.close())
    with contextlib.suppress(AgentDied):
        assert (await turn).reason == "cancelled"
    assert question.withdrawn


async def test_nothing_can_be_said_into_a_turn_that_is_not(peer: Peer) -> None:
    peer.play((Say("Hello."),))
    agent = peer.agent(RecordingDesk())
    await agent.start()
    assert not await agent.steer("too early")
    await agent.cancel()
    assert (await peer.turn(agent, "Hello?")).reason == "done"


async def test_words_within_a_turn_reach_it(peer: Peer) -> None:
    needs(peer, Ability.STEER)
    peer.play((Run("touch made.txt"), Say("Made it."), Say("With a test.")))
    desk = RecordingDesk()
    agent = peer.agent(desk)
    await agent.start()
    turn = asyncio.create_task(peer.turn(agent, "Make it."))
    question = await desk.question()
    assert await agent.steer("Write a test as well.")
    question.answer.set_result(Chosen(ALLOW))
    assert (await turn).reason == "done"
    assert "Write a test as well." in peer.heard()


async def test_a_reset_clears_the_context_where_it_can(peer: Peer) -> None:
    needs(peer, Ability.RESET)
    peer.play((Say("Noted."),), (Say("Hello."),))
    agent = peer.agent(RecordingDesk())
    info = await agent.start()
    assert Ability.RESET in info.abilities
    await peer.turn(agent, "Remember this.")
    cleared = await agent.reset()
    assert cleared.session
    assert (await peer.turn(agent, "Hello?")).reason == "done"
