"""Hook commands as an agent runs them, a real host and its runner: what a terminal's session looks like from Slack."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    AttachAsked,
    DeliverAnswer,
    Prompt,
    PromptGiven,
    QuestionWithdrawn,
    ReviewOffered,
    SessionChanged,
    SessionEnded,
    SessionPlaced,
    StartSession,
)
from bot.wire.types import ALLOW, DENY, Ability, Answer, Ending, PromptId, RunState
from runners import files
from runners.attach import control, hook, hooks, record, settings
from runners.attach.hook import NAME
from runners.repo import git
from runners.runner import ticket
from runners.runner.driver import ASKED_ANEW
from tests.runners.attach.test_board import Desk, desk
from tests.runners.board import ANA, running
from tests.runners.places import HOST, save, spec
from tests.runners.scene import RUNNER

__all__ = ["desk"]
BASH = {"tool_name": "Bash", "tool_input": {"command": "make it", "description": "Build"}}


class Terminal:
    """Runs the hook commands that its settings name, as Claude Code does: JSON in, JSON out, ours as their parent."""

    def __init__(self, desk: Desk, session: str = "c1") -> None:
        self.desk = desk
        self.session = session
        self.env = {"PATH": os.environ["PATH"], "CLAUDE_PROJECT_DIR": str(desk.worktree)}

    async def hook(self, event: str, **said: Any) -> dict[str, Any]:
        """What the agent would be told; empty: nothing."""
        process = await self.begin(event, **said)
        async with asyncio.timeout(40):
            out, err = await process.communicate()
        assert (process.returncode, err) == (0, b"")
        found: dict[str, Any] = json.loads(out) if out else {}
        return found

    async def begin(self, event: str, **said: Any) -> asyncio.subprocess.Process:
        [group] = settings.ours(self.desk.data)["hooks"][event]
        given = {"hook_event_name": event, "session_id": self.session, "cwd": str(self.desk.worktree), **said}
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", group["hooks"][0]["command"]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.desk.worktree,
            env=self.env,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(given).encode())
        process.stdin.close()
        return process

    async def on_board(self) -> None:
        assert await self.hook("SessionStart", source="startup") == {}
        asked = await self.desk.board.heard(AttachAsked)
        assert (asked.agent, asked.branch, asked.worktree) == ("claude", "by-hand", str(self.desk.worktree))
        order = spec(self.desk.board, asked.repo, asked.title or "By hand", attach=asked.attach)
        await self.desk.board.tell(HOST, StartSession(order))
        await self.desk.board.heard(SessionPlaced)
        await self.desk.board.heard(AgentDescribed)


@asynccontextmanager
async def on_board(desk: Desk) -> AsyncIterator[Terminal]:
    async with running(desk.board) as bot, desk.host(bot):
        terminal = Terminal(desk)
        await terminal.on_board()
        yield terminal


def behavior(printed: tuple[bytes, bytes]) -> str:
    found: str = json.loads(printed[0])["hookSpecificOutput"]["decision"]["behavior"]
    return found


async def changed(desk: Desk, state: RunState, words: str = "") -> SessionChanged:
    while True:
        for each in desk.board.all(SessionChanged):
            if each.state is state and each.last_words == words:
                return each
        await desk.board.heard(SessionChanged, len(desk.board.all(SessionChanged)) + 1)


async def test_a_turn_in_the_terminal_is_seen_and_its_permission_answered(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        board = desk.board
        abilities = board.all(AgentDescribed)[-1].abilities
        assert Ability.STEER in abilities
        assert Ability.PROMPT not in abilities
        assert await terminal.hook("UserPromptSubmit", prompt="Build it") == {}
        await changed(desk, RunState.WORKING)
        assert await terminal.hook("PreToolUse", **BASH, tool_use_id="t1") == {}
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await board.heard(Asked)).question
        assert (question.title, question.detail) == ("Run make it?", "make it")
        await board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        out, _ = await waiting.communicate()
        assert json.loads(out)["hookSpecificOutput"]["decision"]["behavior"] == "allow"
        assert (await board.heard(AnswerApplied)).applied
        assert await terminal.hook("PostToolUse", **BASH, tool_use_id="t1", tool_response={}) == {}
        assert await terminal.hook("Stop", last_assistant_message="Built it.") == {}
        assert await changed(desk, RunState.STOPPED, "Built it.")


async def test_answered_in_the_terminal_the_other_copy_closes_and_says_so(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await desk.board.heard(Asked)).question
        await terminal.hook("PostToolUse", **BASH, tool_use_id="t1", tool_response={})
        gone = await desk.board.heard(QuestionWithdrawn)
        assert (gone.question, gone.reason) == (question.id, "answered in the terminal")
        assert await waiting.communicate() == (b"", b"")
        assert waiting.returncode == 0


async def test_the_card_closes_when_the_terminal_decides_and_not_when_what_it_allowed_has_ended(
    desk: Desk, tmp_path: Path
) -> None:
    note = tmp_path / "home" / "sessions" / f"{os.getpid()}.json"
    note.parent.mkdir(parents=True)
    note.write_text('{"status": "busy"}')
    async with on_board(desk) as terminal:
        terminal.env["CLAUDE_CONFIG_DIR"] = str(tmp_path / "home")
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await desk.board.heard(Asked)).question
        await asyncio.sleep(1)  # the note is a little late: that it does not wait yet says nothing
        assert desk.board.all(QuestionWithdrawn) == []
        note.write_text('{"status": "waiting"}')
        await asyncio.sleep(1)
        note.write_text('{"status": "busy"}')  # `make it` runs, for as long as it takes
        gone = await desk.board.heard(QuestionWithdrawn)
        assert (gone.question, gone.reason) == (question.id, "answered in the terminal")
        assert await waiting.communicate() == (b"", b"")
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=DENY)))
        assert not (await desk.board.heard(AnswerApplied)).applied


async def test_words_from_the_thread_reach_the_turn_when_it_would_end(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await changed(desk, RunState.WORKING)
        await desk.board.tell(RUNNER, Prompt("document it as well", ANA, PromptId("p1")))
        given = await desk.board.heard(PromptGiven)
        assert (given.prompt, given.steered) == ("p1", True)
        told = await terminal.hook("Stop", last_assistant_message="Built it.")
        assert told["decision"] == "block"
        assert "document it as well" in told["reason"]


async def test_a_runner_that_is_killed_under_a_permission_comes_back_and_the_same_card_is_answered(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await desk.board.heard(Asked)).question
        folder = Path((await desk.ask("find"))["folder"])
        pid = ticket.holder(folder / files.LOCK)
        assert pid
        os.kill(pid, signal.SIGKILL)
        await desk.board.connected(RUNNER, False)
        await desk.board.heard(AgentDescribed, 2)
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        out, _ = await waiting.communicate()
        assert json.loads(out)["hookSpecificOutput"]["decision"]["behavior"] == "allow"
        assert desk.board.all(QuestionWithdrawn) == []
        assert {each.question.id for each in desk.board.all(Asked)} == {question.id}


async def test_an_answer_that_comes_before_the_hook_has_found_the_next_runner_is_still_the_hooks(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await desk.board.heard(Asked)).question
        folder = Path((await desk.ask("find"))["folder"])
        pid = ticket.holder(folder / files.LOCK)
        assert pid
        waiting.send_signal(signal.SIGSTOP)  # as on a machine that is so busy that it does not get its turn
        os.kill(pid, signal.SIGKILL)
        await desk.board.connected(RUNNER, False)
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        assert (await desk.board.heard(AnswerApplied)).applied
        await asyncio.sleep(2)  # longer than a runner looks for what is asked again once its agent has come back
        waiting.send_signal(signal.SIGCONT)
        out, _ = await asyncio.wait_for(waiting.communicate(), 20)
        assert json.loads(out)["hookSpecificOutput"]["decision"]["behavior"] == "allow"
        assert {each.question.id for each in desk.board.all(Asked)} == {question.id}
        assert desk.board.all(QuestionWithdrawn) == []


async def test_words_on_their_way_outlive_the_runner_and_a_hook_that_never_printed_them(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await changed(desk, RunState.WORKING)
        await desk.board.tell(RUNNER, Prompt("document it as well", ANA, PromptId("p1")))
        await desk.board.heard(PromptGiven)
        await killed(desk)
        folder = Path((await desk.ask("find"))["folder"])
        said = {"hook_event_name": "Stop", "session_id": terminal.session}
        reader, writer = await asyncio.open_unix_connection(record.socket_of(folder, NAME))
        writer.write(json.dumps({"event": "Stop", "ask": "h1", "said": said}).encode() + b"\n")
        assert b"document it as well" in await reader.readline()
        writer.close()  # its hook is killed before it prints
        told = await terminal.hook("Stop", last_assistant_message="Built it.")
        assert "document it as well" in told["reason"]
        assert await terminal.hook("Stop", last_assistant_message="Documented.") == {}


async def test_leave_for_one_call_is_not_leave_for_the_same_call_once_more(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        for number in (1, 2):  # the hook before the call was not heard: a request alone has no id
            waiting = await terminal.begin("PermissionRequest", **BASH)
            question = (await desk.board.heard(Asked, number)).question
            await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
            assert behavior(await waiting.communicate()) == "allow"
            await terminal.hook("PostToolUse", **BASH, tool_use_id=f"t{number}", tool_response={})
        assert len({each.question.id for each in desk.board.all(Asked)}) == 2


async def test_two_calls_alike_are_two_questions_and_each_is_settled_by_itself(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t2")
        first = await terminal.begin("PermissionRequest", **BASH)
        one = (await desk.board.heard(Asked, 1)).question
        second = await terminal.begin("PermissionRequest", **BASH)
        two = (await desk.board.heard(Asked, 2)).question
        assert (one.id != two.id, first.returncode, second.returncode) == (True, None, None)
        await terminal.hook("PostToolUse", **BASH, tool_use_id="t1", tool_response={})
        assert (await desk.board.heard(QuestionWithdrawn)).question == one.id
        assert await first.communicate() == (b"", b"")
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(two.id, ANA, option=ALLOW)))
        assert behavior(await second.communicate()) == "allow"
        assert len(desk.board.all(QuestionWithdrawn)) == 1


async def killed(desk: Desk) -> None:
    """The session's runner, and the next one waits for what its agent asks again for as long as it ever does."""
    folder = Path((await desk.ask("find"))["folder"])
    pid = ticket.holder(folder / files.LOCK)
    assert pid
    os.kill(pid, signal.SIGKILL)
    await desk.board.connected(RUNNER, False)
    await desk.board.heard(AgentDescribed, len(desk.board.all(AgentDescribed)) + 1)
    await asyncio.sleep(ASKED_ANEW.total_seconds() + 1)


