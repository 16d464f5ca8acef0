"""Every event fits one frame; what fits is not touched, what does not says that it was cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec import Raw

from bot.wire import codec
from bot.wire.messages import Asked, Event, EventBody, Progressed, ReviewOffered, SessionChanged, SessionEnded
from bot.wire.types import (
    Check,
    CheckState,
    Ending,
    FileStat,
    Option,
    Question,
    QuestionId,
    QuestionKind,
    Review,
    ReviewId,
    RunState,
    Snapshot,
)
from runners.link import fitting

AT = datetime(2026, 11, 23, tzinfo=UTC)
WIDE = "漢" * 4_000


def question(label: str, description: str = "", detail: str = "", context: str = "") -> Asked:
    options = tuple(Option(f"o{number}", f"{number} {label}", description, number == 0) for number in range(100))
    return Asked(Question(QuestionId("s1.q1"), QuestionKind.CHOICE, "Which?", context, detail, options))


def fitted(body: EventBody) -> EventBody:
    data = fitting.body_bytes(body)
    frame = codec.encode(Event(1, body.type, AT, Raw(data)))
    assert len(frame) <= codec.MAX_FRAME
    assert codec.decode(frame) is not None
    return codec.event_body(body.type, data)


def test_what_fits_is_sent_as_it_is() -> None:
    body = question("Search", "x" * 100)
    assert fitted(body) == body


def test_descriptions_go_before_labels() -> None:
    found = fitted(question("short", WIDE, detail="kept"))
    assert isinstance(found, Asked)
    assert [option.label for option in found.question.options][:2] == ["0 short", "1 short"]
    assert {option.description for option in found.question.options} == {""}
    assert found.question.detail == "kept"


def test_labels_go_before_the_detail() -> None:
    found = fitted(question(WIDE + WIDE, WIDE, detail="kept"))
    assert isinstance(found, Asked)
    assert len(found.question.options) == 100
    assert all(option.label.endswith(fitting.CUT) for option in found.question.options)
    assert [option.id for option in found.question.options] == [f"o{number}" for number in range(100)]
    assert found.question.options[0].recommended
    assert found.question.detail == "kept"


@pytest.mark.parametrize(
    "body",
    [
        question(WIDE, WIDE, WIDE * 300, WIDE * 300),
        Asked(Question(QuestionId("s1.q1"), QuestionKind.TEXT, WIDE * 300)),
        SessionChanged(RunState.FAILED, WIDE * 300, WIDE * 300),
        SessionEnded(Ending.STOPPED, "b", "w", dirty=(WIDE * 10,) * 300),
        Progressed(Snapshot(AT, WIDE * 100, checks=(Check("c", CheckState.FAILED, 1.0, WIDE * 100),) * 9)),
        ReviewOffered(
            Review(ReviewId("s1.r1"), "c" * 40, "b", "m", "d" * 40, WIDE, stat=(FileStat(WIDE * 10, 1, 2),) * 200)
        ),
    ],
    ids=["asked", "text", "changed", "ended", "progress", "review"],
)
def test_anything_too_large_is_cut_and_says_so(body: EventBody) -> None:
    found = fitted(body)
    assert type(found) is type(body)
    assert fitting.CUT in codec.body_bytes(found).decode()
