"""A host as a process: what it offers and refuses, and that killing it, its runners or the bot loses nothing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    HostDescribed,
    Prompt,
    QuestionWithdrawn,
    SessionChanged,
    SessionEnded,
    SessionPlaced,
    SessionRefused,
    StartSession,
    StopSession,
)
from bot.wire.types import Answer, Ending, RunState, SessionId, Share
from runners import files
from runners.repo import git
from runners.runner import ticket
from tests.runners.board import ANA, Board, Running, running
from tests.runners.places import HOST, HOST_TOKEN, host_process, make_repo, spec
from tests.runners.scene import CHOICE, RUNNER, S

TOLD = [{"say": "index={{index}}"}, {"end": "limit"}]


class Machine:
    """A machine with a repository and a configuration, to run a host on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.repo = make_repo(folder / "playback")
        self.toml = folder / "switchboard.toml"
        self.configure()

    def configure(self, repo: str = "", more: str = "") -> None:
        command = json.dumps([sys.executable, "-m", "runners.agents.demo"])
        env = f'SWITCHBOARD_DEMO_SCRIPT = "{self.folder / "script.json"}", SWITCHBOARD_DEMO_PACE = "0"'
        self.toml.write_text(
            f'[host]\nagent = "scripted"\nreport_every = 0.05\n'
            f"[agents.scripted]\ncommand = {command}\nenv = {{ {env} }}\n"
            f'[repos.playback]\npath = "playback"\n{repo}\n{more}\n'
        )

    def script(self, *steps: object) -> None:
        (self.folder / "script.json").write_text(json.dumps({"step": steps}))

    @asynccontextmanager
    async def host(self, bot: Running, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        async with host_process(self.data, bot.url, "--config", str(self.toml), *options) as process:
            yield process

    def runner(self, session: str = S) -> int | None:
        return ticket.holder(self.data / "sessions" / session / files.LOCK)

    async def runner_gone(self, pid: int) -> None:
        async with asyncio.timeout(20):
            while self.runner() == pid:  # noqa: ASYNC110  (a lock rings no bell)
                await asyncio.sleep(0.02)


@pytest.fixture
def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    found = Machine(tmp_path)
    found.script(CHOICE, *TOLD)
    yield found  # type: ignore[misc]
    for folder in (found.data / "sessions").glob("*"):
        if pid := ticket.holder(folder / files.LOCK):
            os.kill(pid, signal.SIGKILL)  # each of these was started by this test


@pytest.fixture
def board() -> Board:
    return Board(tokens={HOST_TOKEN: HOST})


async def started(board: Board, **more: object) -> SessionPlaced:
    await board.tell(HOST, StartSession(spec(board, "playback", "Add search", **more)))
    return await board.heard(SessionPlaced)


async def changed(board: Board, state: RunState, count: int = 1) -> SessionChanged:
    while len(found := [change for change in board.all(SessionChanged) if change.state is state]) < count:
        await board.heard(SessionChanged, len(board.all(SessionChanged)) + 1)
    return found[count - 1]


async def answered(board: Board, option: str = "tantivy") -> None:
    question = board.all(Asked)[0].question
    await board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, option=option)))


# --- offers and refusals ---------------------------------------------------------------------------------------------


async def test_a_host_describes_itself_with_problems_and_fixes(machine: Machine, board: Board) -> None:
    machine.configure(
        'scope = ["src/**"]\nshare = "full"\nchannel = "sessions"',
        '[agents.ghost]\ncommand = "no-such-agent --acp"\n[repos.gone]\npath = "nowhere"\n[repos.plain]\npath = "."',
    )
    async with running(board) as bot, machine.host(bot):
        described = await board.heard(HostDescribed)
    repos = {repo.name: repo for repo in described.repos}
    assert (repos["playback"].base, repos["playback"].share, repos["playback"].problem) == ("main", Share.FULL, "")
    assert (repos["playback"].channel, repos["playback"].scope) == ("sessions", ("src/**",))
    assert "does not exist" in repos["gone"].problem
    assert "not a git repository" in repos["plain"].problem
    agents = {agent.name: agent.problem for agent in described.agents}
    assert agents["demo"] == agents["scripted"] == ""
    assert "no-such-agent" in agents["ghost"]
    assert described.git.startswith("2.")


