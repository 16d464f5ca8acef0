"""What comes by itself: digests over all sessions, one progress message a thread; nothing twice, nothing lost."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.parts import Parts, parts
from tests.acceptance.people import Message, Person, buttons, has_button, labels, words
from tests.acceptance.story import SENTENCE, Story

pytestmark = pytest.mark.timeout(180)


async def digest(ana: Person, *parts: str) -> Message:
    """A digest that says all of ``parts``, in the app's messages."""
    return await ana.sees(
        lambda m: m["text"].startswith("☀️") and all(part in words(m) for part in parts), f"a digest with {parts}"
    )


def answers_under(message: Message, name: str) -> list[dict[str, object]]:
    """The buttons beneath the line of this session."""
    at = next(n for n, block in enumerate(message["blocks"]) if name in words({"blocks": [block]}))
    return buttons(message["blocks"][at : at + 2])


async def told(ana: Person) -> Counter[str]:
    """The kinds of what called Ana's attention."""
    kinds: Counter[str] = Counter()
    for each in await ana.notifications():
        what = "digest" if each["text"].startswith("☀️") else "progress" if "· progress" in each["text"] else "card"
        kinds[f"{each['kind']} {what}"] += 1
    return kinds


async def test_one_digest_over_all_sessions_is_answered_where_it_stands(tmp_path: Path) -> None:
    async with parts(tmp_path, SWITCHBOARD_DIGEST="every 3s") as running, running.workspace.person("ana") as ana:
        stories = [await Story.begin(ana, name) for name in ("one", "two")]
        choices = [await story.choice() for story in stories]
        page = await digest(ana, "2 need you", "|one>*", "|two>*")
        assert labels(page).count("Close matches · recommended") == 2
        (close, *_) = answers_under(page, "|two>*")
        channel, ts = ana.where(page)
        await ana.acts(channel, ts, close)
        assert "Close matches" in words(await stories[1].chosen(choices[1]))
        settled = await ana.sees(lambda m: m["ts"] == ts and "→ Close matches · Ana" in words(m), "the settled line")
        assert len(answers_under(settled, "|one>*")) >= 3
        assert has_button(ana.messages[ana.where(choices[0])], "Later")


async def kill_and_start(running: Parts) -> None:
    await running.end("bot", signal.SIGKILL)
    await running.start_bot()


async def test_a_bot_killed_around_its_digests_tells_each_decision_once(tmp_path: Path) -> None:
    titles = ("Which typo tolerance?", "How should the README put it?", "Run python3 -m unittest -q?", "ready at")
    async with parts(tmp_path, SWITCHBOARD_DIGEST="every 2s") as running, running.workspace.person("ana") as ana:
        story = await Story.begin(ana)
        choice = await story.choice()
        await kill_and_start(running)
        await digest(ana, titles[0])
        await kill_and_start(running)
        await story.choose(choice)
        await story.question()
        await kill_and_start(running)
        await digest(ana, titles[1])
        await kill_and_start(running)
        await story.write()
        permission = await story.permission()
        await digest(ana, titles[2])
        await kill_and_start(running)
        await ana.clicks(permission, "Allow")
        review = await story.review()
        await kill_and_start(running)
        await digest(ana, titles[3])
        await kill_and_start(running)
        await ana.clicks(review, "Merge")
        await story.merged(review)
        posted = [each["text"] for each in await ana.notifications() if each["text"].startswith("☀️")]
    assert {title: sum(title in text for text in posted) for title in titles} == dict.fromkeys(titles, 1)


PACED = """
[[step]]
plan = ["First", "Second", "Third"]
active = 1
[[step]]
ask = "choice"
title = "Begin?"
options = [{ id = "yes", label = "Yes" }]
[[step]]
edit = "a.txt"
text = "a"
[[step]]
commit = "First commit"
[[step]]
wait = "{go}/two"
[[step]]
edit = "b.txt"
text = "b"
[[step]]
commit = "Second commit"
[[step]]
wait = "{go}/three"
[[step]]
edit = "c.txt"
text = "c"
[[step]]
commit = "Third commit"
[[step]]
wait = "{go}/never"
"""


async def test_progress_edits_one_message_until_somebody_writes_below_it(tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.mkdir()
    script = tmp_path / "paced.toml"
    script.write_text(PACED.replace("{go}", str(go)))
    more = "[host]\nreport_every = 0.2\n"
    async with (
        parts(tmp_path, more=more, SWITCHBOARD_PROGRESS_EVERY="1s") as running,
        running.workspace.person("ana") as ana,
        running.workspace.person("ben") as ben,
    ):
        story = await Story.begin(ana, "paced", f"script: {script}")

        async def progress(commits: str) -> Message:
            return await ana.sees(
                lambda m: story.here(m) and "· progress" in m["text"] and commits in words(m),
                f"progress with {commits}",
            )

        begin = await ana.sees(lambda m: story.here(m) and has_button(m, "Yes"), "the choice")
        await ana.clicks(begin, "Yes")
        first = await progress("1 commit")
        (go / "two").touch()
        assert (await progress("2 commits"))["ts"] == first["ts"]
        assert first["ts"] < begin["ts"]
        assert await told(ana) == {"mention card": 1}
        below = await ben.says("Looks good so far.", thread=story.thread)
        (go / "three").touch()
        assert (await progress("3 commits"))["ts"] > below
        shown = [m for m in ana.messages.values() if story.here(m) and "· progress" in m["text"]]
        assert len(shown) == 2


async def test_only_decisions_and_digests_call_a_person(tmp_path: Path) -> None:
    async with (
        parts(tmp_path, SWITCHBOARD_DIGEST="every 3s", SWITCHBOARD_PROGRESS_EVERY="1s") as running,
        running.workspace.person("ana") as ana,
        running.workspace.person("ben") as ben,
    ):
        story = await Story.begin(ana)
        choice = await story.choice()
        await digest(ana, "Which typo tolerance?")
        await story.choose(choice)
        question = await story.question()
        await ana.clicks(question, "Answer")
        await ana.submits(text=SENTENCE)
        await ana.clicks(await story.permission(), "Allow")
        review = await story.review()
        await digest(ana, "ready at")
        calls = await told(ana)
        assert calls.pop("mention card") == 4
        assert calls.pop("dm digest") >= 2
        assert calls.pop("thread_reply card") == 1, "the diff beneath the review"
        assert calls == {}
        assert await ben.notifications() == []
        await ana.clicks(review, "Merge")
        await story.merged(review)
