"""The real Codex in a terminal, joined through the daemon that it starts: relayed, prompted, left alone again."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.wire.types import ALLOW, Ability
from runners.agents.attach.codex import JoinedCodex
from runners.agents.base import Chosen, Launch
from runners.attach import record
from runners.attach.record import Record
from tests.agents.attach.terminal import terminal
from tests.agents.codex.conftest import CONFIG, codex, escalated
from tests.agents.codex.model import Calls, Says, serving
from tests.agents.repos import make_worktree
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(120)]


@pytest.fixture
def folder() -> AsyncIterator[Path]:
    """Not in /tmp, where Codex lets every command write. The daemon it leaves is ended by its home's name."""
    made = Path(tempfile.mkdtemp(prefix=".codex-hand-", dir=Path.home()))
    yield made  # type: ignore[misc]
    for line in subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.split(
        "\n"
    ):
        pid, _, args = line.strip().partition(" ")
        if str(made) in args:
            os.kill(int(pid), signal.SIGKILL)
    shutil.rmtree(made, ignore_errors=True)


async def test_a_codex_in_a_terminal_is_joined_answered_from_either_side_and_prompted(folder: Path) -> None:
    worktree = make_worktree(folder).path
    home, session = folder / "home", folder / "session"
    home.mkdir()
    session.mkdir()
    desk = RecordingDesk()
    replies = iter(
        (escalated("touch ../one.txt"), Says("One."), escalated("touch ../two.txt"), Says("Two."), Says("Three."))
    )

    def reply(asked: dict[str, Any]) -> Says | Calls:
        """The terminal asks for a title as well, beside the conversation and without its tools."""
        return next(replies) if "exec_command" in json.dumps(asked.get("tools")) else Says("A title")

    async with serving([reply]) as model:
        (home / "config.toml").write_text(
            CONFIG.format(url=model.url) + f'\n[projects."{worktree}"]\ntrust_level = "trusted"\n'
        )
        env = {"HOME": str(home), "CODEX_HOME": str(home), "PATH": os.environ["PATH"], "TERM": "xterm-256color"}
        async with terminal(codex(), worktree, env) as screen:
            known = Record("a", "codex", str(worktree), "work", "work", pid=screen.process.pid, home=str(home))
            record.write_own(session, known)
            agent = JoinedCodex(Launch("codex", (), worktree, session / "log", folder=session), desk)
            try:
                info = await agent.start()
                assert Ability.PROMPT in info.abilities
                await screen.shows("Ask Codex to do anything")
                await screen.say("make one")
                one = await asyncio.wait_for(desk.question(1), 20)
                assert one.inquiry.detail == "touch ../one.txt"
                one.answer.set_result(Chosen(ALLOW))
                assert (await asyncio.wait_for(agent.rejoin(), 20)).last_words == "One."
                assert (folder / "one.txt").exists()

                await screen.say("make two")
                two = await asyncio.wait_for(desk.question(2), 20)
                await screen.shows("Would you like to run the following command?")
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
