"""The real Claude Code in a terminal, beside a board: whoever answers first wins, and without us it goes on alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, DENY, QuestionKind
from runners.agents.attach.hooked import HookedAgent
from runners.agents.base import Chosen, Launch, Text
from runners.attach import record, settings
from runners.attach.record import Record
from tests.agents.attach.terminal import Terminal, bundled, claude_env, terminal
from tests.agents.claude.model import Model, Reply, Says, calls, serve_model
from tests.contract.desk import Open, RecordingDesk
from tests.runners.places import make_repo

pytestmark = [pytest.mark.agents, pytest.mark.timeout(120)]

INDEX = {
    "question": "Which index?",
    "header": "Index",
    "multiSelect": False,
    "options": [{"label": "FTS", "description": "shipped"}, {"label": "Tantivy", "description": "+9 MB"}],
}


@dataclass
class ByHand:
    """Claude Code in a terminal with our hooks, and what its session makes of them."""

    desk: RecordingDesk
    agent: HookedAgent
    screen: Terminal
    model: Model
    repo: Path
    folder: Path
    turns: int = 0

    async def asked(self, count: int) -> Open:
        async with asyncio.timeout(30):
            return await self.desk.question(count)

    async def answered_there(self, key: str, question: Open) -> None:
        """A dialog that has only just appeared takes no keys yet: press again until it does."""
        async with asyncio.timeout(20):
            while not question.withdrawn:
                self.screen.type(key)
                with suppress(TimeoutError):
                    async with asyncio.timeout(1.5):
                        await self.desk.until(lambda: question.withdrawn)

    def session(self) -> str:
        known = record.read(self.folder / record.OWN)
        assert known is not None
        return known.session

    async def turn(self) -> str:
        async with asyncio.timeout(30):
            while self.desk.stirs <= self.turns:  # noqa: ASYNC110  (as a runner, which rejoins once it was stirred)
                await asyncio.sleep(0.02)
            self.turns += 1
            ended = await self.agent.rejoin()
        return f"{ended.reason}: {ended.last_words}"


@asynccontextmanager
async def by_hand(folder: Path, *replies: Reply) -> AsyncIterator[ByHand]:
    program = bundled()
    if program is None:
        pytest.skip("claude-agent-sdk is not installed (pip install 'switchboard-slack[claude]')")
    repo = make_repo(folder / "playback")
    data = folder / "data"
    session = data / "sessions" / "s1"
    session.mkdir(parents=True)
    known = Record("att-1", "claude", str(repo), "playback", "main", folder=str(session))
    record.write(data, known)
    record.write_own(session, known)
    ours = folder / "settings.json"
    ours.write_bytes(settings.dumped(settings.ours(data)))
    desk = RecordingDesk()
    agent = HookedAgent(Launch("claude", (), repo, session / "agent.log", folder=session), desk)
    await agent.start()
    try:
        async with serve_model(replies) as model:
            argv = [str(program), "--settings", str(ours), "--permission-mode", "manual"]
            async with terminal(argv, repo, claude_env(folder, repo, model.url)) as screen:
                await screen.shows("? for shortcuts")
                yield ByHand(desk, agent, screen, model, repo, session)
    finally:
        await agent.close()


async def test_a_permission_is_answered_from_the_board_or_in_the_terminal_whoever_is_first(tmp_path: Path) -> None:
    async with by_hand(
        tmp_path,
        calls("Bash", command="touch one.txt", description="Make a file"),
        Says("One is there."),
        calls("Bash", command="touch two.txt", description="Make another"),
        Says("Two is not."),
        calls("Bash", command="touch three.txt", description="Make a third"),
        Says("Three is there."),
        calls("Bash", command="touch four.txt", description="Make a fourth"),
    ) as here:
        await here.screen.say("make the files")
        one = await here.asked(1)
        assert (one.inquiry.kind, one.inquiry.detail) == (QuestionKind.PERMISSION, "touch one.txt")
        await here.screen.shows("Do you want to proceed?")  # the dialog stands in the terminal all the same
        one.answer.set_result(Chosen(ALLOW))
        assert await here.turn() == "done: One is there."
        assert (here.repo / "one.txt").exists()

        await here.screen.say("another")
        (await here.asked(2)).answer.set_result(Chosen(DENY, "Not in this folder"))
        assert await here.turn() == "done: Two is not."
        assert "Not in this folder" in here.model.results()[-1]
        assert not (here.repo / "two.txt").exists()

        await here.screen.say("a third")
        three = await here.asked(3)
        await here.screen.shows("Do you want to proceed?")
        await here.answered_there("1", three)
        assert await here.turn() == "done: Three is there."
        assert (here.repo / "three.txt").exists()

        await here.screen.say("a fourth")
        four = await here.asked(4)
        await here.screen.shows("Do you want to proceed?")
        await here.answered_there("\x1b", four)
        assert await here.turn() == "cancelled: "  # a turn that is broken off calls no hook; it is seen all the same
        assert here.desk.left == []
        await here.screen.say("/exit")
        assert await here.screen.ended() == 0
        assert here.desk.left == ["its terminal has ended"]
        assert sorted(p.name for p in here.repo.iterdir()) == [".git", "README.md", "app.py", "one.txt", "three.txt"]


async def test_questions_are_answered_from_both_sides_and_words_reach_a_turn_at_its_end(tmp_path: Path) -> None:
    async with by_hand(
        tmp_path,
        calls("AskUserQuestion", questions=[INDEX, {**INDEX, "question": "Which name?", "header": "Name"}]),
        Says("Asked."),
        calls("AskUserQuestion", questions=[INDEX]),
        Says("Asked again."),
        Says("And documented."),
        Says("Fresh."),
    ) as here:
        await here.screen.say("ask me")
        first, second = await here.asked(1), await here.asked(2)
        assert here.desk.groups == [(first.inquiry, second.inquiry)]
        assert [option.label for option in first.inquiry.options] == ["FTS", "Tantivy"]
        first.answer.set_result(Chosen(first.inquiry.options[1].id))
        second.answer.set_result(Text("call it find"))
        assert await here.turn() == "done: Asked."
        assert '"Which index?"="Tantivy"' in here.model.results()[-1]
        assert '"Which name?"="call it find"' in here.model.results()[-1]

        await here.screen.say("once more")
        third = await here.asked(3)
        await here.screen.shows("Tantivy")
        assert await here.agent.steer("Ana: document it as well")
        await here.answered_there("2", third)
        assert await here.turn() == "done: And documented."
        assert "document it as well" in json.dumps(here.model.requests[-1])

        old = here.session()
        await here.screen.say("/clear")
        await here.screen.say("hello")
        assert await here.turn() == "done: Fresh."
        new = here.session()
        assert new != old
        assert here.desk.left == []


async def test_without_a_session_behind_them_hooks_are_as_if_they_were_not_there(tmp_path: Path) -> None:
    async with by_hand(
        tmp_path, calls("Bash", command="touch one.txt", description="Make a file"), Says("One is there.")
    ) as here:
        await here.agent.close()  # a runner that has gone, or never came
        await here.screen.say("make a file")
        await here.screen.shows("Do you want to proceed?")
        async with asyncio.timeout(30):
            while "Oneisthere." not in here.screen.text:
                here.screen.type("1")
                await asyncio.sleep(1)  # as a person would: a dialog that has only just appeared takes no keys yet
        assert (here.repo / "one.txt").exists()
        assert "hook error" not in here.screen.text.lower()
        assert here.desk.asked == []
        await here.screen.say("/exit")
        assert await here.screen.ended() == 0
