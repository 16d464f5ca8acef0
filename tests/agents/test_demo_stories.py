"""The built-in stories, end to end: real edits, commits and commands, and every answer visible in them."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from bot.wire.types import ALLOW, DENY, QuestionKind
from runners.agents.base import Answered, Chosen, Inquiry, PlanChanged, Text
from runners.agents.demo.brief import read_words
from runners.runner import outcome
from tests.agents.conftest import Stage
from tests.agents.repos import Worktree, git
from tests.contract.desk import RecordingDesk

TASK = "Add typo tolerance to search"


def prompt(task: str, allowed: str = "") -> str:
    scope = f"Allowed paths: {allowed}\n" if allowed else ""
    return f"You work in a git worktree of your own.\n{scope}\nTask:\n{task}"


def answering(choice: Answered, text: str = "For people in a hurry.", allow: str = ALLOW) -> RecordingDesk:
    answers = {QuestionKind.CHOICE: choice, QuestionKind.TEXT: Text(text), QuestionKind.PERMISSION: Chosen(allow)}

    def answer(inquiry: Inquiry) -> Answered:
        return answers[inquiry.kind]

    return RecordingDesk([answer] * 3)


def suite_passes(worktree: Worktree) -> bool:
    return subprocess.run([sys.executable, "-m", "unittest", "-q"], cwd=worktree.path, check=False).returncode == 0


@pytest.mark.parametrize(
    ("answer", "in_code", "told"),
    [
        (Chosen("close"), "get_close_matches(", "Close matches"),
        (Chosen("slip"), "def _one_slip(", "One slip"),
        (Text("whatever Ben likes"), "get_close_matches(", "whatever Ben likes"),
    ],
)
async def test_the_sample_gets_working_typo_tolerance(stage: Stage, answer: Answered, in_code: str, told: str) -> None:
    worktree, desk = stage.worktree(sample=True), answering(answer, "Search forgives a typo.")
    agent = stage.demo(worktree, desk)
    await agent.start()
    ended = await agent.prompt(prompt(TASK))
    assert [asked.kind.value for asked in desk.asked] == ["choice", "text", "permission"]
    assert in_code in worktree.read("src/playback/search.py")
    assert "Search forgives a typo." in worktree.read("README.md")
    assert f"Chosen: {told}." in worktree.bodies()
    assert "test_a_typo_is_forgiven" in worktree.read("tests/test_search.py")
    assert suite_passes(worktree)
    assert worktree.subjects() == ["Let search forgive a typo", "Describe typo tolerance in the README"]
    assert worktree.authors() == {"Demo agent"}
    assert worktree.dirty() == ""
    assert "`python3 -m unittest -q` passed" in ended.last_words
    assert all(step.state == "done" for step in desk.of(PlanChanged)[-1].steps)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Chosen("small"), "One file changes"),
        (Chosen("full"), "- [ ] its tests"),
        (Chosen("plan"), "1. Write the test that fails"),
        (Text("only the first half"), "Decided: **only the first half**"),
    ],
)
async def test_any_task_on_any_repository(stage: Stage, answer: Answered, words: str) -> None:
    worktree, desk = stage.worktree(), answering(answer)
    agent = stage.demo(worktree, desk)
    await agent.start()
    ended = await agent.prompt(prompt("Rename the settings file\n\nIt confuses people."))
    notes = worktree.read("docs/rename-the-settings-file.md")
    assert words in notes
    assert "> For people in a hurry." in notes
    assert "It confuses people." in notes
    assert worktree.subjects() == ["Start on: Rename the settings file", "Say who it is for"]
    assert "`git diff --check" in ended.last_words
    assert "passed" in ended.last_words
    assert worktree.dirty() == ""


@pytest.mark.parametrize(
    ("allowed", "path"),
    [
        ("notes/**", "notes/add-typo-tolerance-to-search.md"),
        ("docs/", "docs/add-typo-tolerance-to-search.md"),
        ("README.md", "README.md"),
    ],
)
async def test_only_allowed_paths_are_touched(stage: Stage, allowed: str, path: str) -> None:
    worktree = stage.worktree(sample=True)
    agent = stage.demo(worktree, answering(Chosen("small")))
    await agent.start()
    await agent.prompt(prompt(TASK, allowed))
    assert git(worktree.path, "diff", "--name-only", "main..HEAD") == path


async def test_a_denied_command_is_not_run_and_said(stage: Stage) -> None:
    worktree = stage.worktree(sample=True)
    agent = stage.demo(worktree, answering(Chosen("close"), allow=DENY))
    await agent.start()
    ended = await agent.prompt(prompt(TASK))
    assert "`python3 -m unittest -q` was not allowed, so I left it out." in ended.last_words


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("You asked: “Run make?” The answer was no. Not before Friday.", "Not before Friday."),
        ("You asked: “Run “a”?” The answer was no. Not yet.\n\nAnd tidy up.", "Not yet. And tidy up."),
        ("Was the answer no?", "Was the answer no?"),
    ],
)
def test_words_to_a_denial_are_taken_up_without_what_is_said_around_them(prompt: str, words: str) -> None:
    assert read_words(prompt) == words


async def test_what_is_sent_back_is_taken_up_in_a_commit_of_its_own(stage: Stage) -> None:
    worktree = stage.worktree()
    agent = stage.demo(worktree, answering(Chosen("small")))
    await agent.start()
    await agent.prompt(prompt("Tidy up"))
    (worktree.path / "README.md").write_text("# changed by hand\n")
    (worktree.path / ".env").write_text("SECRET=1\n")
    ended = await agent.prompt(outcome.sent_back_words("Name the limits.\n\nAll of them."))
    assert worktree.subjects()[-1] == "Take up: Name the limits. All of them."
    assert "> Name the limits. All of them." in worktree.read("docs/tidy-up.md")
    assert "looked at" not in worktree.read("docs/tidy-up.md") + worktree.bodies() + ended.last_words
    assert "committed" in ended.last_words
    assert worktree.dirty() == "?? .env"


async def test_what_is_sent_back_on_the_sample_adds_no_file(stage: Stage) -> None:
    worktree = stage.worktree(sample=True)
    agent = stage.demo(worktree, answering(Chosen("close")))
    await agent.start()
    await agent.prompt(prompt(TASK))
    before = git(worktree.path, "ls-files")
    await agent.prompt(outcome.sent_back_words("Name the limits."))
    assert git(worktree.path, "ls-files") == before
    assert worktree.subjects()[-1] == "Take up: Name the limits."
    assert git(worktree.path, "show", "--format=", "--name-only", "HEAD") == "README.md"
    assert "Name the limits." in worktree.read("README.md")
    assert suite_passes(worktree)


@pytest.mark.parametrize(
    "task", ["🎧 إضافة بحث\u200b\u202e", "x" * 100_000, "../../etc/passwd", "", "`$(reboot)` {{task}}"]
)
async def test_odd_tasks_are_played_too(stage: Stage, task: str) -> None:
    worktree = stage.worktree()
    agent = stage.demo(worktree, answering(Chosen("small")))
    await agent.start()
    assert (await agent.prompt(prompt(task))).reason == "done"
    assert len(worktree.subjects()) == 2
    assert worktree.dirty() == ""


async def test_an_answer_that_comes_after_a_restart_is_used(stage: Stage) -> None:
    worktree, desk = stage.worktree(sample=True), RecordingDesk()
    agent = stage.demo(worktree, desk)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt(prompt(TASK)))
    question = await desk.question()
    await agent.close()
    await asyncio.wait({turn})
    assert turn.exception() is not None
    assert question.withdrawn

    later = RecordingDesk([Text("One slip is enough."), Chosen(ALLOW)])
    again = stage.demo(worktree, later)
    assert (await again.start(resume=session)).resumed
    ended = await again.prompt('You asked: "Which typo tolerance?". Ana answered: One slip')
    assert "Thank you: One slip." in later.words
    assert [asked.kind.value for asked in later.asked] == ["text", "permission"]
    assert "def _one_slip(" in worktree.read("src/playback/search.py")
    assert "One slip is enough." in ended.last_words
    assert suite_passes(worktree)


async def test_without_an_answer_it_asks_again_after_a_restart(stage: Stage) -> None:
    worktree, desk = stage.worktree(), RecordingDesk([Chosen("small"), Text("Me.")])
    agent = stage.demo(worktree, desk)
    session = (await agent.start()).session
    turn = asyncio.create_task(agent.prompt(prompt("Tidy up")))
    await desk.question()
    await agent.close()
    await asyncio.wait({turn})
    assert turn.exception() is not None

    later = RecordingDesk([Chosen(ALLOW)])
    again = stage.demo(worktree, later)
    await again.start(resume=session)
    ended = await again.prompt("The session was restarted. Go on with the task.")
    assert [asked.kind for asked in later.asked] == [QuestionKind.PERMISSION]
    assert "(“Me.”)" in ended.last_words
    assert len(worktree.subjects()) == 2


async def test_a_task_can_name_a_script_in_the_worktree(stage: Stage) -> None:
    script = '[[step]]\nsay = "from {{who}}"\n[values]\nwho = "the script"\n'
    worktree, desk = stage.worktree({"demo.toml": script}), RecordingDesk()
    agent = stage.demo(worktree, desk)
    await agent.start()
    ended = await agent.prompt(prompt("Play this\nscript: demo.toml"))
    assert ended.last_words == "from the script"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("[[step]]\nsing = 'la'\n", "step 1 needs exactly one of say,"),
        ("[[step]]\nask = 'riddle'\n", "ask is one of choice, text, permission, plan; not “riddle”"),
        ("[[step]]\nsay = 'a'\nloud = true\n", "step 1: “say” does not know “loud”"),
        ("step = 3\n", "“step” is a list"),
        ("[[step]\n", "is not TOML"),
        ("[[step]]\nedit = '../out.txt'\n", "../out.txt lies outside the worktree"),
    ],
)
async def test_a_faulty_script_is_explained(stage: Stage, script: str, words: str) -> None:
    worktree, desk = stage.worktree({"demo.toml": script}), RecordingDesk()
    agent = stage.demo(worktree, desk)
    await agent.start()
    ended = await agent.prompt(prompt("script: demo.toml"))
    assert words in ended.last_words
