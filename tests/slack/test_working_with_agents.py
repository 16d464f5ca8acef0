"""What real agents bring, over real sockets: several questions, boxes, assumptions, follow-ups, rests and failures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.wire.messages import (
    AgentDescribed,
    AnswerApplied,
    Asked,
    DeliverAnswer,
    PauseSession,
    PromptDropped,
    QuestionWithdrawn,
    ResetContext,
    ResumeSession,
    SessionChanged,
    SteerPrompt,
    StopSession,
    WakeAtReset,
    WithdrawPrompt,
)
from bot.wire.types import (
    Ability,
    Option,
    Question,
    QuestionId,
    QuestionKind,
    RunState,
    Urgency,
)
from tests.bot.board import Runner
from tests.slack.scene import Json, Person, Stage, labels
from tests.slack.test_conversation import choice, start

SHOPS = (Option("books", "Books", "120,000 items"), Option("music", "Music"), Option("games", "Games"))


async def describe(runner: Runner, *without: Ability) -> None:
    abilities = tuple(sorted(set(Ability) - {Ability.ADOPT, *without}))
    await runner.says(AgentDescribed("Claude Code", "2.1.4", "opus", abilities))


async def three(runner: Runner) -> None:
    """Three questions of one call."""
    group = f"{runner.peer.session}.q1"
    name = Question(QuestionId(f"{runner.peer.session}.q3"), QuestionKind.TEXT, "Which name?", group=group)
    shops = choice(runner, 2, title="Which shops?", multiple=True, options=SHOPS, group=group)
    await runner.says(Asked(choice(runner, group=group)), Asked(shops), Asked(name))


async def answer(runner: Runner) -> DeliverAnswer:
    (command,) = await runner.takes()
    assert isinstance(command, DeliverAnswer)
    await runner.says(AnswerApplied(command.answer.question, applied=True))
    return command


async def test_three_questions_are_one_message_and_each_is_answered_by_itself(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await three(runner)
    asked = await ana.sees(channel, "3 questions: Which index? · Which shops? · Which name?", card["ts"])
    assert (await ana.clicks(channel, asked, "Tantivy"))["ok"]
    assert (await answer(runner)).answer.option == "tantivy"
    asked = await ana.sees(channel, "2 of 3 questions left", card["ts"])
    assert "→ *Tantivy*" in asked["text"]
    assert (await ana.ticks(channel, asked, "Send", "Books", "Games"))["ok"]
    assert (await answer(runner)).answer.options == ("books", "games")
    asked = await ana.sees(channel, "1 of 3 questions left", card["ts"])
    assert (await ana.clicks(channel, asked, "Answer…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="catalogue"))["ok"]
    assert (await answer(runner)).answer.text == "catalogue"
    done = await ana.sees(channel, "3 questions, all answered", card["ts"])
    assert done["ts"] == asked["ts"]
    assert labels(done) == []
    questions = [
        m for m in await ana.thread(channel, card["ts"]) if "Which index?" in m["text"] and m["ts"] > card["ts"]
    ]
    assert len(questions) == 1
    told = (await ana.get("notifications"))["notifications"]
    assert len([n for n in told if n["kind"] == "mention"]) == 1


async def test_the_sessions_card_leads_to_what_is_asked(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await three(runner)
    asked = await ana.sees(channel, "3 questions: Which index?", card["ts"])
    link = f"archives/{channel}/p{asked['ts'].replace('.', '')}?thread_ts={card['ts']}&amp;cid={channel}"
    shown = await ana.sees(channel, link)
    assert shown["ts"] == card["ts"]
    assert [line.split("|")[1] for line in shown["text"].split("\n") if link in line] == [
        "Which index?>",
        "Which shops?>",
        "Which name?>",
    ]


async def test_nothing_ticked_is_said_privately_and_answers_nothing(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner, multiple=True, options=SHOPS)))
    asked = await ana.sees(channel, "· Which index?", card["ts"])
    assert (await ana.ticks(channel, asked, "Send"))["ok"]
    assert (await ana.sees(channel, "Tick what applies", card["ts"]))["ephemeral"]
    assert (await ana.clicks(channel, asked, "None of these…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="only toys"))["ok"]
    assert (await answer(runner)).answer.text == "only toys"


async def test_boxes_are_ticked_on_home_too(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    await runner.says(Asked(choice(runner, multiple=True, options=SHOPS)))
    await ana.sees(channel, "· Which index?", card["ts"])

    async def home() -> Json | None:
        view = (await ana.post("home"))["view"]
        return view if view and "Which index?" in str(view) else None

    view = await ana.workspace_until(home, "Home")
    boxes = next(b for b in view["blocks"] if b["type"] == "input")
    ticked = {"type": "checkboxes", "selected_options": [boxes["element"]["options"][1]]}
    block = next(b for b in view["blocks"] if b["type"] == "actions" and "Send" in str(b))
    action = {key: block["elements"][0][key] for key in ("action_id", "type", "value")}
    state = {"values": {boxes["block_id"]: {boxes["element"]["action_id"]: ticked}}}
    body = {"block_id": block["block_id"], **action}
    sent = await ana.post("action", container={"type": "view", "view_id": view["id"]}, action=body, state=state)
    assert sent["ok"], sent
    assert (await answer(runner)).answer.options == ("music",)


async def test_an_assumption_is_vetoed_or_lapses(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    until = datetime.now(UTC) + timedelta(minutes=5)
    await runner.says(Asked(choice(runner, urgency=Urgency.ASSUMED, default="fts", until=until)))
    asked = await ana.sees(channel, "Going on with *FTS* unless somebody objects by", card["ts"])
    assert labels(asked) == ["Keep FTS", "Tantivy instead", "Something else…"]
    assert (await ana.clicks(channel, asked, "Tantivy instead"))["ok"]
    assert (await answer(runner)).answer.option == "tantivy"
    await ana.sees(channel, "→ *Tantivy* instead of *FTS*", card["ts"])
    await runner.says(
        Asked(choice(runner, 2, title="Which cache?", urgency=Urgency.ASSUMED, default="fts", until=until))
    )
    await ana.sees(channel, "Which cache?", card["ts"])
    reason = "went on with “FTS”: nobody objected"
    await runner.says(QuestionWithdrawn(QuestionId(f"{runner.peer.session}.q2"), reason))
    await ana.sees(channel, "Which cache? → went on with *FTS*", card["ts"])


async def follow_up(stage: Stage, ana: Person) -> tuple[Runner, str, Json, Json]:
    runner, channel, card = await start(stage, ana)
    await describe(runner)
    await ana.says(channel, "use FTS", card["ts"])
    note = await ana.sees(channel, "it reads your words when its turn ends", card["ts"])
    assert note["ephemeral"]
    return runner, channel, card, note


async def test_a_follow_up_is_taken_back_in_place(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card, note = await follow_up(stage, ana)
    await runner.takes()
    assert labels(note) == ["Send now", "Take back"]
    assert (await ana.clicks(channel, note, "Take back"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, WithdrawPrompt)
    replaced = await ana.sees(channel, "Taking back", card["ts"])
    assert replaced["ephemeral"]
    mine = [m for m in await ana.thread(channel, card["ts"]) if m.get("ephemeral")]
    assert len(mine) == 1
    assert labels(mine[0]) == []
    await runner.says(PromptDropped(command.prompt, "taken back"))


async def test_status_lists_follow_ups_with_their_buttons(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card, _ = await follow_up(stage, ana)
    await runner.takes()
    card = await ana.sees(channel, "1 follow-up waits for the agent")
    assert (await ana.clicks(channel, card, "Status"))["ok"]
    status = await ana.sees(channel, "waits for the agent: “use FTS”", card["ts"])
    assert (await ana.clicks(channel, status, "Send now"))["ok"]
    assert isinstance((await runner.takes())[-1], SteerPrompt)


async def test_a_session_is_paused_resumed_and_reset_from_its_card(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, _ = await start(stage, ana)
    await describe(runner)
    card = await ana.sees(channel, "Claude Code")
    assert labels(card) == ["Tell it…", "Status", "Pause", "Reset", "Stop"]
    for label, kind in (("Pause", PauseSession), ("Reset", ResetContext)):
        assert (await ana.clicks(channel, card, label))["ok"]
        (command,) = await runner.takes()
        assert isinstance(command, kind)
    await runner.says(SessionChanged(RunState.PAUSED))
    card = await ana.sees(channel, "· paused ·")
    assert (await ana.clicks(channel, card, "Resume"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, ResumeSession)


async def test_pausing_resuming_and_resetting_by_words_and_shortcuts(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    bot = (await ana.get("workspace"))["app"]["user"]
    runner, channel, card = await start(stage, ana)
    await describe(runner)
    await ana.sees(channel, "Claude Code")
    await ana.says(channel, f"<@{bot}> pause", card["ts"])
    await ana.sees(channel, "Pausing", card["ts"])
    (command,) = await runner.takes()
    assert isinstance(command, PauseSession)
    await runner.says(SessionChanged(RunState.PAUSED))
    await ana.sees(channel, "· paused ·")
    assert (await ana.post("shortcut", callback_id="resume", channel=channel, ts=card["ts"]))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, ResumeSession)
    await runner.says(SessionChanged(RunState.WORKING))
    assert (await ana.post("shortcut", callback_id="reset", channel=channel, ts=card["ts"]))["ok"]
    assert (await ana.submits(await ana.modal()))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, ResetContext)


async def test_a_session_at_its_limit_sleeps_and_can_be_told_to_stay_asleep(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, _ = await start(stage, ana)
    await describe(runner)
    until = datetime.now(UTC) + timedelta(hours=3)
    await runner.says(SessionChanged(RunState.LIMITED, "The 5-hour limit is used up.", until=until))
    card = await ana.sees(channel, "asleep until <!date^")
    assert labels(card)[:2] == ["Resume now", "Stay asleep"]
    assert (await ana.clicks(channel, card, "Stay asleep"))["ok"]
    (command,) = await runner.takes()
    assert isinstance(command, WakeAtReset)
    assert not command.on
    card = await ana.sees(channel, "until somebody resumes it")
    assert labels(card)[:2] == ["Resume now", "Wake at reset"]


async def test_a_failed_session_is_resumed_or_dropped(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, begun = await start(stage, ana)
    await describe(runner)
    await runner.says(SessionChanged(RunState.FAILED, "It ended by itself.", "Out of memory", exit_status=137))
    card = await ana.sees(channel, "❌ *add-search* · failed")
    assert labels(card) == ["Resume", "Look", "Drop"]
    assert "137" in card["text"]
    assert "Out of memory" in card["text"]
    assert (await ana.clicks(channel, card, "Resume"))["ok"]
    assert isinstance((await runner.takes())[0], ResumeSession)
    called = await ana.sees(channel, "asked it to go on", begun["ts"])
    assert labels(called) == ["Resume", "Look", "Drop"]
    assert (await ana.clicks(channel, called, "Drop"))["ok"]
    assert isinstance((await runner.takes())[-1], StopSession)


async def test_denying_with_a_reason_and_stopping(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    options = (Option("allow", "Allow"), Option("always", "Always allow `rm`"), Option("deny", "Deny"))
    name = QuestionId(f"{runner.peer.session}.q1")
    await runner.says(
        Asked(Question(name, QuestionKind.PERMISSION, "Run this?", detail="rm -rf build", options=options))
    )
    asked = await ana.sees(channel, "Run this?", card["ts"])
    assert labels(asked)[:3] == ["Allow", "Always allow `rm`", "Deny"]
    assert (await ana.clicks(channel, asked, "Deny and tell it…"))["ok"]
    assert (await ana.submits(await ana.modal(), text="not that folder", stop="stop"))["ok"]
    given = (await answer(runner)).answer
    assert (given.option, given.text, given.then_stop) == ("deny", "not that folder", True)


async def test_a_command_of_20_kb_comes_whole_as_a_file(stage: Stage) -> None:
    ana = stage.workspace.person("ana")
    runner, channel, card = await start(stage, ana)
    command = "\n".join(f"curl -o part-{n:04} https://example.com/{n:04}" for n in range(480))
    options = (Option("allow", "Allow"), Option("deny", "Deny"))
    name = QuestionId(f"{runner.peer.session}.q1")
    await runner.says(Asked(Question(name, QuestionKind.PERMISSION, "Run this?", detail=command, options=options)))
    asked = await ana.sees(channel, "the whole is a file in this thread", card["ts"])
    assert "part-0000" in asked["text"]
    assert "part-0479" not in asked["text"]

    async def uploaded() -> object:
        return [m for m in await ana.thread(channel, card["ts"]) if m.get("files")]

    (message,) = await ana.workspace_until(uploaded, "a file")
    assert message["files"][0]["size"] >= 20_000
    assert (await ana.clicks(channel, asked, "Allow"))["ok"]
    assert (await answer(runner)).answer.option == "allow"