async def test_the_card_of_a_runner_that_was_killed_stays_and_holds_for_its_call_alone(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        question = (await desk.board.heard(Asked)).question
        await killed(desk)
        assert desk.board.all(QuestionWithdrawn) == []
        assert {each.question.id for each in desk.board.all(Asked)} == {question.id}
        await desk.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=ALLOW)))
        assert (await desk.board.heard(AnswerApplied)).applied
        assert behavior(await asyncio.wait_for(waiting.communicate(), 20)) == "allow"
        again = await terminal.begin("PermissionRequest", **BASH)
        while len({each.question.id for each in desk.board.all(Asked)}) < 2:
            await desk.board.heard(Asked, len(desk.board.all(Asked)) + 1)
        again.kill()
        await again.communicate()


async def test_answered_in_the_terminal_the_card_closes_under_the_next_runner_too(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        waits = []
        for number in (1, 2):
            await terminal.hook("PreToolUse", **BASH, tool_use_id=f"t{number}")
            waits.append(await terminal.begin("PermissionRequest", **BASH))
            await desk.board.heard(Asked, number)
        two = desk.board.all(Asked)[1].question
        await killed(desk)
        await terminal.hook("PostToolUse", **BASH, tool_use_id="t2", tool_response={})
        gone = await desk.board.heard(QuestionWithdrawn)
        assert (gone.question, gone.reason) == (two.id, "answered in the terminal")
        assert await waits[1].communicate() == (b"", b"")
        assert waits[0].returncode is None
        waits[0].kill()
        await waits[0].communicate()


async def test_the_end_of_the_terminal_ends_the_session_and_leaves_its_work_alone(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        (desk.worktree / "half.py").write_text("x = 1\n")
        await terminal.hook("SessionEnd", reason="prompt_input_exit")
        ended = await desk.board.heard(SessionEnded)
        assert (ended.ending, ended.worktree) == (Ending.DETACHED, str(desk.worktree))
        assert git.dirty_paths(desk.worktree) == ("half.py",)
        # The same terminal says something after all: off the board it stays, until it is started anew.
        assert await terminal.hook("UserPromptSubmit", prompt="Still there?") == {}
        assert len(desk.board.all(AttachAsked)) == 1


async def test_a_cleared_context_is_the_same_session_under_another_name(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("SessionEnd", reason="clear")
        terminal.session = "c2"
        await terminal.hook("SessionStart", source="clear")
        await terminal.hook("UserPromptSubmit", prompt="Again")
        await terminal.hook("PreToolUse", **BASH, tool_use_id="t1")
        waiting = await terminal.begin("PermissionRequest", **BASH)
        await desk.board.heard(Asked)
        known = record.read(record.route(desk.data, desk.worktree))
        assert known is not None
        assert known.session == "c2"
        assert desk.board.all(SessionEnded) == []
        waiting.kill()
        await waiting.communicate()


async def test_a_second_terminal_in_the_worktree_is_told_and_goes_on_unseen(desk: Desk) -> None:
    async with on_board(desk):
        # Another process than ours, as its parent: a shell in between.
        script = f"cd {desk.worktree}; {settings.command(desk.data).replace('exec ', '')}; true"
        given = {"hook_event_name": "SessionStart", "session_id": "c9", "source": "startup", "cwd": str(desk.worktree)}
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", script), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        out, _ = await process.communicate(json.dumps(given).encode())
        assert "is on the board already" in json.loads(out)["systemMessage"]
        assert len(desk.board.all(AttachAsked)) == 1


@pytest.mark.parametrize("how", ["moved", "deleted"])
async def test_a_worktree_that_is_moved_away_or_deleted_ends_its_session_with_the_reason(desk: Desk, how: str) -> None:
    async with on_board(desk):
        if how == "moved":
            desk.worktree.rename(desk.worktree.with_name("elsewhere"))
        else:
            await asyncio.to_thread(shutil.rmtree, desk.worktree)
        ended = await desk.board.heard(SessionEnded)
        assert ended.ending is Ending.DETACHED
        assert "was moved or deleted" in ended.last_words


@pytest.mark.parametrize("data", ["nowhere", "data"])
async def test_without_a_host_every_hook_says_nothing_at_once(tmp_path: Path, data: str) -> None:
    place = Desk(tmp_path)
    place.data.mkdir()
    place.data = tmp_path / data
    terminal = Terminal(place)
    for event in hooks.EVENTS:
        async with asyncio.timeout(10):
            assert await terminal.hook(event, source="startup", **BASH) == {}


async def test_with_host_and_runner_killed_the_terminal_goes_on_at_once(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        folder = Path((await desk.ask("find"))["folder"])
    for place, name in ((desk.data, control.SOCKET), (folder, hook.NAME)):
        if pid := ticket.holder(folder / files.LOCK):
            os.kill(pid, signal.SIGKILL)
        with socket.socket(socket.AF_UNIX) as left:  # as a process that is killed leaves it: nobody listens
            (place / name).unlink(missing_ok=True)
            left.bind(str(place / name))
    for event in set(hooks.EVENTS) - set(hook.ASKING):  # beside a question, its dialog stands on the screen
        began = asyncio.get_running_loop().time()
        assert await terminal.hook(event, source="startup", **BASH) == {}
        assert asyncio.get_running_loop().time() - began < hook.SHORT / 2


async def test_a_hook_given_nonsense_or_no_python_says_nothing(tmp_path: Path) -> None:
    place = Desk(tmp_path)
    for given in (b"", b"null", b"{", b"\xff", b"[" * 100_000):
        ran = await asyncio.to_thread(
            subprocess.run,
            ["/bin/sh", "-c", settings.command(place.data)],
            input=given,
            capture_output=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    line = settings.command(place.data).replace(sys.executable, "/no/such/python")
    ran = await asyncio.to_thread(subprocess.run, ["/bin/sh", "-c", line], capture_output=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")


async def test_a_commit_made_in_the_terminal_is_offered_for_review(desk: Desk) -> None:
    async with on_board(desk) as terminal:
        await terminal.hook("UserPromptSubmit", prompt="Build it")
        (desk.worktree / "search.py").write_text("x = 1\n")
        head = save(desk.worktree, "Add search")
        await terminal.hook("Stop", last_assistant_message="Search works.")
        offered = (await desk.board.heard(ReviewOffered)).review
        assert (offered.commit, offered.branch) == (head, "by-hand")
