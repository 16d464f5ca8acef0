"""The real Codex in a terminal, joined through the daemon that it starts: relayed, prompted, left alone again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, Ability
from runners.agents.attach.codex import JoinedCodex
from runners.agents.base import Chosen, Launch
from runners.attach import record
from runners.attach.record import Record
from tests.agents.attach.codex_terminal import APPROVAL, READY, codex_env, in_turn, place
from tests.agents.attach.terminal import terminal
from tests.agents.codex.conftest import codex, escalated
from tests.agents.codex.model import Says, serving
from tests.agents.repos import make_worktree
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(120)]


@pytest.fixture
def folder() -> Iterator[Path]:
    with place() as made:
        yield made


async def test_a_codex_in_a_terminal_is_joined_answered_from_either_side_and_prompted(folder: Path) -> None:
    worktree = make_worktree(folder).path
    session = folder / "session"
    session.mkdir()
    desk = RecordingDesk()
    replies, _ = in_turn(
        escalated("touch ../one.txt"), Says("One."), escalated("touch ../two.txt"), Says("Two."), Says("Three.")
    )
    async with serving(replies) as model:
        env = codex_env(folder, worktree, model.url)
        async with terminal(codex(), worktree, env) as screen:
            known = Record("a", "codex", str(worktree), "work", "work", pid=screen.process.pid, home=env["CODEX_HOME"])
            record.write_own(session, known)
            agent = JoinedCodex(Launch("codex", (), worktree, session / "log", folder=session), desk)
            try:
                info = await agent.start()
                assert Ability.PROMPT in info.abilities
                await screen.shows(READY)
                await screen.say("make one")
                one = await asyncio.wait_for(desk.question(1), 20)
                assert one.inquiry.detail == "touch ../one.txt"
                one.answer.set_result(Chosen(ALLOW))
                assert (await asyncio.wait_for(agent.rejoin(), 20)).last_words == "One."
                assert (folder / "one.txt").exists()

                await screen.say("make two")
                two = await asyncio.wait_for(desk.question(2), 20)
                await screen.shows(APPROVAL)
                screen.type("y")
                async with asyncio.timeout(20):
                    await desk.until(lambda: two.withdrawn)
                assert (await asyncio.wait_for(agent.rejoin(), 20)).last_words == "Two."

                assert (await agent.prompt("and three, says the thread")).last_words == "Three."
                await screen.shows("and three, says the thread")
                assert desk.left == []
            finally:
                await agent.close()
            await screen.say("/quit")
            await screen.ended()
