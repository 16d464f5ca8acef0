"""One machine that does anything in any order: at most one accepted answer, no verdict on an old commit, no loss."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.domain.deliveries import Subject
from bot.domain.intents import Choose, Merge, Nothing, Reply, SendBack, Tell, Unsend
from bot.domain.views import QuestionCard, ReviewCard
from bot.wire import codec
from bot.wire.messages import (
    AnswerApplied,
    Asked,
    DeliverAnswer,
    Event,
    EventBody,
    MergeRefused,
    MergeReview,
    PromptDropped,
    PromptGiven,
    QuestionWithdrawn,
    ReviewOffered,
    ReviewWithdrawn,
)
from bot.wire.messages import SendBack as SendBackCommand
from bot.wire.types import PromptId
from tests.bot.board import ANA, BEN, CLEO, START, open_board
from tests.bot.samples import choice, group, review

PEOPLE = st.sampled_from([ANA, BEN, CLEO])
NUMBERS = st.integers(1, 3)


class OneSession(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.events: list[Event] = []
        self.answers: dict[str, int] = {}
        self.verdicts: dict[str, list[str]] = {}
        self.offered: dict[str, str] = {}
        self.do(self.begin())

    def do(self, work):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(work)

    async def begin(self) -> None:
        self.board = await open_board(Path(self.folder.name))
        await self.board.knows(ANA, BEN, CLEO)
        self.runner = await self.board.session(reviewer=BEN)

    async def says(self, body: EventBody) -> None:
        self.events.append(codec.event(len(self.events) + 1, START, body))
        assert await self.board.links.record(self.runner.peer, "e1", self.events[-1:]) == len(self.events)

    @rule(number=NUMBERS)
    def asks(self, number: int) -> None:
        self.do(self.says(Asked(choice(self.runner, number))))

    @rule(number=NUMBERS)
    def asks_with_others(self, number: int) -> None:
        """One of three that came in one call, in whatever order, perhaps twice."""
        question = {q.id: q for q in group(self.runner, 1, 2, 3)}[choice(self.runner, number).id]
        self.do(self.says(Asked(question)))

    @rule(words=st.sampled_from(["one", "two"]))
    def tells(self, words: str) -> None:
        self.do(self.board.does(ANA, Tell("add-search", words), surface="slash"))

    @rule(number=NUMBERS, by=PEOPLE)
    def takes_words_back(self, number: int, by: str) -> None:
        self.do(self.board.does(by, Unsend(self.prompt(number))))  # type: ignore[arg-type]

    @rule(number=NUMBERS, given=st.booleans())
    def has_words(self, number: int, given: bool) -> None:
        prompt = self.prompt(number)
        self.do(self.says(PromptGiven(prompt) if given else PromptDropped(prompt, "taken back")))

    def prompt(self, number: int) -> PromptId:
        return PromptId(f"{self.runner.peer.session}.p{number}")

    @rule(number=NUMBERS)
    def withdraws(self, number: int) -> None:
        self.do(self.says(QuestionWithdrawn(choice(self.runner, number).id, "moved on")))

    @rule(number=NUMBERS, applied=st.booleans())
    def applies(self, number: int, applied: bool) -> None:
        self.do(self.says(AnswerApplied(choice(self.runner, number).id, applied)))

    @rule(number=NUMBERS, by=PEOPLE, option=st.sampled_from(["fts", "tan", "nope"]), key=st.integers(0, 20))
    def clicks(self, number: int, by: str, option: str, key: int) -> None:
        intent = Choose(choice(self.runner, number).id, option)
        self.do(self.board.does(by, intent, key=f"{by}{key}"))  # type: ignore[arg-type]

    @rule(by=PEOPLE, words=st.sampled_from(["FTS", "2", "hello", ""]))
    def replies(self, by: str, words: str) -> None:
        thread = self.board.thread(self.runner)
        self.do(self.board.does(by, Reply(words), surface="reply", thread=thread))  # type: ignore[arg-type]

    @rule(number=NUMBERS)
    def offers(self, number: int) -> None:
        offer = review(self.runner, number, f"{number}" * 40)
        self.do(self.says(ReviewOffered(offer)))

    @rule(number=NUMBERS)
    def takes_back(self, number: int) -> None:
        self.do(self.says(ReviewWithdrawn(review(self.runner, number).id, "HEAD moved")))

    @rule(number=NUMBERS)
    def refuses(self, number: int) -> None:
        self.do(self.says(MergeRefused(review(self.runner, number).id, "conflict")))

    @rule(number=NUMBERS, shown=NUMBERS, by=PEOPLE, back=st.booleans())
    def judges(self, number: int, shown: int, by: str, back: bool) -> None:
        commit = f"{shown}" * 40
        intent = SendBack(review(self.runner, number).id, commit, "x") if back else None
        response = self.do(self.board.does(by, intent or Merge(review(self.runner, number).id, commit)))  # type: ignore[arg-type]
        assert shown == number or response != Nothing()

    @rule()
    def delivers(self) -> None:
        self.do(self.board.deliver())

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def resends(self, data: st.DataObject) -> None:
        start = data.draw(st.integers(0, len(self.events) - 1))
        before = self.do(self.board.db.read(_everything))
        self.do(self.board.links.record(self.runner.peer, "e1", self.events[start:]))
        assert self.do(self.board.db.read(_everything)) == before

    @rule()
    def runner_takes(self) -> None:
        for command in self.do(self.runner.takes()):
            if isinstance(command, DeliverAnswer):
                question = command.answer.question
                self.answers[question] = self.answers.get(question, 0) + 1
                assert self.answers[question] == 1
                assert command.answer.by.id in (ANA, BEN)
            elif isinstance(command, MergeReview):
                assert command.commit == command.review[-1] * 40
                assert command.by.id == BEN
            elif isinstance(command, SendBackCommand):
                assert command.by.id in (ANA, BEN)

    @invariant()
    def cards_say_one_thing(self) -> None:
        for number in (1, 2, 3):
            card = self.do(self.board.desk.question(choice(self.runner, number).id))
            assert card is None or not (card.answered and card.withdrawn)
            shown = self.do(self.board.desk.review(review(self.runner, number).id))
            assert shown is None or sum(map(bool, (shown.merged, shown.sent_back, shown.withdrawn))) <= 1

    def teardown(self) -> None:
        self.do(self.board.deliver())
        for view in (*self.board.shown(Subject.QUESTION), *self.board.shown(Subject.REVIEW)):
            if isinstance(view, QuestionCard):
                for shown in (view, *view.others):
                    now = self.do(self.board.desk.question(shown.question.id))
                    assert (shown.answered, shown.withdrawn) == (now.answered, now.withdrawn)
            elif isinstance(view, ReviewCard):
                now = self.do(self.board.desk.review(view.review.id))
                assert (view.merged, view.sent_back, view.withdrawn) == (now.merged, now.sent_back, now.withdrawn)
        self.do(self.board.db.close())
        self.loop.close()
        self.folder.cleanup()


def _everything(tx):  # type: ignore[no-untyped-def]
    tables = ("questions", "reviews", "sessions", "commands", "deliveries", "messages", "due", "pings", "prompts")
    return [[tuple(row) for row in tx.all(f"SELECT * FROM {table} ORDER BY 1")] for table in tables]


OneSession.TestCase.settings = settings(
    max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestOneSession = OneSession.TestCase