async def test_a_problem_that_is_put_right_is_seen_without_a_restart(machine: Machine, board: Board) -> None:
    bare = machine.folder / "young"
    bare.mkdir()
    git.run(bare, "init", "--quiet", "--initial-branch=main")
    agent = machine.folder / "late-agent"
    machine.configure("", f'[agents.late]\ncommand = "{agent}"\n[repos.young]\npath = "young"')
    async with running(board) as bot, machine.host(bot):
        first = await board.heard(HostDescribed)
        assert "has no commit yet" in next(repo for repo in first.repos if repo.name == "young").problem
        agent.write_text("#!/bin/sh\n")
        agent.chmod(0o755)
        git.run(
            *(bare, "-c", "user.name=Ana", "-c", "user.email=ana@example.com"),
            *("commit", "--quiet", "--allow-empty", "--message", "Start"),
        )
        now, count = first, 1
        while any(offer.problem for offer in (*now.repos, *now.agents)):
            count += 1
            now = await board.heard(HostDescribed, count)
    assert {repo.name: repo.base for repo in now.repos} == {"playback": "main", "young": "main"}


async def test_what_cannot_be_opened_is_refused_with_the_fix_and_leaves_nothing(machine: Machine, board: Board) -> None:
    machine.configure(
        "", '[repos.broken]\npath = "playback"\nsetup = ["echo made >made.txt", ["sh", "-c", "echo no wheel; exit 4"]]'
    )
    orders = [
        (spec(board, "nowhere", "x", session="s0000001a"), "no repo “nowhere”"),
        (spec(board, "playback", "x", session="s0000002a", agent="nobody"), "no agent “nobody”"),
        (spec(board, "playback", "x", session="s0000003a", base="dev"), "no branch “dev”"),
        (spec(board, "playback", "x", session="s0000004a", name="a..b"), "not a branch name"),
        (spec(board, "playback", "x", session="s0000005a", name="with space"), "not a branch name"),
        (spec(board, "broken", "x", session="s0000006a"), "no wheel"),
    ]
    async with running(board) as bot, machine.host(bot):
        for order, words in orders:
            await board.tell(HOST, StartSession(order))
            refused = await board.heard(SessionRefused, session=order.session)
            assert words in refused.problem
            assert refused.fix
    assert board.all(SessionPlaced) == []
    assert git.run(machine.repo, "branch", "--format=%(refname:short)").split() == ["main"]
    assert len(git.run(machine.repo, "worktree", "list").splitlines()) == 1
    assert list((machine.data / "sessions").iterdir()) == []


async def test_set_up_copies_and_ports_are_each_worktrees_own(machine: Machine, board: Board) -> None:
    (machine.repo / ".env").write_text("KEY=1")
    note = "echo $SWITCHBOARD_PORT_FIRST-$SWITCHBOARD_PORT_LAST-$SWITCHBOARD_TOKEN > ../../ports-$SWITCHBOARD_SESSION"
    machine.configure(f'copy = [".env"]\nports = 10\nsetup = [["sh", "-c", "{note}"]]\n')
    machine.script({"run": ["git", "add", "--all"]}, {"run": ["git", "status", "--short"], "name": "s"}, CHOICE)
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit"):
        for session in ("s0000001a", "s0000002a"):
            await board.tell(HOST, StartSession(spec(board, "playback", "x", session=session)))
        first = await board.heard(SessionPlaced, session=SessionId("s0000001a"))
        second = await board.heard(SessionPlaced, session=SessionId("s0000002a"))
        await board.heard(Asked, 2)
    assert {first.place.ports, second.place.ports} == {(20000, 20009), (20010, 20019)}
    assert {first.place.branch, second.place.branch} == {"switchboard/search", "switchboard/search-2"}
    for placed, session in ((first, "s0000001a"), (second, "s0000002a")):
        low, high = placed.place.ports or (0, 0)
        assert (machine.data / f"worktrees/ports-{session}").read_text() == f"{low}-{high}-\n"
        assert (Path(placed.place.worktree) / ".env").read_text() == "KEY=1"
        assert git.run(Path(placed.place.worktree), "diff", "--cached", "--name-only") == ""


