"""``switchboard ask`` outside any session: a real host puts the script on the board, and its people answer."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process

from bot.wire.messages import AnswerApplied, Asked, AttachAsked, DeliverAnswer, RefuseAttach, StartSession
from bot.wire.types import Answer
from tests.runners.ask.desk import WITHIN
from tests.runners.attach.test_board import Desk, desk
from tests.runners.board import ANA, running
from tests.runners.places import HOST, spec
from tests.runners.scene import RUNNER

__all__ = ["desk"]


async def ask(desk: Desk, *args: str) -> Process:
    env = {key: value for key, value in os.environ.items() if not key.startswith("SWITCHBOARD_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "ask", "Deploy?", "-o", "yes", "-o", "no", *args),
        stdout=PIPE, stderr=PIPE, cwd=desk.worktree, env={**env, "SWITCHBOARD_HOST_DATA": str(desk.data),
        "PYTHONPATH": os.getcwd()},
    )  # fmt: skip


async def ended(process: Process) -> tuple[int, str, str]:
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_script_by_itself_comes_on_the_board_and_has_its_answer(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        script = await ask(desk)
        asked = await desk.board.heard(AttachAsked)
        assert (asked.agent, asked.title) == ("script", "Deploy?")
        await desk.board.tell(HOST, StartSession(spec(desk.board, asked.repo, "Deploy?", attach=asked.attach)))
        question = (await desk.board.heard(Asked)).question
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option="yes")))
        code, out, err = await ended(script)
        assert (code, out) == (0, "yes\n")
        assert err == "switchboard ask: No session works here; asking the host to put this script on the board.\n"
        assert (await desk.board.heard(AnswerApplied)).applied
        # The next one asks through the same session, which stays for a minute.
        second = await ask(desk, "--id", "second")
        question = (await desk.board.heard(Asked, 2)).question
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option="no")))
        assert await ended(second) == (0, "no\n", "")
        assert len(desk.board.all(AttachAsked)) == 1
        assert desk.untouched()


async def test_a_bot_that_does_not_want_it_is_heard(desk: Desk) -> None:
    async with running(desk.board) as bot, desk.host(bot):
        script = await ask(desk)
        asked = await desk.board.heard(AttachAsked)
        await desk.board.tell(HOST, RefuseAttach(asked.attach, "This host has no owner any more."))
        code, out, err = await ended(script)
        assert (code, out) == (5, "")
        assert "Nobody can be asked from here: This host has no owner any more." in err
