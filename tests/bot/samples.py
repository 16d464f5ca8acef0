"""Questions and reviews that the tests use."""

from __future__ import annotations

from bot.wire.types import ALLOW, DENY, Option, Question, QuestionId, QuestionKind, Review, ReviewId
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
