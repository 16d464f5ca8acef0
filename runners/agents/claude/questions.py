"""AskUserQuestion and ExitPlanMode as questions, and the answers in Claude Code's words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wire.types import APPROVE, REVISE, Option, QuestionKind
from runners.agents.base import Answered, Chosen, Inquiry, Shown, Text, Unanswered
from runners.agents.claude.fields import Json, tables, text
from runners.agents.text import exact, one_line, prose

ASK = "AskUserQuestion"
PLAN = "ExitPlanMode"
_PLAN_OPTIONS = (Option(APPROVE, "Approve"), Option(REVISE, "Revise"))
_RECOMMENDED = "(recommended)"


def choice_inquiries(given: Json, key: str, asker: str) -> list[Inquiry]:
    """One for each question of the call; an option's id is its label's number, counted from 1."""
    return [_choice(question, key, asker) for question in tables(given, "questions")]


def _choice(question: Json, key: str, asker: str) -> Inquiry:
    whole = prose(text(question, "question"))
    title = one_line(whole, 200) or one_line(text(question, "header")) or "A question"
    words = [asker, whole if one_line(whole, 10_000) != title else ""]
    context, previews = "\n".join(filter(None, words)), _previews(question)
    options = tuple(
        Option(str(number), _label(option), prose(text(option, "description"), 1000), _is_recommended(option))
        for number, option in enumerate(tables(question, "options"), 1)
    )
    return Inquiry(
        kind=QuestionKind.CHOICE if options else QuestionKind.TEXT,
        title=title,
        context="\n".join(filter(None, [context, *previews])),
        stat=Shown(title, context) if previews else None,  # a preview may be code
        none=Shown(title, context) if previews else None,
        options=options,
        multiple=bool(question.get("multiSelect")) and bool(options),
        allow_text=True,
        key=key,
    )


def _previews(question: Json) -> list[str]:
    return [
        f"{_label(option)}:\n{exact(text(option, 'preview'), 2000)}"
        for option in tables(question, "options")
        if text(option, "preview")
    ]


def _label(option: Json) -> str:
    label = one_line(text(option, "label"))
    return label[: -len(_RECOMMENDED)].rstrip() if _is_recommended(option) else label


def _is_recommended(option: Json) -> bool:
    return one_line(text(option, "label")).lower().endswith(_RECOMMENDED)


def choice_input(given: Json, answers: Sequence[Answered]) -> Json | None:
    """The call's input with the answers in it; None where nobody answered."""
    questions = tables(given, "questions")
    if any(isinstance(answer, Unanswered) for answer in answers):
        return None
    if len(questions) == 1 and isinstance(answers[0], Text):
        return {**given, "response": answers[0].text}  # none of these: words of their own
    told = {text(q, "question"): _words(q, answer) for q, answer in zip(questions, answers, strict=True)}
    return {**given, "answers": told}


def _words(question: Json, answer: Answered) -> str:
    match answer:
        case Text(text=words):
            return words
        case Chosen(option=option, text=words, options=several):
            labels = [text(each, "label") for each in tables(question, "options")]
            picked = [labels[int(one) - 1] for one in several or (option,) if one.isdigit() and int(one) <= len(labels)]
            return ", ".join([*picked, *([words] if words else [])]) or "None of these."
        case Unanswered():
            return ""


def plan_inquiry(given: Json, key: str, asker: str) -> Inquiry:
    return Inquiry(
        kind=QuestionKind.PLAN,
        title="Go ahead with this plan?",
        context=asker,
        detail=exact(text(given, "plan")) or "(Claude Code sent no text with its plan.)",
        options=_PLAN_OPTIONS,
        allow_text=True,
        key=key,
    )


def revision(words: str) -> str:
    return words.strip() or "The plan was not approved. Revise it, and ask what is unclear."
