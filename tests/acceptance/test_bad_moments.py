"""Bad input while a session runs: odd questions, hostile words, late and doubled answers, things deleted under us."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from bot.wire import codec
from bot.wire.messages import Error, Hello
from tests.acceptance.people import Message, Person, has_button, labels, words
from tests.acceptance.rough import Rough, plain, rough, run_host
from tests.acceptance.story import Story, git

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]

HOSTILE = (
    "<!channel> <@U12345678> &lt;b&gt; & ```fence``` \x1b[31mred\x1b[0m NUL\x00 \u202eturned *bold* <https://x.y|click>"
)
SAFE = "&lt;!channel&gt; &lt;@U12345678&gt; &amp;lt;b&amp;gt; &amp; "
LONG = "long " * 599 + "label"


def choice(*options: str, title: str = "Which one?", context: str = "Pick one.") -> dict[str, object]:
    offered = [{"id": f"o{n}", "label": label, "description": context[:40]} for n, label in enumerate(options)]
    return {"ask": "choice", "name": "a", "title": title, "context": context, "options": offered}


def asking(*steps: dict[str, object]) -> dict[str, object]:
    told = [{"edit": "got.txt", "text": "{{a}}\n"}, {"commit": "Take it"}, {"say": "got {{a}}"}]
    return {"step": [*steps, *told], "follow": [{"say": "heard {{prompt}}"}, {"end": "limit"}]}


TEXT = {"ask": "text", "name": "a", "title": "What is it called?"}
SCRIPTS = {
    "zero": asking(choice()),
    "one": asking(choice("Only")),
    "thirty": asking(choice(*(f"Option {n}" for n in range(30)))),
    "long": asking(choice(LONG, "Short")),
    "two": asking(choice("Left", "Right")),
    "text": asking(TEXT),
    "twice": asking(choice("Left", "Right"), {**TEXT, "name": "b", "title": "And then?"}),
    "hostile": asking(
        {"say": HOSTILE},
        {"plan": [HOSTILE], "active": 1},
        choice(HOSTILE, "Short", title=HOSTILE, context=HOSTILE),
        {"ask": "permission", "name": "p", "title": HOSTILE, "context": HOSTILE, "command": f"echo {HOSTILE}"},
        {"edit": "a\u202e`<!channel>.txt", "text": HOSTILE},
        {"commit": HOSTILE.replace("\x00", "")},
        {"say": HOSTILE},
    ),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rough]:
    async with rough(tmp_path_factory.mktemp("rough"), SCRIPTS) as found:
        yield found


async def pick(person: Person, message: Message, label: str) -> None:
    """Choose from the menu that many options become."""
    channel, ts = person.where(message)
    menu, block = next(
        (element, block["block_id"])
        for block in message["blocks"]
        for element in (*block.get("elements", []), block.get("accessory") or {})
        if element.get("type") == "static_select"
    )
    offered = [*menu.get("options", []), *(o for group in menu.get("option_groups", []) for o in group["options"])]
    option = next(option for option in offered if option["text"]["text"] == label)
    reply = await person.workspace.post(
        "/person/action",
        **{"as": person.id},
        container={"type": "message", "channel": channel, "ts": ts},
        action={"block_id": block, "action_id": menu["action_id"], "type": "static_select", "selected_option": option},
    )
    assert reply["ok"], reply


def got(scene: Rough, story: Story) -> str:
    return git(scene.running.repo, "show", f"switchboard/{story.name}:got.txt")


# --- questions ------------------------------------------------------------------------------------------------------


async def test_a_choice_of_nothing_is_a_question_for_words(scene: Rough) -> None:
    story = await scene.begins("zero", "agent=zero")
    asked = await scene.question(story)
    assert labels(asked) == ["Answer…", "Later"]
    await scene.ana.says("My own words", thread=story.thread)
    await scene.settled(story, asked, "My own words")
    await story.review()
    assert got(scene, story) == "My own words"


async def test_a_choice_of_one_is_offered_and_may_be_declined_in_words(scene: Rough) -> None:
    story = await scene.begins("one", "agent=one")
    asked = await scene.question(story)
    assert labels(asked) == ["Only", "Other…", "Later"]
    await scene.ana.clicks(asked, "Only")
    await story.review()
    assert got(scene, story) == "Only"


async def test_thirty_options_are_a_menu(scene: Rough) -> None:
    story = await scene.begins("thirty", "agent=thirty")
    asked = await scene.question(story)
    assert "Choose one of 30" in words(asked)
    await pick(scene.ana, asked, "Option 29")
    await story.review()
    assert got(scene, story) == "Option 29"


async def test_an_option_of_3000_characters_can_be_read_whole_and_chosen(scene: Rough) -> None:
    story = await scene.begins("long", "agent=long")
    asked = await scene.question(story)
    assert len(labels(asked)[0]) <= 75
    await scene.ana.clicks(asked, "Show in full")
    await scene.ana.sees_modal(lambda view: "long label" in words(view))
    await scene.ana.clicks(asked, "long")
    await story.review()
    assert got(scene, story) == LONG


async def test_hostile_words_stay_words(scene: Rough) -> None:
    story = await scene.begins("hostile", "agent=hostile")
    asked = await scene.question(story)
    assert SAFE in words(asked)
    assert "red NUL turned" in words(asked)
    await scene.ana.clicks(asked, "Short")
    permission = await story.permission()
    # What is to be judged shows what it hides.
    assert "⟨U+001B⟩[31mred⟨U+001B⟩[0m NUL⟨U+0000⟩ ⟨U+202E⟩turned" in words(permission)
    await scene.ana.clicks(permission, "Deny")
    review = await story.review()
    assert SAFE in words(review)
    await scene.ana.sees(lambda m: story.here(m) and SAFE in words(m) and "progress" in words(m), "its plan")
    for name in ("ben", "cleo"):
        told = await scene.running.workspace.get(
            "/person/notifications", **{"as": scene.running.workspace.people[name]}
        )
        assert told["notifications"] == []


# --- answers --------------------------------------------------------------------------------------------------------


async def test_two_people_click_in_the_same_moment_and_one_of_them_wins(scene: Rough) -> None:
    story = await scene.begins("race", f"agent=two reviewer=<@{scene.ben.id}>")
    asked = await scene.question(story)
    await scene.ben.sees(lambda m: m["ts"] == asked["ts"], "the same card")
    await asyncio.gather(scene.ana.clicks(asked, "Left"), scene.ben.clicks(asked, "Right"))
    card = await scene.settled(story, asked)
    loser, chosen = (scene.ben, "Left") if "→ *Left*" in words(card) else (scene.ana, "Right")
    assert f"→ *{chosen}*" in words(card)
    note = await loser.sees(lambda m: m.get("ephemeral") and "the first answer counts" in words(m), "a private note")
    assert f"chose {chosen}" in plain(note)
    await scene.ana.sees(lambda m: story.here(m) and "ready at" in words(m), "the review")
    assert got(scene, story) == chosen


async def test_answers_after_the_end_are_told_that_it_is_over(scene: Rough) -> None:
    story = await scene.begins("over", "agent=two")
    asked = await scene.question(story)
    await scene.told("stop over")
    await story.card("git switch switchboard/over")
    await scene.ana.clicks(asked, "Left")
    late = await scene.ana.sees(lambda m: m.get("ephemeral") and "moved on" in words(m), "a private note")
    assert "over has ended" in plain(late)
    await scene.ana.says("Left", thread=story.thread)
    reply = await scene.ana.sees(
        lambda m: m.get("ephemeral") and "over has ended; nothing reaches it" in plain(m), "a note on the reply"
    )
    assert "git switch switchboard/over" in words(reply)
    assert "no session `over`" in await scene.told("tell over Left") or "has ended" in await scene.told(
        "tell over Left"
    )


async def test_an_answer_that_is_edited_and_deleted_afterwards_stays_the_answer(scene: Rough) -> None:
    story = await scene.begins("edited", "agent=twice")
    asked = await scene.question(story)
    ts = await scene.ana.says("Left", thread=story.thread)
    channel = scene.ana.channels["sessions"]
    body = {"as": scene.ana.id, "channel": channel, "ts": ts}
    assert (await scene.running.workspace.post("/person/edit", **body, text="Right"))["ok"]
    assert (await scene.running.workspace.post("/person/delete", **body))["ok"]
    await scene.settled(story, asked, "→ *Left*")
    second = await scene.ana.sees(lambda m: story.here(m) and "And then?" in words(m), "the next question")
    assert has_button(second, "Answer")


# --- messages and channels gone -------------------------------------------------------------------------------------


async def deleted(scene: Rough, message: Message) -> None:
    channel, ts = scene.ana.where(message)
    reply = await scene.running.workspace.post(
        "/person/delete", **{"as": scene.ana.id}, channel=channel, ts=ts, any=True
    )
    assert reply["ok"], reply


async def test_a_question_whose_card_was_deleted_is_asked_again(scene: Rough) -> None:
    story = await scene.begins("deleted", "agent=two")
    asked = await scene.question(story)
    await deleted(scene, asked)
    again = await scene.ana.sees(
        lambda m: story.here(m) and m["ts"] > asked["ts"] and has_button(m, "Left"), "the question again"
    )
    await scene.ana.clicks(again, "Right")
    await scene.settled(story, again, "→ *Right*")


async def test_a_thread_whose_first_message_was_deleted_starts_again(scene: Rough) -> None:
    story = await scene.begins("beheaded", "agent=two")
    asked = await scene.question(story)
    await deleted(scene, await story.card("needs you"))
    card = await scene.ana.sees(lambda m: m["ts"] > asked["ts"] and "*beheaded* · needs you" in words(m), "a new card")
    anew = Story(scene.ana, "beheaded", card["ts"])
    again = await scene.question(anew)
    await scene.ana.says("Right", thread=anew.thread)
    await scene.settled(anew, again, "→ *Right*")


async def test_a_session_in_an_archived_channel_goes_on_in_its_owners_messages(scene: Rough) -> None:
    workspace = scene.running.workspace
    made = await workspace.post("/person/channels", name="doomed", members=[scene.ana.id], bot=True)
    assert made["ok"], made
    await scene.told("start repo=elsewhere agent=twice name=moved Go on")
    story = await scene.thread_of("moved")
    asked = await scene.question(story)
    channel, _ = scene.ana.where(asked)
    assert (await workspace.post("/person/archive", **{"as": scene.ana.id}, channel=channel))["ok"]
    await scene.ana.clicks(asked, "Left")  # a client that has not noticed
    card = await scene.ana.sees(
        lambda m: (
            not m.get("ephemeral")
            and "*moved*" in words(m)
            and m.get("thread_ts", m["ts"]) == m["ts"]
            and scene.ana.where(m)[0] != channel
        ),
        "the card in her messages",
    )
    anew = Story(scene.ana, "moved", card["ts"])
    why = await scene.ana.sees(lambda m: anew.here(m) and "this thread goes on here" in words(m), "why it moved")
    assert f"<#{channel}> is archived" in words(why)
    assert "name another channel for elsewhere" in plain(why)
    second = await scene.ana.sees(lambda m: anew.here(m) and "And then?" in words(m), "the question there")
    await scene.ana.says("Then home", channel=scene.ana.where(second)[0], thread=anew.thread)
    await scene.settled(anew, second, "Then home")


# --- the wire -------------------------------------------------------------------------------------------------------


def token_of(scene: Rough, story: Story) -> tuple[str, str]:
    """(session, token) of a living runner."""
    for path in scene.root.glob("host/sessions/*/ticket.json"):
        spec = json.loads(path.read_text())["spec"]
        if spec["name"] == story.name:
            return spec["session"], spec["token"]
    raise AssertionError(f"no ticket of {story.name}")


async def test_bad_frames_in_a_runners_name_cost_nothing(scene: Rough) -> None:
    story = await scene.begins("framed", "agent=two")
    asked = await scene.question(story)
    session, token = token_of(scene, story)
    url, headers = f"{scene.running.wire.url}/runner", {"Authorization": f"Bearer {token}"}
    hello = codec.encode(Hello((1,), "runner", session, "stranger", 0))
    bad = {
        b"not json": "bad_frame",
        b"\xff\xfe": "bad_frame",
        codec.encode(Error("x", "a" * codec.MAX_FRAME)): "frame_too_large",
    }
    async with aiohttp.ClientSession(headers=headers) as http:
        for data, code in bad.items():
            async with http.ws_connect(url, max_msg_size=0) as ws:
                await ws.send_bytes(hello)
                await ws.send_bytes(data)
                said = [codec.decode(frame.data) async for frame in ws if frame.type is aiohttp.WSMsgType.BINARY]
                # The living runner may be back at any moment, even before the stranger is greeted.
                assert {code, "replaced"} & {frame.code for frame in said if isinstance(frame, Error)}
        async with http.ws_connect(url, max_msg_size=0) as ws:
            await ws.send_bytes(hello)
            await ws.send_bytes(b"x" * (3 * codec.MAX_FRAME))
            assert [frame async for frame in ws if frame.type is aiohttp.WSMsgType.TEXT] == []
    await scene.ana.clicks(asked, "Right")
    await scene.settled(story, asked, "→ *Right*")


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_a_runner_with_a_wrong_token_is_turned_away_in_words(scene: Rough, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(f"{scene.running.wire.url}/runner") as answer:
        assert answer.status == 401
        assert "switchboard enroll" in await answer.text()


async def test_a_host_whose_token_was_replaced_ends_and_says_what_to_do(scene: Rough) -> None:
    old, new = scene.root / "old.token", scene.root / "new.token"
    await scene.running.enroll("spare", old)
    await scene.running.enroll("spare", new)
    status, said = await run_host(scene, old)
    assert status != 0
    assert "unknown or revoked" in said
    assert "switchboard enroll" in said
