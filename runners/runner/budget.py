"""What a session may spend before it rests and asks, and what the answer changes. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from bot.wire.types import Answer, Option, Question, QuestionId, QuestionKind
from runners.runner import answers
from runners.runner.session import State

MORE, UNLIMITED, STOP = "more", "unlimited", "stop"


def limit(state: State, budget: float | None) -> float | None:
    """Dollars; None: as much as it takes."""
    return None if budget is None or budget <= 0 or state.unlimited else state.granted + budget


def is_spent(state: State, budget: float | None) -> bool:
    most = limit(state, budget)
    return most is not None and state.usage.cost is not None and state.usage.cost >= most


def question(state: State, number: QuestionId, budget: float) -> Question:
    spent = state.usage.cost or 0.0
    return Question(
        id=number,
        kind=QuestionKind.CHOICE,
        title=f"This session has spent ${spent:.2f} of its ${limit(state, budget) or budget:.2f}. Go on?",
        context="Its turn was ended; nothing is lost. It goes on where it stopped, or ends with its branch kept.",
        options=(
            Option(MORE, f"${budget:.2f} more", recommended=True),
            Option(UNLIMITED, "No limit"),
            Option(STOP, "Stop the session"),
        ),
        allow_text=False,
    )


def asked(state: State, question: Question) -> State:
    return replace(
        state,
        open=(*state.open, question),
        next_question=state.next_question + 1,
        budget_question=question.id,
    )


def decided(state: State, answer: Answer) -> State:
    """The question is closed; whether the session stops is the caller's to do."""
    state = replace(answers.without(state, answer.question), budget_question=QuestionId(""))
    match answer.option:
        case "unlimited":
            return replace(state, unlimited=True)
        case _:
            return replace(state, granted=state.usage.cost or 0.0)