async def test_a_wrong_token_ends_the_host_with_the_fix(machine: Machine, board: Board) -> None:
    board.tokens.clear()
    async with running(board) as bot, machine.host(bot) as process:
        async with asyncio.timeout(20):
            assert await process.wait() == 1
    said = (machine.data / "host.log").read_text()
    assert "switchboard enroll" in said.splitlines()[-1]
    assert "Traceback" not in said


async def test_a_host_that_is_let_in_no_more_pauses_its_runners_where_they_end_with_it(
    machine: Machine, board: Board
) -> None:
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit") as process:
        await started(board)
        await board.heard(Asked)
        pid = machine.runner()
        assert pid
        board.tokens = {token: peer for token, peer in board.tokens.items() if peer != HOST}
        await bot.server.drop(HOST, "revoked")
        async with asyncio.timeout(25):
            assert await process.wait() == 1
        assert machine.runner() is None


async def test_a_second_host_on_the_same_data_is_refused(machine: Machine, board: Board) -> None:
    async with running(board) as bot, machine.host(bot):
        await board.heard(HostDescribed)
        async with machine.host(bot) as second, asyncio.timeout(20):
            assert await second.wait() == 1
    assert "held by process" in (machine.data / "host.log").read_text()


async def test_a_host_ends_with_its_lifeline(machine: Machine, board: Board) -> None:
    async with running(board) as bot:
        read, write = os.pipe()
        env = {**os.environ, "SWITCHBOARD_TOKEN": HOST_TOKEN}
        with (machine.folder / "log").open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "runners.cli", "host", "--bot", bot.url, "--data-dir", str(machine.data),
                "--lifeline-fd", str(read), pass_fds=[read], env=env, stderr=out,
            )  # fmt: skip
        os.close(read)
        await board.heard(HostDescribed)
        os.close(write)
        async with asyncio.timeout(20):
            assert await process.wait() == 0


# --- kills and restarts ----------------------------------------------------------------------------------------------


async def test_a_killed_bot_loses_nothing_and_the_answer_arrives_once(machine: Machine, board: Board) -> None:
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit"):
        await started(board)
        await board.heard(Asked)
        pid = machine.runner()
        await bot.server.close()
        await board.connected(RUNNER, False)
        await answered(board)
        async with running(board) as again:
            # The bot comes back elsewhere: a living runner learns its new address from the host's folder.
            files.write_atomic(machine.data / "bot", again.url.encode())
            stopped = await changed(board, RunState.STOPPED)
        assert machine.runner() == pid
    assert stopped.last_words == "index=Tantivy"
    assert len(board.all(AnswerApplied)) == 1
    assert len(board.all(Asked)) == 1


async def test_a_killed_runner_is_restarted_and_its_question_stays_open(machine: Machine, board: Board) -> None:
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit"):
        await started(board)
        await board.heard(Asked)
        pid = machine.runner()
        assert pid
        os.kill(pid, signal.SIGKILL)
        await machine.runner_gone(pid)
        await answered(board)
        stopped = await changed(board, RunState.STOPPED)
        assert machine.runner() != pid
    assert "index=Tantivy" in stopped.last_words
    assert len(board.all(Asked)) == 1
    assert board.all(QuestionWithdrawn) == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_host_that_ends_leaves_its_runners_and_the_next_adopts_them(
    machine: Machine, board: Board, how: signal.Signals
) -> None:
    async with running(board) as bot:
        async with machine.host(bot) as process:
            await started(board)
            await board.heard(Asked)
            pid = machine.runner()
            process.send_signal(how)
            await process.wait()
        await answered(board)
        await changed(board, RunState.STOPPED)
        assert machine.runner() == pid
        async with machine.host(bot):
            await board.heard(HostDescribed, 2)
            assert machine.runner() == pid
            await board.tell(HOST, StopSession(S, ANA))
            assert (await board.heard(SessionEnded)).ending is Ending.STOPPED
        assert board.hellos[-1].role in ("host", "runner")


async def test_runners_are_paused_with_their_host_and_resumed_by_the_next(machine: Machine, board: Board) -> None:
    async with running(board) as bot:
        async with machine.host(bot, "--stop-runners-on-exit"):
            await started(board)
            await board.heard(Asked)
        assert machine.runner() is None
        await changed(board, RunState.PAUSED)
        await answered(board)
        async with machine.host(bot, "--stop-runners-on-exit"):
            stopped = await changed(board, RunState.STOPPED)
    assert "index=Tantivy" in stopped.last_words
    assert len(board.all(AnswerApplied)) == 1


