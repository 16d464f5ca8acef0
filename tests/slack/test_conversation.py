"""People and the bot over real sockets: commands, cards, answers, forms."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    MergeReview,
    Progressed,
    Prompt,
    ReviewOffered,
    SendBack,
    SessionChanged,
    StopSession,
)
from bot.wire.types import Option, Question, QuestionId, QuestionKind, Review, ReviewId, RunState, Snapshot
from tests.bot.board import Runner
from tests.slack.scene import Json, Person, Stage, labels


def choice(runner: Runner, number: int = 1, **changes: object) -> Question:
    facts: dict[str, object] = {
        "title": "Which index?",
        "context": "FTS: shipped, no typo tolerance. <!channel>",
        "options": (Option("fts", "FTS", recommended=True), Option("tantivy", "Tantivy")),
        **changes,
    }
    return Question(QuestionId(f"{runner.peer.session}.q{number}"), QuestionKind.CHOICE, **facts)  # type: ignore[arg-type]


def permission(runner: Runner) -> Question:
    options = (Option("allow", "Allow"), Option("deny", "Deny"))
    name = QuestionId(f"{runner.peer.session}.q2")
    return Question(name, QuestionKind.PERMISSION, "Run this?", detail="rm -rf build && make", options=options)


async def start(stage: Stage, ana: Person, task: str = "Add search") -> tuple[Runner, str, Json]:
    """A session that works, its channel and its card."""
    host = await stage.board.host(owner=ana.id, channel="")
    answer = await ana.types(f"start {task}")
    assert answer["ok"], answer
    channel = stage.workspace.channel("sessions")
    runner = await stage.board.runner(host)
    await runner.says(SessionChanged(RunState.WORKING))
    card = await ana.sees(channel, "working")
    return runner, channel, card


async def test_commands_are_answered_privately(stage: Stage) -> None:
    ana, ben = stage.workspace.person("ana"), stage.workspace.person("ben")
    channel = stage.workspace.channel("sessions")
    answers = {
        "help": "`/session tell NAME TEXT`",
        "list": "no sessions",
        "nonsense": "I don't know `nonsense`",
        "start rpo=x y": "Did you mean `repo=`?",
        "stop": "⚠️",
        "start Add search": "No host of yours is connected",
    }
    for verb, words in answers.items():
        assert (await ana.types(verb))["ok"]
        assert (await ana.sees(channel, words))["ephemeral"]
    assert await ben.history(channel) == []


async def test_a_session_by_one_line_and_a_choice_by_button(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    assert labels(card) == ["Tell it…", "Status", "Stop"]
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert labels(asked) == ["FTS · recommended", "Tantivy", "Other…", "Later"]
    assert asked["metadata"]["event_type"] == "switchboard" if "metadata" in asked else True
    assert "<!channel>" not in str(asked)
    assert (await ana.clicks(channel, asked, "FTS · recommended"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert (command.answer.option, command.answer.by.id) == ("fts", ana.id)
    await runner.says(AnswerApplied(choice(runner).id, applied=True))
    done = await ana.sees(channel, "the agent has it", card["ts"])
    assert done["ts"] == asked["ts"]
    assert labels(done) == []


async def test_the_second_click_gets_a_private_note(stage: Stage) -> None:
    ana, ben = stage.workspace.person("ana"), stage.workspace.person("ben")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ben.clicks(channel, asked, "Tantivy"))["ok"]
    refused = await ben.sees(channel, "⚠️", card["ts"])
    assert refused["ephemeral"]
    assert (await ana.clicks(channel, asked, "Tantivy"))["ok"]
    await ana.sees(channel, "→ *Tantivy*", card["ts"])
    assert (await ana.clicks(channel, asked, "FTS · recommended"))["ok"] is not None


async def test_free_text_on_a_choice_asks_how_and_is_then_taken(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    await ana.sees(channel, "· Which index?", card["ts"])
    await ana.says(channel, "maybe sqlite &lt; 3", card["ts"])
    how = await ana.sees(channel, "is it the answer to", card["ts"])
    assert how["ephemeral"]
    assert labels(how) == ["Send as answer", "Send as prompt", "Discard"]
    assert (await ana.clicks(channel, how, "Send as answer"))["ok"]
    await ana.sees(channel, "maybe sqlite", card["ts"])
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.text is not None


async def test_other_opens_a_form_whose_text_is_the_answer(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.clicks(channel, asked, "Other…"))["ok"]
    view = await ana.modal()
    assert (await ana.submits(view, text="  "))["errors"] == {"text": "Write something first."}
    sent = await ana.submits(view, text="Both, behind a flag")
    assert sent.get("result") == "closed", sent
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.text == "Both, behind a flag"


async def test_denying_a_permission_with_a_reason(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(permission(runner)))
    asked = await ana.sees(channel, "Run this?", card["ts"])
    assert "rm -rf build &amp;&amp; make" in asked["text"]
    assert labels(asked) == ["Allow", "Deny", "Deny and stop", "Deny and tell it…", "Later"]
    assert (await ana.clicks(channel, asked, "Deny and tell it…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="use make clean"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert (command.answer.option, command.answer.text) == ("deny", "use make clean")


async def test_thirty_options_are_a_menu(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    options = tuple(Option(f"o{n}" + "x" * 300, f"Option {n:02} " + "y" * 200) for n in range(30))
    await runner.says(Asked(choice(runner, options=options)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.clicks(channel, asked, "Show in full"))["ok"]
    assert "y" * 200 in str(await ana.modal())
    assert (await ana.picks(channel, asked, "Option 17"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    assert command.answer.option == options[17].id


async def test_verbs_in_a_thread_by_mention(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    bot = (await ana.get("workspace"))["app"]["user"]
    runner, channel, card = await start(stage, ana)
    await ana.says(channel, f"<@{bot}> status", card["ts"])
    assert (await ana.sees(channel, "Add search", card["ts"]))["text"]
    await ana.says(channel, f"<@{bot}> tell use FTS", card["ts"])
    await ana.sees(channel, "it reads your words when its turn ends", card["ts"])
    await ana.says(channel, f"<@{bot}> stop", card["ts"])
    await ana.sees(channel, "stopping")
    taken = await runner.takes()
    assert [command.text for command in taken if isinstance(command, Prompt)] == ["use FTS"]
    assert isinstance(taken[-1], StopSession)


async def test_a_message_shortcut_tells_the_session(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    assert (await ana.post("shortcut", callback_id="tell", channel=channel, ts=card["ts"]))["ok"]
    assert (await ana.submits(await ana.modal(), text="use FTS"))["ok"]
    (prompt,) = await runner.takes()
    assert isinstance(prompt, Prompt)


async def test_a_session_by_form(stage: Stage) -> None:
    ana, ben = stage.workspace.person("ana"), stage.workspace.person("ben")
    host = await stage.board.host(owner=ana.id, channel="")
    assert (await ana.types("start"))["ok"]
    view = await ana.modal()
    wrong = await ana.submits(view, task="Add search", base="no..such branch")
    assert "base" in wrong["errors"], wrong
    sent = await ana.submits(view, task="Add search", reviewer=ben.id, scope="src/**, docs/**")
    assert sent["ok"], sent
    runner = await stage.board.runner(host)
    assert runner.spec.scope == ("src/**", "docs/**")
    await ana.sees(stage.workspace.channel("sessions"), "Add search")


async def test_a_review_is_merged_by_exactly_its_commit(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    session = runner.peer.session
    offered = Review(
        ReviewId(f"{session}.r1"),
        "c" * 40,
        runner.spec.branch,
        "main",
        "b" * 40,
        "Search works.",
        diff="+ a line\n" * 9,
    )
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(offered))
    shown = await ana.sees(channel, "ready at `ccccccc`", card["ts"])
    assert (await ana.clicks(channel, shown, "Send back…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="Add tests"))["ok"]
    (back,) = await runner.takes()
    assert isinstance(back, SendBack)
    await ana.sees(channel, "sent back", card["ts"])
    again = Review(ReviewId(f"{session}.r2"), "d" * 40, runner.spec.branch, "main", "b" * 40, "With tests.")
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(again))
    shown = await ana.sees(channel, "ready at `ddddddd`", card["ts"])
    assert (await ana.clicks(channel, shown, "Merge"))["ok"]
    (merge,) = await runner.takes()
    assert isinstance(merge, MergeReview)
    assert merge.commit == "d" * 40


async def test_the_diff_comes_as_a_file(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    review = Review(ReviewId(f"{runner.peer.session}.r1"), "c" * 40, "b", "main", "b" * 40, "Done.", diff="+ a\n")
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(review))

    async def uploaded() -> object:
        return [m for m in await ana.thread(channel, card["ts"]) if m.get("files")]

    (message,) = await ana.workspace_until(uploaded, "a file")
    assert message["files"][0]["name"].endswith(".diff")


async def test_a_digest_on_demand_is_answerable_in_place(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.types("digest"))["ok"]
    direct = await ana.direct()
    digest = await ana.sees(direct, "1 needs you")
    assert f"/archives/{channel}/p" in digest["text"]
    assert (await ana.clicks(direct, digest, "FTS · recommended"))["ok"]
    await ana.sees(direct, "☀️ *Settled*")
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)


async def test_home_shows_and_answers_decisions(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner)))
    await ana.sees(channel, "· Which index?", card["ts"])

    async def home() -> Json | None:
        view = (await ana.post("home"))["view"]
        return view if view and "Which index?" in str(view) else None

    view = await ana.workspace_until(home, "Home")
    block = next(b for b in view["blocks"] if b["type"] == "actions" and "FTS" in str(b))
    element = block["elements"][0]
    action = {key: element[key] for key in ("action_id", "type", "value")}
    container = {"type": "view", "view_id": view["id"]}
    assert (await ana.post("action", container=container, action={"block_id": block["block_id"], **action}))["ok"]
    await ana.sees(channel, "→ *FTS*", card["ts"])


async def test_preferences_by_form(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    assert (await ana.types("prefs"))["ok"]
    view = await ana.modal()
    assert "digest" in (await ana.submits(view, digest="whenever"))["errors"]
    assert (await ana.submits(view, digest="every 2h", tz="Europe/Berlin"))["ok"]
    prefs = await stage.services.desk.prefs(ana.id)
    assert (prefs.digest, prefs.tz) == ("every 2h", "Europe/Berlin")


async def test_people_are_pinged_by_decisions_and_by_nothing_else(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Progressed(Snapshot(datetime.now(UTC), "reading", tool_calls=1)))
    await runner.says(Asked(choice(runner)))
    asked = await ana.sees(channel, "[FTS · recommended]", card["ts"])
    await ana.clicks(channel, asked, "Tantivy")
    await runner.takes()
    await runner.says(AnswerApplied(choice(runner).id, applied=True))
    await ana.sees(channel, "the agent has it", card["ts"])
    review = Review(ReviewId(f"{runner.peer.session}.r1"), "c" * 40, "b", "main", "b" * 40, "Search works.")
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(review))
    await ana.sees(channel, "ready at", card["ts"])
    await ana.sees(channel, "review · ")
    told = [(n["kind"], n["text"].split("\n")[0]) for n in (await ana.get("notifications"))["notifications"]]
    assert [kind for kind, _ in told] == ["mention", "mention"], told
    assert "Which index?" in told[0][1]
    assert "ready at" in told[1][1]
    bens = (await stage.workspace.person("ben").get("notifications"))["notifications"]
    assert bens == []


async def test_a_reviewer_decides_in_their_own_messages(stage: Stage) -> None:
    ana, ben = stage.workspace.person("ana"), stage.workspace.person("ben")
    runner, channel, card = await start(stage, ana, f"reviewer=<@{ben.id}> Add search")
    review = Review(ReviewId(f"{runner.peer.session}.r1"), "c" * 40, "b", "main", "b" * 40, "Search works.")
    await runner.says(SessionChanged(RunState.STOPPED), ReviewOffered(review))
    await ana.sees(channel, "ready at", card["ts"])
    direct = await ben.direct()
    shown = await ben.sees(direct, "ready at `ccccccc`")
    assert (await ben.clicks(direct, shown, "Merge"))["ok"]
    (merge,) = await runner.takes()
    assert isinstance(merge, MergeReview)
    assert merge.by.id == ben.id
    await ana.sees(channel, "merging `ccccccc`", card["ts"])
