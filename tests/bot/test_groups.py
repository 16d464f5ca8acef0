"""Questions of one call on one card, several options at once, and assumptions that people may veto."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bot.domain.deliveries import Subject
from bot.domain.intents import AskHow, AskWhich, Choose, Note, Nothing, Reply, ReplyAs, SetPrefs
from bot.domain.views import DigestView, Light, QuestionCard
from bot.wire.messages import Asked, DeliverAnswer, QuestionWithdrawn, SessionChanged
from bot.wire.types import RunState
from tests.bot.board import ANA, Board, Runner
from tests.bot.samples import assumed, group, several, text


def card(board: Board) -> QuestionCard:
    (shown,) = board.shown(Subject.QUESTION)
    assert isinstance(shown, QuestionCard)
    return shown


async def answers(runner: Runner) -> list[DeliverAnswer]:
    return [command for command in await runner.takes() if isinstance(command, DeliverAnswer)]


async def test_questions_of_one_call_are_one_card_with_one_mention(board: Board) -> None:
    runner = await board.session()
    one, two, three = group(runner, 1, 2, 3)
    await runner.says(Asked(one), Asked(two), Asked(three))
    await board.deliver()
    shown = card(board)
    assert shown.mention == ANA
    assert [other.question for other in shown.others] == [two, three]
    assert (await board.desk.home(ANA)).pinged_today == 1
    assert await board.does(ANA, Choose(two.id, "tan")) == Nothing()
    await runner.says(QuestionWithdrawn(three.id, "asked twice"))
    await board.deliver()
    shown = card(board)
    assert shown.mention is None
    assert (shown.answered, bool(shown.others[0].answered), bool(shown.others[1].withdrawn)) == (None, True, True)
    assert [c.answer.option for c in await answers(runner)] == ["tan"]


async def test_a_member_that_comes_later_edits_the_card_and_calls_nobody(board: Board) -> None:
    runner = await board.session()
    one, two = group(runner, 1, 2)
    await runner.says(Asked(one))
    await board.deliver()
    await runner.says(Asked(two))
    await board.deliver()
    assert len(card(board).others) == 1
    assert (await board.desk.home(ANA)).pinged_today == 1


async def test_one_that_comes_to_a_settled_card_has_its_own(board: Board) -> None:
    runner = await board.session()
    one, two = group(runner, 1, 2)
    await runner.says(Asked(one))
    await board.deliver()
    await board.does(ANA, Choose(one.id, "fts"))
    await runner.says(Asked(two))
    await board.deliver()
    assert len(board.shown(Subject.QUESTION)) == 2
    assert (await board.desk.home(ANA)).pinged_today == 2


async def test_a_group_of_somebody_elses_is_no_group(board: Board) -> None:
    runner = await board.session()
    one = replace(group(runner, 1)[0], group="sfremd123.q1")
    await runner.says(Asked(one))
    await board.deliver()
    assert card(board).question.id == one.id


async def test_words_beside_several_questions_ask_which(board: Board) -> None:
    runner = await board.session()
    one, two = group(runner, 1, 2)
    await runner.says(Asked(one), Asked(two))
    await board.deliver()
    response = await board.does(ANA, Reply("FTS"), surface="reply", thread=board.thread(runner))
    assert isinstance(response, AskWhich)
    assert await board.does(ANA, ReplyAs(response.reply, "answer", two.id)) == Nothing()
    assert [c.answer.question for c in await answers(runner)] == [two.id]


async def test_a_digest_lists_each_question_of_a_card(board: Board) -> None:
    runner = await board.session()
    await runner.says(*(Asked(question) for question in group(runner, 1, 2)))
    await board.deliver()
    board.clock.forward(minutes=31)
    await board.services.digests.run_due()
    await board.deliver()
    (digest,) = board.shown(Subject.DIGEST)
    assert isinstance(digest, DigestView)
    assert len(digest.decisions) == 2
    await board.does(ANA, Choose(group(runner, 1, 2)[1].id, "fts"))
    await board.deliver()
    (digest,) = board.shown(Subject.DIGEST)
    assert isinstance(digest, DigestView)
    assert [bool(line.settled) for line in digest.decisions] == [False, True]


# --- several options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("1, 3", ("lin", "win")),
        ("3 1", ("lin", "win")),
        ("macOS, iOS", ("mac",)),
        ("windows and macOS, iOS", ("mac", "win")),
        ("Linux", ("lin",)),
    ],
)
async def test_words_may_name_several(board: Board, words: str, options: tuple[str, ...]) -> None:
    runner = await board.session()
    await runner.says(Asked(several(runner)))
    assert await board.does(ANA, Reply(words), surface="reply", thread=board.thread(runner)) == Nothing()
    (given,) = await answers(runner)
    assert (given.answer.options, given.answer.option) == (options, None)


@pytest.mark.parametrize("words", ["none of these", "Linux, but only the new ones", "1, 9", "a, " * 300])
async def test_other_words_are_asked_about(board: Board, words: str) -> None:
    runner = await board.session()
    await runner.says(Asked(several(runner)))
    response = await board.does(ANA, Reply(words), surface="reply", thread=board.thread(runner))
    assert isinstance(response, AskHow)
    assert await board.does(ANA, ReplyAs(response.reply, "answer", several(runner).id)) == Nothing()
    (given,) = await answers(runner)
    assert (given.answer.options, given.answer.text) == ((), words)


async def test_ticked_boxes_are_checked_and_told_by_their_labels(board: Board) -> None:
    runner = await board.session()
    question = several(runner)
    await runner.says(Asked(question), Asked(text(runner, 2)))
    for options in ((), ("lin", "nope")):
        refused = await board.does(ANA, Choose(question.id, "", options=options))
        assert isinstance(refused, Note)
        assert refused.problem
    assert await board.does(ANA, Choose(question.id, "", options=("win", "lin", "win"))) == Nothing()
    shown = await board.desk.question(question.id)
    assert shown.answered.words == "Linux, Windows"
    (given,) = await answers(runner)
    assert given.answer.options == ("lin", "win")


# --- assumptions ----------------------------------------------------------------------------------------------------


async def test_an_assumption_waits_for_the_digest_unless_that_is_too_late(board: Board) -> None:
    runner = await board.session()
    await runner.says(SessionChanged(RunState.WORKING), Asked(assumed(runner, board.clock.at + timedelta(hours=2))))
    await board.deliver()
    assert board.shown(Subject.QUESTION) == []
    (shown,) = board.shown(Subject.SESSION)
    assert shown.light is Light.WORKING  # type: ignore[union-attr]
    assert [question.default for question in shown.assumed] == ["fts"]  # type: ignore[union-attr]
    await runner.says(Asked(assumed(runner, board.clock.at + timedelta(minutes=10), 2)))
    await board.deliver()
    assert card(board).mention == ANA


async def test_without_digests_an_assumption_calls_at_once(board: Board) -> None:
    runner = await board.session()
    await board.does(ANA, SetPrefs("off"))
    await runner.says(Asked(assumed(runner, None)))
    await board.deliver()
    assert card(board).mention == ANA


async def test_only_a_named_option_of_an_assumption_is_taken_unasked(board: Board) -> None:
    runner = await board.session()
    question = replace(assumed(runner, board.clock.at + timedelta(hours=2)), options=(), kind=text(runner).kind)
    await runner.says(Asked(question))
    response = await board.does(ANA, Reply("mind the tests"), surface="reply", thread=board.thread(runner))
    assert isinstance(response, AskHow)


async def test_a_moment_without_a_zone_or_beyond_the_calendar_stops_nothing(board: Board) -> None:
    runner = await board.session()
    naive = (board.clock.at + timedelta(hours=1)).replace(tzinfo=None)
    await runner.says(Asked(assumed(runner, naive)), SessionChanged(RunState.LIMITED, until=naive, exit_status=2**80))
    await runner.says(SessionChanged(RunState.FAILED, exit_status=2**80))
    assert (await board.desk.question(assumed(runner, None).id)) is not None
    (shown,) = await board.desk.all_sessions()
    assert shown.light is Light.FAILED
