"""Real coding agents through the generic ACP adapter; only the model behind them is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.wire.types import ALLOW, DENY, QuestionKind, StepState
from runners.agents.base import Agent, Chosen, PlanChanged, Text, ToolEnded, ToolStarted, UsageChanged
from runners.agents.registry import open_agent
from tests.agents.install import TOOLS, NotInstalled, installed
from tests.agents.model_server import Calls, ModelServer, Reply, Says, model_server
from tests.agents.real import RealAgent, codex, opencode
from tests.agents.repos import Worktree, make_worktree
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(120)]

COMMIT = "git add NOTES.md && git -c user.name=Agent -c user.email=agent@example.invalid commit -q -m 'Add notes'"
COMMIT_CALL = Calls("bash", {"command": COMMIT, "description": "Commit the notes"})


@pytest.fixture(autouse=True)
def real_agents_are_installed() -> None:
    try:
        for tool in TOOLS:
            installed(tool)
    except NotInstalled as problem:
        pytest.fail(str(problem), pytrace=False)


@pytest.fixture
def worktree(tmp_path: Path) -> Worktree:
    return make_worktree(tmp_path)


def write_notes(worktree: Worktree) -> Calls:
    return Calls("write", {"filePath": str(worktree.path / "NOTES.md"), "content": "# Notes\n"}, "I write the notes.")


@asynccontextmanager
async def running(
    worktree: Worktree,
    desk: RecordingDesk,
    replies: Sequence[Reply],
    resume: str = "",
    real: Callable[[ModelServer, Path], RealAgent] = opencode,
) -> AsyncIterator[tuple[Agent, ModelServer, str]]:
    folder = worktree.path.parent
    async with model_server(replies) as model:
        about = real(model, folder / "home")
        agent = open_agent(about.launch(worktree.path, folder / "agent.log"), desk)
        try:
            info = await agent.start(resume)
            assert (info.title.lower(), info.version) == (about.name, about.version)
            assert info.resumed == bool(resume)
            yield agent, model, info.session
        finally:
            await agent.close()


async def test_it_edits_asks_and_commits(worktree: Worktree) -> None:
    desk = RecordingDesk([Chosen(ALLOW)])
    todo = {"content": "Write the notes", "status": "in_progress", "priority": "high"}
    replies = [
        Calls("todowrite", {"todos": [todo]}),
        write_notes(worktree),
        COMMIT_CALL,
        Says("Done: the notes are in."),
    ]
    async with running(worktree, desk, replies) as (agent, model, _):
        ended = await agent.prompt("Write notes and commit them.")
        assert "Write notes and commit them." in model.prompts()[0]
    assert ended.reason == "done"
    assert ended.last_words == "Done: the notes are in."
    (asked,) = desk.asked
    assert asked.kind is QuestionKind.PERMISSION
    assert asked.detail == COMMIT
    assert worktree.subjects() == ["Add notes"]
    assert worktree.read("NOTES.md") == "# Notes\n"
    assert worktree.dirty() == ""
    (step,) = desk.of(PlanChanged)[0].steps
    assert (step.title, step.state) == ("Write the notes", StepState.ACTIVE)
    assert any(tool.kind == "edit" and tool.paths == ("NOTES.md",) for tool in desk.of(ToolStarted))
    assert all(tool.ok for tool in desk.of(ToolEnded))
    assert desk.of(UsageChanged)


async def test_a_denial_reaches_the_model_with_its_reason(worktree: Worktree) -> None:
    desk = RecordingDesk([Chosen(DENY, "Leave the commit to me.")])
    replies = [write_notes(worktree), COMMIT_CALL, Says("Understood."), Says("Understood.")]
    async with running(worktree, desk, replies) as (agent, model, _):
        ended = await agent.prompt("Write notes and commit them.")
        assert "The answer was no. Leave the commit to me." in model.prompts()[-1]
    assert ended.last_words == "Understood."
    assert worktree.subjects() == []


async def test_a_stopped_turn_does_not_run_the_command_it_asked_for(worktree: Worktree) -> None:
    desk = RecordingDesk()
    async with running(worktree, desk, [write_notes(worktree), COMMIT_CALL, Says("Done.")]) as (agent, _, _session):
        turn = asyncio.create_task(agent.prompt("Write notes and commit them."))
        question = await desk.question()
        await agent.cancel()
        assert (await turn).reason == "cancelled"
        assert question.withdrawn
    assert worktree.subjects() == []


async def test_a_session_goes_on_after_its_process_was_ended(worktree: Worktree) -> None:
    replies = [Says("It is about notes."), write_notes(worktree), COMMIT_CALL, Says("Committed.")]
    async with running(worktree, RecordingDesk(), replies) as (agent, _, session):
        await agent.prompt("What is this about?")
    desk = RecordingDesk([Chosen(ALLOW)])
    async with running(worktree, desk, replies, resume=session) as (agent, model, again):
        assert again == session
        assert desk.updates == []
        ended = await agent.prompt("Go on.")
        assert "What is this about?" in model.prompts()[0]
    assert ended.last_words == "Committed."
    assert "It is about notes." not in desk.words
    assert worktree.subjects() == ["Add notes"]


# --- Codex, which also asks questions of its own ---------------------------------------------------------------------

OPTIONS = [{"label": "FTS (Recommended)", "description": "shipped"}, {"label": "Tantivy", "description": "typos"}]
ASK = {"id": "index", "header": "Index", "question": "Which index?", "options": OPTIONS}
QUESTION = Calls("request_user_input", {"questions": [ASK]})
COMMAND = f"echo '# Notes' > NOTES.md && {COMMIT}"
RUN = Calls("exec_command", {"cmd": COMMAND, "sandbox_permissions": "require_escalated", "justification": "Commit?"})


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Chosen("Tantivy"), '"Tantivy"'),
        (Text("fts"), '"FTS (Recommended)"'),
        (Text("just grep"), "user_note: just grep"),
    ],
)
async def test_codex_asks_a_question_then_a_permission(worktree: Worktree, answer: Chosen | Text, told: str) -> None:
    desk = RecordingDesk([answer, Chosen(ALLOW)])
    async with running(worktree, desk, [QUESTION, RUN, Says("Done.")], real=codex) as (agent, model, _):
        ended = await agent.prompt("Write notes and commit them.")
        assert told in model.tool_results()[0]
    question, permission = desk.asked
    assert (question.kind, question.title) == (QuestionKind.CHOICE, "Which index?")
    assert [(o.label, o.recommended) for o in question.options] == [("FTS", True), ("Tantivy", False)]
    assert (permission.kind, permission.detail) == (QuestionKind.PERMISSION, COMMAND)
    assert ended.last_words.endswith("Done.")
    assert worktree.subjects() == ["Add notes"]
    assert worktree.dirty() == ""


async def test_codex_is_told_why_it_was_denied(worktree: Worktree) -> None:
    desk = RecordingDesk([Chosen(DENY, "Leave the commit to me.")])
    async with running(worktree, desk, [RUN, Says("Understood."), Says("Understood.")], real=codex) as (
        agent,
        model,
        _,
    ):
        await agent.prompt("Write notes and commit them.")
        assert "The answer was no. Leave the commit to me." in model.prompts()[-1]
    assert worktree.subjects() == []


async def test_codex_goes_on_after_its_process_was_ended(worktree: Worktree) -> None:
    replies = [Says("It is about notes."), RUN, Says("Committed.")]
    async with running(worktree, RecordingDesk(), replies, real=codex) as (agent, _, session):
        await agent.prompt("What is this about?")
    desk = RecordingDesk([Chosen(ALLOW)])
    async with running(worktree, desk, replies, resume=session, real=codex) as (agent, model, _):
        assert desk.updates == []
        await agent.prompt("Go on.")
        assert "What is this about?" in model.prompts()
    assert worktree.subjects() == ["Add notes"]
