"""What outlives what: a killed runner leaves Codex and its questions; a killed Codex leaves its session."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bot.wire.types import ALLOW
from runners import kept
from runners.agents.base import BackgroundChanged, Chosen
from runners.agents.codex.papers import Drawer
from runners.agents.codex.rpc import Rpc
from runners.errors import AgentDied
from tests.agents.codex.conftest import Opening, Stage, codex, escalated, runs
from tests.agents.codex.model import Calls, Reply, Says
from tests.agents.codex.test_turns import PATCH, QUESTION
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(60)]

ROOT = Path(__file__).parent.parent.parent.parent


class Victim:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def hears(self, word: str) -> str:
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode().split():
            if line[0] == word:
                return line[1]
        raise AssertionError(f"it ended without “{word}”")

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def victim(stage: Stage, mode: str = "") -> AsyncIterator[Victim]:
    """A runner that will be killed; what it leaves is ended by the stage or here."""
    command = (sys.executable, "-m", "tests.agents.codex.victim", str(stage.folder), "Go", mode)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    found = Victim(process)
    try:
        yield found
    finally:
        await found.kill()
        await asyncio.to_thread(kept.end_kept, stage.folder / "session")


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


async def test_a_killed_runner_leaves_the_approval_and_the_next_one_puts_it_again(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../made"), Says("Done.")) as stage, victim(stage) as runner:
        session = await runner.hears("session")
        key = await runner.hears("asked")
        await runner.kill()

        desk = RecordingDesk()
        agent, info = await stage.started(desk, session)
        assert (info.session, info.resumed, info.held, info.busy) == (session, True, True, True)
        assert [asked.key for asked in desk.asked] == [key]
        assert desk.asked[0].detail == "touch ../made"
        turn = asyncio.create_task(agent.rejoin())
        (await desk.question()).answer.set_result(Chosen(ALLOW))
        ended = await turn
        assert (ended.reason, ended.last_words) == ("done", "Done.")
        assert (stage.folder / "made").exists()
        assert len(stage.model.requests) == 2  # nothing was begun anew
        assert (await agent.prompt("More")).reason == "done"


async def test_a_file_change_and_a_question_are_put_again_as_they_were(open_stage: Opening) -> None:
    call = Calls("request_user_input", {"questions": [QUESTION]})
    async with open_stage(runs(PATCH), call, Says("Done.")) as stage, victim(stage, "read-only") as runner:
        session = await runner.hears("session")
        await runner.hears("asked")
        await runner.kill()
        desk = RecordingDesk()
        agent, info = await stage.started(desk, session, mode="read-only")
        assert info.busy
        change = await desk.question()
        assert "+++ b/NOTES.md\n+# Notes" in change.inquiry.detail
        change.answer.set_result(Chosen(ALLOW))
        question = await desk.question(2)
        await agent.detach()  # lets go as a killed runner does
        assert question.withdrawn

        again = RecordingDesk([Chosen("option-2")])
        agent, info = await stage.started(again, session, mode="read-only")
        assert (info.held, info.busy) == (True, True)
        assert (await agent.rejoin()).last_words == "Done."
        assert [asked.key for asked in again.asked] == [question.inquiry.key]
        assert "Tantivy" in stage.model.tool_results()[-1]


async def test_a_turn_that_ends_while_no_runner_looks_is_told_to_the_next(open_stage: Opening) -> None:
    async with open_stage(runs("sleep 0.2"), Says("All done.")) as stage, victim(stage) as runner:
        session = await runner.hears("session")
        await stage.model.asked(1)
        await runner.kill()
        await stage.model.asked(2)
        papers = await Drawer(stage.folder / "session").load()
        rpc = Rpc(lambda *_: None, lambda _: None)
        await rpc.connect(Path(papers.socket))
        about = {"name": "test", "title": "test", "version": "1"}
        await rpc.call("initialize", {"clientInfo": about, "capabilities": {"experimentalApi": True}})
        while (await rpc.call("thread/read", {"threadId": session}))["thread"]["status"]["type"] == "active":
            pass
        await rpc.close()

        desk = RecordingDesk()
        agent, info = await stage.started(desk, session)
        assert (info.held, info.busy) == (True, True)
        ended = await agent.rejoin()
        assert (ended.reason, ended.last_words) == ("done", "All done.")
        assert desk.words == ""


async def test_what_a_dead_runner_left_is_ended_by_its_host(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../made")) as stage, victim(stage) as runner:
        await runner.hears("asked")
        await runner.kill()
        (pid,) = await asyncio.to_thread(kept.kept, stage.folder / "session")
        assert lives(pid)
        assert await asyncio.to_thread(kept.end_kept, stage.folder / "session") == [pid]
        while lives(pid):
            await asyncio.to_thread(os.sched_yield)
        assert not await asyncio.to_thread(kept.kept, stage.folder / "session")


async def test_a_killed_codex_says_what_was_lost_and_its_session_goes_on(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../made"), escalated("touch ../made"), Says("Done.")) as stage:
        desk = RecordingDesk()
        agent, info = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Remember the milk"))
        question = await desk.question()
        (pid,) = await asyncio.to_thread(kept.kept, stage.folder / "session")
        os.killpg(pid, signal.SIGKILL)
        with pytest.raises(AgentDied, match="What it asked went with it") as died:
            await turn
        assert died.value.exit_status == -signal.SIGKILL
        assert question.withdrawn
        with pytest.raises(AgentDied):
            await agent.prompt("Anybody there?")
        await agent.close()
        assert not await asyncio.to_thread(kept.kept, stage.folder / "session")

        later = RecordingDesk([Chosen(ALLOW)])
        agent, again = await stage.started(later, info.session)
        assert (again.session, again.resumed, again.held, again.busy) == (info.session, True, False, False)
        assert later.updates == []
        ended = await agent.prompt("You were interrupted. Go on.")
        assert ended.last_words == "Done."
        assert "Remember the milk" in stage.model.told()
        assert later.asked[0].key != question.inquiry.key


async def test_the_person_finds_session_and_login_in_their_own_home(open_stage: Opening) -> None:
    async with open_stage(Says("Noted."), Says("Yes.")) as stage:
        agent, info = await stage.started(RecordingDesk())
        await agent.prompt("Remember the milk")
        await agent.close()
        layer = stage.folder / "session" / "codex-home"
        env = {"HOME": str(stage.home), "CODEX_HOME": str(layer)}
        login = await asyncio.create_subprocess_exec(
            *codex(), "login", "--with-api-key", stdin=asyncio.subprocess.PIPE, env={**os.environ, **env}
        )
        await login.communicate(b"sk-none\n")
        assert "sk-none" in (stage.home / "auth.json").read_text()
        assert (layer / "auth.json").is_symlink()
        await asyncio.to_thread(shutil.rmtree, layer)
        agent, again = await stage.started(RecordingDesk(), info.session, folder=None)  # in their own home
        assert again.resumed
        assert (await agent.prompt("Do you know?")).last_words == "Yes."
        assert "Remember the milk" in stage.model.told()


async def test_a_pause_ends_it_and_the_session_goes_on_later(open_stage: Opening) -> None:
    async with open_stage(escalated("touch ../made"), Says("Going on.")) as stage:
        desk = RecordingDesk()
        agent, info = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Go"))
        question = await desk.question()
        await agent.close()
        with pytest.raises(AgentDied, match="was stopped"):
            await turn
        assert question.withdrawn
        agent, again = await stage.started(RecordingDesk(), info.session)
        assert (again.resumed, again.held, again.busy) == (True, False, False)
        assert (await agent.prompt("Go on")).last_words == "Going on."
        assert not (stage.folder / "made").exists()


async def test_closing_leaves_no_process_and_an_unknown_session_begins_anew(open_stage: Opening) -> None:
    shell = runs("sleep 3000", yield_time_ms=250)
    async with open_stage(shell, Says("It runs.")) as stage:
        desk = RecordingDesk()
        agent, info = await stage.started(desk, "01a20a85-0000-7000-8000-000000000000")
        assert not info.resumed
        await agent.prompt("Go")
        (pid,) = await asyncio.to_thread(kept.kept, stage.folder / "session")
        below = await asyncio.to_thread(kept.under, frozenset((pid,)))
        assert below
        await agent.close()
        await agent.close()
        assert not [left for left in (pid, *below) if lives(left)]
        assert not (stage.folder / "session" / "codex.sock").exists()


def helped(request: dict[str, Any]) -> Reply:
    """A model that has a sub-agent do it, and waits for that."""
    outputs = [item for item in request["input"] if str(item.get("type")).endswith("_call_output")]
    if any("HELPER" in str(item.get("content")) for item in request["input"] if item.get("role") == "user"):
        return Says("Helped.") if outputs else escalated("touch ../made")
    if not outputs:
        return Calls("spawn_agent", {"message": "HELPER, do it"}, "multi_agent_v1")
    if len(outputs) == 1:
        helper = json.loads(outputs[0]["output"])["agent_id"]
        return Calls("wait_agent", {"targets": [helper], "timeout_ms": 60_000}, "multi_agent_v1")
    return Says("All done.")


async def test_a_sub_agents_question_outlives_the_runner_too(open_stage: Opening) -> None:
    async with open_stage(helped) as stage, victim(stage) as runner:
        session = await runner.hears("session")
        key = await runner.hears("asked")
        await runner.kill()
        desk = RecordingDesk([Chosen(ALLOW)])
        agent, info = await stage.started(desk, session)
        assert info.busy
        assert (await agent.rejoin()).last_words == "All done."
        assert [asked.key for asked in desk.asked] == [key]
        assert desk.asked[0].context.startswith("Asked by a sub-agent.")
        assert (stage.folder / "made").exists()


async def test_a_stop_ends_sub_agents_as_well(open_stage: Opening) -> None:
    async with open_stage(helped) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        turn = asyncio.create_task(agent.prompt("Go"))
        question = await desk.question()
        await desk.until(lambda: BackgroundChanged(("HELPER, do it",)) in desk.updates)
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert question.withdrawn
        await desk.until(lambda: desk.of(BackgroundChanged)[-1].tasks == ())
        assert not (stage.folder / "made").exists()
