"""Bad input on the way in: what a person reads when a repository, branch, agent or person will not do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.acceptance.people import has_button, words
from tests.acceptance.rough import AS, DEMO, Rough, rough
from tests.acceptance.story import git

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

ASKS = {"step": [{"ask": "text", "name": "a", "title": "What about {{task}}?"}, {"say": "got {{a}}"}]}
SCRIPTS = {
    "asks": ASKS,
    "keeper": {"step": [{"edit": "task.txt", "text": "{{brief}}"}, {"commit": "Keep the task"}, {"say": "Kept."}]},
    "crash": {"at_start": "crash"},
    "garbage": {"at_start": "garbage"},
    "huge": {"at_start": "huge"},
    "silent": {"at_start": "hang"},
    "dies": {"step": [{"crash": 7}]},
}
COMMANDS = {
    "missing": ["/no/such/agent", "--acp"],
    "late": ["{root}/late-agent"],
    "quits": ["true"],
    "repaired": ["sh", "{root}/repaired.sh"],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rough]:
    async with rough(tmp_path_factory.mktemp("rough"), SCRIPTS, COMMANDS) as found:
        yield found


@pytest.mark.parametrize(
    ("command", "thing", "fix"),
    [
        ("start repo=nope Do it", "no repository nope", "playback"),
        ("start repo=<!channel> Do it", "no repository &lt;!channel&gt;", "playback"),
        ("start repo=playback agent=nope Do it", "no agent nope", "asks"),
        ("start repo=playback agent=missing Do it", "“/no/such/agent” was not found", "Install it"),
        ("start repo=playback base=a..b Do it", "a..b is no branch name", "Name a branch that exists"),
        ('start repo=playback base="a b" Do it', "a b is no branch name", "Name a branch that exists"),
        ("start repo=playback base=-x Do it", "it begins with “-”", "Name a branch that exists"),
        ("start repo=playback reviewer=@nobody Do it", "who @nobody is", "pick the person"),
        ("start repo=playback name=🚀 Do it", "🚀 has no letter", "leave the name out"),
        ("start repo=playback name=שלום Do it", "שלום has no letter", "leave the name out"),
        ("start repo=playback " + "x" * 100_001, "100,001 bytes", "into a file in the repo"),
        ("tell nope Go on", "no session nope", "Yours are"),
        ("stop nope", "no session nope", "Yours are"),
        ("status <@U12345678>", "no session &lt;@U12345678&gt;", "Yours are"),
    ],
    ids=lambda part: part[:40],
)
async def test_what_is_unknown_is_named_with_what_there_is(scene: Rough, command: str, thing: str, fix: str) -> None:
    if "Yours are" in fix and not any("*known*" in words(m) for m in scene.ana.messages.values()):
        await scene.begins("known", "agent=asks")
    answer = await scene.told(command)
    assert thing in answer
    assert fix in answer


@pytest.mark.parametrize(
    ("options", "thing", "fix"),
    [
        ("base=nope", "Repo playback has no branch “nope”", "Its newest branches: main"),
        ("paths=../../etc", "Allowed paths cannot be used: ../../etc", "from the top of the repository"),
    ],
)
async def test_what_only_the_host_can_see_is_told_in_the_thread(
    scene: Rough, options: str, thing: str, fix: str
) -> None:
    name = options.partition("=")[0]
    story = await scene.begins(f"bad-{name}", options)
    said = await scene.failure(story.name)
    assert thing in said
    assert fix in said
    assert not has_button(await story.card("failed", thing), "Stop")


async def test_a_pasted_name_means_what_it_looks_like(scene: Rough) -> None:
    answer = await scene.told("start repo=play\u200bback agent=as\u2060ks base=\ufeffmain name=a\u200bb Zero width")
    assert "Starting ab " in answer
    await scene.question(await scene.thread_of("ab"))


# --- repositories ---------------------------------------------------------------------------------------------------


async def test_a_repository_without_a_commit_is_refused_until_it_has_one(scene: Rough) -> None:
    young = scene.root / "young"
    answer = await scene.told("start repo=young agent=asks name=young Begin")
    assert "Repo young has no commit yet" in answer
    assert f"git -C {young} commit --allow-empty" in answer
    git(young, *AS, "commit", "--quiet", "--allow-empty", "--message", "Start")
    async with asyncio.timeout(20):
        while "Starting young " not in answer:
            answer = await scene.told("start repo=young agent=asks name=young Begin")
    await scene.question(await scene.thread_of("young"))


async def test_submodules_that_cannot_be_fetched_are_told_on_the_card(scene: Rough) -> None:
    await scene.told("start repo=modular agent=asks name=modular Look")
    story = await scene.thread_of("modular")
    await story.card("submodules are missing", "A set-up command in switchboard.toml can fetch them")
    await scene.question(story)


async def test_a_bare_repository_will_do(scene: Rough) -> None:
    await scene.told("start repo=bare agent=keeper name=bare Keep this")
    story = await scene.thread_of("bare")
    review = await story.review()
    await scene.ana.clicks(review, "Merge")
    await story.merged(review)
    assert "Keep this" in git(scene.root / "bare", "show", "main:task.txt")


async def test_a_dirty_checkout_is_left_alone_and_its_owner_is_told(scene: Rough) -> None:
    await scene.told("start repo=dirty agent=asks name=dirty Look")
    story = await scene.thread_of("dirty")
    await story.card(f"1 uncommitted change in {scene.root / 'dirty'} stayed there", "Commit to take them along")
    await scene.question(story)
    assert git(scene.root / "dirty", "status", "--short").split() == ["M", "README.md", "??", "mine.txt"]


async def test_names_in_any_script_work_from_start_to_review(scene: Rough) -> None:
    added = await scene.running.workspace.post("/person/people", name="Дана 🚀 דנה\u200b", channels=["sessions"])
    dana = added["person"]["id"]
    repo = "größe 🚀 שלום"
    command = f'start repo="{repo}" base=grün-🌿 agent=keeper reviewer=<@{dana}> name=names Größe 🌿 שלום'
    answer = ""
    async with asyncio.timeout(20):
        while f"Starting names on {repo}" not in answer:
            answer = await scene.told(command)
            assert "Starting names" in answer or "try again in a moment" in answer  # she has only just joined
    story = await scene.thread_of("names")
    card = await story.card("reviewer Дана 🚀 דנה", "Größe 🌿 שלום", repo)
    assert "\u200b" not in words(card)
    scene.running.workspace.people["dana"] = dana
    async with scene.running.workspace.person("dana") as reviewer:
        review = await reviewer.sees(
            lambda m: has_button(m, "Merge") and "*names*" in words(m) and not m.get("thread_ts"), "her review"
        )
        await reviewer.clicks(review, "Merge")
        await story.card("merged", "names")
    assert git(scene.root / repo, "log", "-1", "--format=%an|%cn", "grün-🌿") == "Дана 🚀 דנה|Switchboard"
    assert "Größe 🌿 שלום" in git(scene.root / repo, "show", "grün-🌿:task.txt")


async def test_a_task_of_100_kb_reaches_the_agent_whole(scene: Rough) -> None:
    task = ("Ein langer Auftrag. " * 5000)[:99_999] + "!"
    story = await scene.begins("big", "agent=keeper", task)
    await story.review()
    assert git(scene.running.repo, "show", "switchboard/big:task.txt") == task


# --- agents ---------------------------------------------------------------------------------------------------------

FAILURES = {
    "crash": ("Agent crash ended with exit status 3", "Its last words: the demo agent crashes at its start"),
    "garbage": ("“Welcome! This is no JSON-RPC.”", "an argument such as --acp"),
    "huge": ("a line of more than 32 MB", "an argument such as --acp"),
    "silent": ("did not answer within 2.5 s", "start_timeout under [agents.silent]"),
    "dies": ("Agent dies ended with exit status 7", "Its last words"),
    "quits": ("ended with exit status 0 without a word", "Run “true” by hand"),
}


async def test_an_agent_that_fails_is_named_in_its_thread_with_the_next_step(scene: Rough) -> None:
    stories = {agent: await scene.begins(f"f-{agent}", f"agent={agent}") for agent in FAILURES}
    for agent, (thing, fix) in FAILURES.items():
        said = await scene.failure(f"f-{agent}")
        assert thing in said
        assert fix in said
        assert "a reply here starts its agent again" in said
        assert has_button(await stories[agent].card("failed", thing), "Drop")


async def test_a_reply_brings_a_repaired_agent_back_with_its_task(scene: Rough) -> None:
    command = scene.root / "repaired.sh"
    command.write_text("echo no licence >&2; exit 9\n")
    story = await scene.begins("repaired", "agent=repaired", "Mind the gap")
    assert "Its last words: no licence" in await scene.failure("repaired")
    script = scene.root / "asks.json"
    command.write_text(f"SWITCHBOARD_DEMO_SCRIPT={script} exec {' '.join(DEMO)}\n")
    await scene.ana.says("Try again", thread=story.thread)
    assert "What about Mind the gap?" in words(await scene.question(story))


async def test_an_agent_that_is_installed_later_needs_no_restart(scene: Rough) -> None:
    agent = scene.root / "late-agent"
    answer = await scene.told("start repo=playback agent=late name=late Begin")
    assert f"“{agent}” was not found on this machine" in answer
    agent.write_text(f"#!/bin/sh\nSWITCHBOARD_DEMO_SCRIPT={scene.root / 'asks.json'} exec {' '.join(DEMO)}\n")
    agent.chmod(0o755)
    async with asyncio.timeout(20):
        while "Starting late " not in answer:
            answer = await scene.told("start repo=playback agent=late name=late Begin")
    await scene.question(await scene.thread_of("late"))
