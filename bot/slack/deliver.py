"""Brings the outbox to Slack: claims, renders, calls, and reports how it went."""

from __future__ import annotations

import asyncio
from typing import assert_never

import structlog
from slack_sdk.errors import SlackApiError

from bot.domain.deliveries import Delivery, Failure, MessageRef, Permanent
from bot.domain.views import (
    DigestView,
    FailureCard,
    File,
    HomeView,
    PrivateNote,
    ProgressView,
    QuestionCard,
    ReviewCard,
    SessionCard,
    ThreadNote,
    View,
)
from bot.services import Services
from bot.slack.blocks import digest as digests
from bot.slack.blocks.answers import localised, note
from bot.slack.blocks.failure import failure_card
from bot.slack.blocks.kit import Message
from bot.slack.blocks.progress import progress_message
from bot.slack.blocks.question import question_card
from bot.slack.blocks.review import review_card
from bot.slack.blocks.session import session_card
from bot.slack.chat import Chat
from bot.slack.errors import code_of, details_of, failure

log = structlog.get_logger()

LANES = 8
"""Deliveries under way at once; the services hand out at most one of each lane."""
IDLE = 5.0
WITHIN = 75.0
"""Seconds one delivery may take with all its calls: less than its lease, so that it is never under way twice."""
GRACE = 3.0
"""Seconds that calls under way get to finish when the bot stops: a call cut short might be made twice."""


class Delivering:
    def __init__(self, services: Services, chat: Chat, command: str, within: float = WITHIN) -> None:
        self._services = services
        self._outbox = services.outbox
        self._chat = chat
        self._command = command
        self._within = within
        self._busy: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None

    async def run(self) -> None:
        try:
            while self._broken is None:
                await self._round()
            raise self._broken
        finally:
            if self._busy:
                await asyncio.wait(self._busy, timeout=GRACE)
                for task in self._busy:
                    task.cancel()

    async def _round(self) -> None:
        free = LANES - len(self._busy)
        claimed = await self._outbox.claim(free) if free else ()
        for delivery in claimed:
            task = asyncio.create_task(self._one(delivery), name=f"slack.deliver.{delivery.id}")
            self._busy.add(task)
            task.add_done_callback(self._settled)
        if not claimed:
            await self._until_more()

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._broken = error  # not even its failure could be written down

    async def _until_more(self) -> None:
        """A free lane or a new row, whichever comes first; with no lane free only that helps."""
        if len(self._busy) >= LANES:
            await asyncio.wait(self._busy, return_when=asyncio.FIRST_COMPLETED)
            return
        news = asyncio.create_task(self._outbox.wait(IDLE), name="slack.deliver.wait")
        try:
            await asyncio.wait({news, *self._busy}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            await asyncio.wait({news})
        if not news.cancelled():
            news.result()

    async def _one(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except Exception as err:  # noqa: BLE001 - one delivery's failure, of whatever kind, is reported as that
            await self._failed(delivery, err)

    async def _deliver(self, delivery: Delivery) -> None:
        view = await self._outbox.view(delivery)
        if view is None:
            await self._outbox.done(delivery, delivery.message)
            return
        bound = asyncio.timeout(self._within)
        try:
            async with bound:
                message, shown = await self._called(delivery, view)
        except TimeoutError as err:
            if bound.expired():
                raise TimeoutError(f"Slack took longer than {self._within:g} s over it") from err
            raise
        # The call has been made: whatever happens now, that must be written down.
        await asyncio.shield(self._outbox.done(delivery, message, shown))

    async def _called(self, delivery: Delivery, view: View) -> tuple[MessageRef | None, str]:
        match view:
            case File():
                return await self._chat.file(delivery, view), ""
            case PrivateNote():
                await self._chat.private(delivery, view.to, note(localised(view.text, self._command)))
                return None, ""
            case HomeView():
                await self._chat.publish(view.person, digests.home(view, self._command))
                return None, ""
            case _:
                return await self._message(delivery, render(view, self._command))

    async def _message(self, delivery: Delivery, message: Message) -> tuple[MessageRef, str]:
        shown = message.digest
        if delivery.message is None:
            return await self._chat.post(delivery, message), shown
        if delivery.shown != shown:
            await self._chat.edit(delivery.message, message)
        return delivery.message, shown

    async def _failed(self, delivery: Delivery, err: Exception) -> None:
        fault: Failure = failure(err)
        known = isinstance(err, SlackApiError) or not isinstance(fault, Permanent)
        log.warning(
            "slack.delivery.failed",
            delivery=delivery.id,
            subject=delivery.subject,
            lane=delivery.lane,
            attempt=delivery.attempts,
            kind=type(fault).__name__,
            problem=code_of(err) or str(err)[:300],
            details=details_of(err),
            exc_info=None if known else err,
        )
        await asyncio.shield(self._outbox.failed(delivery, fault))


def render(
    view: SessionCard | QuestionCard | ReviewCard | FailureCard | ProgressView | DigestView | ThreadNote, command: str
) -> Message:
    """A view as a message."""
    match view:
        case SessionCard():
            return session_card(view)
        case QuestionCard():
            return question_card(view)
        case ReviewCard():
            return review_card(view)
        case FailureCard():
            return failure_card(view)
        case ProgressView():
            return progress_message(view)
        case DigestView():
            return digests.digest(view)
        case ThreadNote():
            return note(localised(view.text, command))
    assert_never(view)
