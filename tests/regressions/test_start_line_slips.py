"""A name that was taken came out as another one, and an option that does not exist became part of the task."""

from __future__ import annotations

import pytest

from bot.domain.intents import Note, Start
from bot.slack import commands
from bot.slack.commands import Problem
from tests.bot.board import ANA, Board


async def test_a_taken_name_is_refused_with_a_free_one(board: Board) -> None:
    await board.session(name="rate")
    refused = await board.does(ANA, Start("Limit it", name="Rate"), surface="slash")
    assert isinstance(refused, Note)
    assert refused.problem
    assert refused.field == "name"
    assert "`rate` is taken" in refused.text
    assert "`rate-2` is free" in refused.text
    assert [session.name for session in await board.desk.all_sessions()] == ["rate"]


async def test_a_name_made_from_the_task_may_be_numbered(board: Board) -> None:
    await board.session("Add search")
    assert (await board.session("Add search")).spec.name.endswith("-2")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("start foo=bar fix it", "`foo=`"),
        ("start reviwer=@ben fix it", "Did you mean `reviewer=`?"),
        ("start repo=app foo=bar fix it", "`foo=`"),
        ("start --colour red fix it", "`colour=`"),
    ],
)
def test_an_unknown_option_is_refused_with_those_there_are(line: str, said: str) -> None:
    problem = commands.parse(line, "/session")
    assert isinstance(problem, Problem)
    assert said in problem.text
    for known in ("repo", "agent", "base", "paths", "reviewer", "name"):
        assert f"`{known}=`" in problem.text


def test_an_option_inside_the_task_is_part_of_it() -> None:
    assert commands.parse("start let foo=bar win", "/session") == Start("let foo=bar win")