async def test_a_host_killed_while_it_opens_a_session_opens_it_after_its_restart(
    machine: Machine, board: Board
) -> None:
    gate = machine.folder / "gate"
    machine.configure(f'setup = [["sh", "-c", "test -e {gate} || {{ touch {gate}; sleep 60; }}"]]')
    async with running(board) as bot:
        async with machine.host(bot) as process:
            await board.tell(HOST, StartSession(spec(board, "playback", "Add search")))
            async with asyncio.timeout(20):
                while not gate.exists():  # noqa: ASYNC110  (nor does a file)
                    await asyncio.sleep(0.02)
            process.kill()
            await process.wait()
        assert board.all(SessionPlaced) == []
        async with machine.host(bot, "--stop-runners-on-exit"):
            placed = await board.heard(SessionPlaced)
            await board.heard(Asked)
    assert placed.place.branch == "switchboard/search"
    assert len(git.run(machine.repo, "worktree", "list").splitlines()) == 2


async def test_a_runner_that_does_not_stay_up_is_left_alone_and_told(machine: Machine, board: Board) -> None:
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit"):
        await started(board)
        await board.heard(Asked)
        pid = machine.runner()
        assert pid
        os.kill(pid, signal.SIGKILL)
        await machine.runner_gone(pid)
        for left in (machine.data / "sessions" / S).glob("spool.db*"):
            left.write_bytes(b"not a database at all, whatever its name says" * 100)
        failed = await changed(board, RunState.FAILED)
        assert "runner.log" in failed.detail
        await board.tell(HOST, StopSession(S, ANA))
        ended = await board.heard(SessionEnded)
        assert (ended.ending, ended.branch) == (Ending.STOPPED, "switchboard/search")
        assert Path(ended.worktree).is_dir()
        # Its host is well.
        await board.tell(HOST, StartSession(spec(board, "playback", "x", session="s0000002a", name="other")))
        await board.heard(SessionPlaced, session=SessionId("s0000002a"))


async def test_a_session_that_the_host_does_not_know_is_ended(machine: Machine, board: Board) -> None:
    async with running(board) as bot, machine.host(bot):
        await board.tell(HOST, StopSession(S, ANA))
        assert "not known" in (await board.heard(SessionEnded)).last_words


async def test_three_sessions_work_at_once(machine: Machine, board: Board) -> None:
    sessions = [SessionId(f"s000000{n}a") for n in range(3)]
    async with running(board) as bot, machine.host(bot, "--stop-runners-on-exit"):
        for session in sessions:
            await board.tell(HOST, StartSession(spec(board, "playback", "x", session=session, name=session)))
        for session in sessions:
            question = (await board.heard(Asked, session=session)).question
            await board.tell(type(RUNNER)(session), DeliverAnswer(Answer(question.id, ANA, option="fts")))
        for session in sessions:
            assert (await board.heard(AnswerApplied, session=session)).applied
        await changed(board, RunState.STOPPED, 3)
        await board.tell(type(RUNNER)(sessions[0]), Prompt("hello", ANA))
        await changed(board, RunState.STOPPED, 4)


# --- what a host-only machine needs ----------------------------------------------------------------------------------


def test_runners_need_neither_slack_nor_a_scheduler() -> None:
    import subprocess

    code = (
        "import sys\n"
        "for name in ('slack_bolt', 'slack_sdk', 'apscheduler', 'sqlite_utils'): sys.modules[name] = None\n"
        "import runners.cli, runners.host.entry, runners.host.host, runners.runner.daemon, runners.agents.registry\n"
        "foreign = [n for n in sys.modules if n.startswith('bot.') and not n.startswith('bot.wire')]\n"
        "assert not foreign, foreign\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_is_worth_reading() -> None:
    from click.testing import CliRunner

    from runners.cli import main

    found = CliRunner().invoke(main, ["host", "--help"])
    assert found.exit_code == 0
    for word in ("--bot", "--token-file", "--repo", "--share", "worktree", "Example"):
        assert word in found.output
    assert "runner" not in CliRunner().invoke(main, ["--help"]).output.split("Commands:")[1]
