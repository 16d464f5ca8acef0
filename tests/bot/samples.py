"""Questions and reviews that the tests use."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from bot.wire.types import ALLOW, DENY, Option, Question, QuestionId, QuestionKind, Review, ReviewId, Urgency
from tests.bot.board import Runner

COMMIT = "c" * 40


def choice(runner: Runner, number: int = 1) -> Question:
    options = (Option("fts", "FTS", recommended=True), Option("tan", "Tantivy"))
    return Question(_q(runner, number), QuestionKind.CHOICE, "Which index?", options=options)


def text(runner: Runner, number: int = 1) -> Question:
    return Question(_q(runner, number), QuestionKind.TEXT, "Which name?")


def permission(runner: Runner, number: int = 1) -> Question:
    options = (Option(ALLOW, "Allow"), Option(DENY, "Deny"))
    return Question(_q(runner, number), QuestionKind.PERMISSION, "Run pytest?", detail="pytest -q", options=options)


def review(runner: Runner, number: int = 1, commit: str = COMMIT) -> Review:
    return Review(
        ReviewId(f"{runner.peer.session}.r{number}"), commit, runner.spec.branch, "main", "b" * 40, "Search works."
    )


def _q(runner: Runner, number: int) -> QuestionId:
    return QuestionId(f"{runner.peer.session}.q{number}")


def group(runner: Runner, *numbers: int) -> tuple[Question, ...]:
    """Choices asked in one call."""
    first = _q(runner, numbers[0])
    return tuple(replace(choice(runner, number), title=f"Which {number}?", group=first) for number in numbers)


def several(runner: Runner, number: int = 1) -> Question:
    options = (Option("lin", "Linux"), Option("mac", "macOS, iOS"), Option("win", "Windows"))
    return Question(_q(runner, number), QuestionKind.CHOICE, "Which platforms?", options=options, multiple=True)


def assumed(runner: Runner, until: datetime | None, number: int = 1) -> Question:
    return replace(choice(runner, number), urgency=Urgency.ASSUMED, default="fts", until=until)
