"""The desk as an agent sees it: questions get their ids, wait without limit, and are closed exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec.structs import replace

from bot.wire.messages import AnswerApplied, Asked, QuestionWithdrawn
from bot.wire.types import ALLOW, DENY, Answer, Option, Question, QuestionId, QuestionKind, Share
from runners import session
from runners.agents.base import Answered, Chosen, Inquiry, Text, Unanswered, Update
from runners.memory import Memory
from runners.progress import one_line
from runners.redact import redact
from runners.ticket import write_atomic

log = structlog.get_logger()

TITLE, CONTEXT, DETAIL, LABEL, MOST_OPTIONS = 300, 8_000, 60_000, 3_000, 100
CUT = "\n… (cut: too long for one message)"


class QuestionDesk:
    """``hold`` is set while the runner pauses: questions that outlive their agent then stay open.

    ``tell_progress`` goes ahead of each question: a thread's first progress then stands above the mention that makes
    somebody follow the thread, and calls nobody. What the repository does not share of a question is kept in a file
    of ``kept``.
    """

    def __init__(
        self,
        memory: Memory,
        take_note: Callable[[Update], None],
        tell_progress: Callable[[], None],
        share: Share,
        kept: Path,
    ) -> None:
        self._memory = memory
        self._take_note = take_note
        self._tell_progress = tell_progress
        self._share = share
        self._kept = kept
        self._live: dict[str, asyncio.Future[Answered]] = {}
        self.hold = False

    def update(self, update: Update) -> None:
        self._take_note(update)

    async def ask(self, inquiry: Inquiry) -> Answered:
        state = self._memory.state
        number = session.question_id(self._memory.session_id, state.next_question)
        path = self._kept / f"{number}.txt" if _kept_back(inquiry, self._share) else None
        question = _question(inquiry, number, self._share, path)
        if (given := session.answered_already(state, question)) is not None:
            answer, after = given
            self._memory.save(after)
            return _answered(question, answer)
        # An agent whose process went asks again: that is the question people still look at, under its old id.
        left = (known for known in state.open if known.kind in session.KEPT_OPEN and known.id not in self._live)
        if (known := session.same(left, question)) is not None:
            question, asked = known, state
        else:
            asked = replace(state, open=(*state.open, question), next_question=state.next_question + 1)
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._live[question.id] = future
        self._tell_progress()
        self._memory.save(asked, Asked(question))
        try:
            if path is not None:
                await asyncio.to_thread(_keep, path, inquiry.detail)
            return await future
        except asyncio.CancelledError:
            if not (self.hold and question.kind in session.KEPT_OPEN):
                self._withdraw(question, "the agent no longer waits for an answer")
            raise
        finally:
            del self._live[question.id]

    def answer(self, answer: Answer, done: int) -> None:
        """Give an accepted answer to whoever waits for it, or keep it as a message; say what became of it."""
        state = self._memory.state
        question = session.find(state, answer.question)
        if question is None:
            late = AnswerApplied(answer.question, applied=False, detail="the session has moved on")
            self._memory.save(state, late, done=done)
            return
        future = self._live.get(question.id)
        live = future is not None and not future.done()
        detail = "" if live else "given to the agent as a message"
        self._memory.save(
            session.answered(state, question, answer, live=live),
            AnswerApplied(answer.question, applied=True, detail=detail),
            done=done,
        )
        if future is not None and live:
            future.set_result(_answered(question, answer))

    def close_all(self, reason: str) -> None:
        """The session ends: nobody needs to answer any more."""
        for question in self._memory.state.open:
            self._withdraw(question, reason)
        for future in self._live.values():
            if not future.done():
                future.set_result(Unanswered(reason))

    def close_momentary(self, reason: str) -> None:
        """Withdraw what a restart cannot carry: permissions and plans."""
        for question in self._memory.state.open:
            if question.kind not in session.KEPT_OPEN:
                self._withdraw(question, reason)

    def _withdraw(self, question: Question, reason: str) -> None:
        state = self._memory.state
        if session.find(state, question.id) is not None:
            self._memory.save(session.without(state, question.id), QuestionWithdrawn(question.id, reason))


def _answered(question: Question, answer: Answer) -> Answered:
    if question.kind is QuestionKind.PERMISSION and answer.option != ALLOW:
        return Chosen(DENY, answer.text or "", answer.then_stop)  # text alone never grants
    if answer.option is not None:
        return Chosen(answer.option, answer.text or "", answer.then_stop)
    return Text(answer.text or "")


def _kept_back(inquiry: Inquiry, share: Share) -> bool:
    return bool(inquiry.detail) and inquiry.words(share).detail != inquiry.detail


def _keep(path: Path, detail: str) -> None:
    """For whoever decides with the host before them."""
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_atomic(path, detail.encode("utf-8", "replace"))
    except OSError as err:
        log.warning("question.detail_not_kept", path=str(path), error=str(err))


def _question(inquiry: Inquiry, number: QuestionId, share: Share = Share.STAT, whole: Path | None = None) -> Question:
    """What may leave this machine: shared, redacted, cut to size. A choice of nothing is a request for text.

    ``whole`` is where the rest of it can be read.
    """
    words = inquiry.words(share)
    rest = f"\nIt is shown whole on its host, in {whole}" if whole else ""
    kind = QuestionKind.TEXT if inquiry.kind is QuestionKind.CHOICE and not inquiry.options else inquiry.kind
    return Question(
        id=number,
        kind=kind,
        title=redact(one_line(_plain(words.title), TITLE)) or "A question without words",
        context=(_cut(words.context, CONTEXT) + rest).lstrip("\n"),
        detail=_cut(words.detail, DETAIL),
        options=()
        if kind is QuestionKind.TEXT
        else tuple(_option(option) for option in inquiry.options[:MOST_OPTIONS]),
        allow_text=inquiry.allow_text or kind is QuestionKind.TEXT,
    )


def _option(option: Option) -> Option:
    return replace(
        option,
        label=redact(one_line(_plain(option.label), LABEL)) or option.id,
        description=_cut(option.description, LABEL),
    )


def _plain(text: str) -> str:
    return text.replace("\0", "")


def _cut(text: str, most: int) -> str:
    clean = redact(_plain(text))
    return clean if len(clean) <= most else clean[:most] + CUT
