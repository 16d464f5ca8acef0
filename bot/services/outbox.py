"""The outbox: what Slack must be told, claimed with a lease, shown as it stands at that moment, settled once."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

import structlog

from bot.domain.deliveries import Ambiguous, Delivery, Failure, MessageRef, Permanent, RateLimited, Retryable, Subject
from bot.domain.sessions import Session
from bot.domain.views import File, PrivateNote, ThreadNote, View
from bot.services import cards, editions, failing, holding, homes, touch, words
from bot.services.ctx import Ctx
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store import deliveries, failures, people, questions, reviews, sessions
from bot.store.database import Database, Tx
from bot.store.deliveries import DeadLetter
from bot.wire.types import PersonId, QuestionId, QuestionKind, ReviewId, SessionId

log = structlog.get_logger()

TRIES = 20
TRIES_IN_ORDER = 5
"""Until then the lane waits for the delivery that fails; afterwards the others may pass it."""
LONGEST_REST = timedelta(minutes=5)
CHANNEL_IS_CLOSED = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_thread_only_channel",
        "restricted_action_read_only_channel",
        "channel_is_limited_access",
        "team_access_not_granted",
    }
)
_CLOSED_BECAUSE = {
    "is_archived": "is archived",
    "channel_not_found": "does not exist, or I am not in it",
    "not_in_channel": "does not have me as a member",
}
MESSAGE_IS_GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})


class Outbox:
    """One for each process. What it hands out belongs to this process until it is done, failed or the lease ends."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._freed = False
        self._seen = -1

    async def claim(self, limit: int) -> Sequence[Delivery]:
        """At most one for each lane; lanes in hand or at rest are left out. Empty: ``wait``."""
        self._seen = self._db.bells.rung(deliveries.BELL)
        now, first = self._clock.now(), not self._freed

        def work(tx: Tx) -> list[Delivery]:
            if first:
                deliveries.free_others(tx, self._owner)
            return deliveries.claim(tx, limit, self._owner, now)

        claimed = await self._db.write(work)
        self._freed = True
        return claimed

    async def wait(self, timeout: float) -> None:
        """Until something may be claimable, at most ``timeout`` seconds."""
        seen = self._seen if self._seen >= 0 else self._db.bells.rung(deliveries.BELL)
        soonest = await self._db.read(deliveries.next_claimable)
        if soonest is not None:
            timeout = min(timeout, max((soonest - self._clock.now()).total_seconds(), 0.0))
        await self._db.bells.wait(deliveries.BELL, seen, timeout)

    async def view(self, delivery: Delivery) -> View | None:
        """What to show; None when there is nothing to show any more (call ``done`` all the same)."""
        now = self._clock.now()
        return await self._db.read(lambda tx: render(Ctx(tx, now, self._settings), delivery))

    async def done(self, delivery: Delivery, message: MessageRef | None, shown: str = "") -> None:
        now = self._clock.now()
        await self._db.write(lambda tx: _done(Ctx(tx, now, self._settings), delivery, message, shown))

    async def failed(self, delivery: Delivery, failure: Failure) -> None:
        now = self._clock.now()
        await self._db.write(lambda tx: _failed(Ctx(tx, now, self._settings), delivery, failure))

    # --- dead letters -----------------------------------------------------------------------------------------------

    async def dead(self) -> Sequence[DeadLetter]:
        return await self._db.read(deliveries.dead)

    async def retry(self, delivery: int) -> bool:
        now = self._clock.now()
        return await self._db.write(lambda tx: deliveries.revive(tx, delivery, now))

    async def drop(self, delivery: int) -> bool:
        return await self._db.write(lambda tx: deliveries.drop(tx, delivery))


# --- what a delivery shows ------------------------------------------------------------------------------------------


def render(ctx: Ctx, delivery: Delivery) -> View | None:
    tx, ref, new = ctx.tx, delivery.ref, delivery.message is None
    match delivery.subject:
        case Subject.SESSION:
            session = sessions.get(tx, SessionId(ref))
            return cards.session_card(ctx, session) if session else None
        case Subject.QUESTION:
            stand = questions.on_card(tx, ref)
            if not stand or (new and not any(asked.open for asked in stand)):
                return None  # settled before it was ever shown: a post would only disturb
            return cards.whole_card(ctx, stand, sessions.must(tx, stand[0].session))
        case Subject.REVIEW:
            offered = reviews.get(tx, ReviewId(ref))
            if offered is None or (new and not offered.open):
                return None
            session = sessions.must(tx, offered.session)
            copy = delivery.to.person is not None and not delivery.to.thread_ts
            # Their own copy is a DM, which pings by itself; in the thread they are mentioned unless they have one.
            first = new and (not copy) and session.judge == session.owner
            return cards.review_card(ctx, offered, session, first=first)
        case Subject.FAILURE:
            failure = failures.get(tx, int(ref))
            return failing.card(ctx, failure, first=new) if failure and (failure.open or not new) else None
        case Subject.PROGRESS:
            session = sessions.get(tx, SessionId(ref))
            return cards.progress_view(ctx, session) if session and (session.open or not new) else None
        case Subject.DIGEST:
            return editions.view(ctx, int(ref))
        case Subject.HOME:
            return homes.home_view(ctx, PersonId(ref))
        case Subject.NOTE:
            note = deliveries.note(tx, int(ref))
            return ThreadNote(note[1]) if note else None
        case Subject.PRIVATE:
            note = deliveries.note(tx, int(ref))
            return PrivateNote(note[0], note[1]) if note and note[0] else None
        case Subject.FILE:
            return _command(ctx, QuestionId(ref)) or _diff(ctx, ReviewId(ref))
        case _:
            assert_never(delivery.subject)


def _command(ctx: Ctx, question: QuestionId) -> View | None:
    asked = questions.get(ctx.tx, question)
    if asked is None or not asked.open:
        return None
    plan = asked.question.kind is QuestionKind.PLAN
    session = sessions.must(ctx.tx, asked.session)
    number = question.rpartition(".")[2]
    name = f"{session.name}-{number}.{'md' if plan else 'txt'}"
    return File(name, f"{session.name}: {asked.question.title}", asked.question.detail)


def _diff(ctx: Ctx, review: ReviewId) -> View | None:
    offered, diff = reviews.get(ctx.tx, review), reviews.diff(ctx.tx, review)
    if offered is None or not offered.open or not diff:
        return None
    session = sessions.must(ctx.tx, offered.session)
    short = offered.review.commit[:7]
    return File(f"{session.name}-{short}.diff", f"{session.name} at {short}", diff)


# --- how it went ----------------------------------------------------------------------------------------------------


def _done(ctx: Ctx, delivery: Delivery, message: MessageRef | None, shown: str) -> None:
    tx = ctx.tx
    spot = deliveries.spot_of(tx, delivery.id)
    deliveries.remove(tx, delivery.id)
    if delivery.subject is Subject.HOME:
        message = MessageRef("", "")
    if message is None or spot is None:
        return
    deliveries.posted(tx, delivery.subject, delivery.ref, spot, message, shown, ctx.now)
    if delivery.message is None and message.ts:
        _first_post(ctx, delivery, message)


def _first_post(ctx: Ctx, delivery: Delivery, message: MessageRef) -> None:
    tx = ctx.tx
    match delivery.subject:
        case Subject.SESSION:
            session = sessions.must(tx, SessionId(delivery.ref))
            # A channel given by name is known by its id from now on; a DM stays the person's.
            channel = message.channel if session.channel else ""
            sessions.change(tx, session.id, channel=channel, thread_ts=message.ts)
            deliveries.move_session(tx, session.id, channel or touch.dm_lane(session.owner), forget_messages=False)
        case Subject.QUESTION:
            stand = questions.on_card(tx, delivery.ref)
            if any(asked.ping for asked in stand):
                questions.posted(tx, delivery.ref)
                people.pinged(tx, sessions.must(tx, stand[0].session).owner, delivery.ref, ctx.now)
            if stand:
                touch.card(ctx, sessions.must(tx, stand[0].session))  # which leads there from now on
        case Subject.REVIEW:
            offered = reviews.get(tx, ReviewId(delivery.ref))
            if offered:
                touch.card(ctx, sessions.must(tx, offered.session))
                judge = sessions.must(tx, offered.session).judge
                if delivery.to.person == judge or judge == sessions.must(tx, offered.session).owner:
                    people.pinged(tx, judge, delivery.ref, ctx.now)
        case Subject.FAILURE:
            if failure := failures.get(tx, int(delivery.ref)):
                people.pinged(tx, sessions.must(tx, failure.session).owner, f"failed:{failure.id}", ctx.now)
        case _:
            pass


def _failed(ctx: Ctx, delivery: Delivery, failure: Failure) -> None:
    tx = ctx.tx
    spot = deliveries.spot_of(tx, delivery.id)
    if spot is None:
        return
    match failure:
        case RateLimited(after):
            deliveries.rest(tx, spot.lane, ctx.now + after)
            deliveries.release(tx, delivery.id, tried=False)
        case Retryable(reason) | Ambiguous(reason):
            _try_again(ctx, delivery, spot, reason)
        case Permanent(error):
            _give_up(ctx, delivery, spot, error)
        case _:
            assert_never(failure)


def _try_again(ctx: Ctx, delivery: Delivery, spot: deliveries.Spot, reason: str) -> None:
    tries = delivery.attempts + 1
    if tries >= TRIES:
        log.error("outbox.dead_letter", delivery=delivery.id, subject=delivery.subject, ref=delivery.ref, error=reason)
        deliveries.die(ctx.tx, delivery.id, reason)
        return
    until = ctx.now + min(timedelta(seconds=0.5 * 2**tries), LONGEST_REST)
    log.warning("outbox.retry", delivery=delivery.id, subject=delivery.subject, lane=spot.lane, error=reason)
    if tries <= TRIES_IN_ORDER:
        deliveries.rest(ctx.tx, spot.lane, until)
        deliveries.release(ctx.tx, delivery.id)
    else:
        deliveries.release(ctx.tx, delivery.id, not_before=until)


def _give_up(ctx: Ctx, delivery: Delivery, spot: deliveries.Spot, error: str) -> None:
    session = sessions.get(ctx.tx, spot.session) if spot.session else None
    if delivery.message is not None and error in MESSAGE_IS_GONE:
        log.warning("outbox.message_gone", subject=delivery.subject, ref=delivery.ref, error=error)
        deliveries.remove(ctx.tx, delivery.id)
        lost(ctx, delivery.message)
    elif session is not None and session.channel and error in CHANNEL_IS_CLOSED:
        log.warning("outbox.thread_moves", session=session.id, channel=session.channel, error=error)
        deliveries.release(ctx.tx, delivery.id, tried=False)
        move_to_dm(ctx, session, error)
    else:
        log.error("outbox.dead_letter", delivery=delivery.id, subject=delivery.subject, ref=delivery.ref, error=error)
        deliveries.die(ctx.tx, delivery.id, error)


def move_to_dm(ctx: Ctx, session: Session, error: str) -> None:
    """The channel cannot be used any more: the thread starts anew in the owner's DM, with what is open."""
    tx = ctx.tx
    sessions.change(tx, session.id, channel="", thread_ts="")
    deliveries.move_session(tx, session.id, touch.dm_lane(session.owner), forget_messages=True)
    moved = sessions.must(tx, session.id)
    why = _CLOSED_BECAUSE.get(error, f"does not let me post ({words.code(error)})")
    fix = f"For the next ones: put that right, or name another channel for {words.code(session.repo)}."
    touch.say(ctx, moved, f"{words.channel(session.channel)} {why}, so this thread goes on here. {fix}")
    _post_anew(ctx, moved)


def _post_anew(ctx: Ctx, session: Session) -> None:
    touch.card(ctx, session)
    holding.anew(ctx, session)


def lost(ctx: Ctx, message: MessageRef) -> None:
    """A message of ours is gone. What still waits for a person is posted again, once; the rest is forgotten."""
    found = deliveries.at(ctx.tx, message.channel, message.ts)
    if found is None:
        return
    subject, ref, spot, times = found
    deliveries.lose(ctx.tx, subject, ref, spot.place)
    if times > 0:
        return
    match subject:
        case Subject.SESSION:
            session = sessions.get(ctx.tx, SessionId(ref))
            if session and session.open:
                deliveries.move_session(ctx.tx, session.id, touch.thread(session).lane, forget_messages=True)
                sessions.change(ctx.tx, session.id, thread_ts="")
                _post_anew(ctx, session)
        case Subject.QUESTION:
            stand = questions.on_card(ctx.tx, ref)
            if any(asked.open for asked in stand):
                touch.post_question(ctx, sessions.must(ctx.tx, stand[0].session), stand[0].question.id)
        case Subject.REVIEW:
            offered = reviews.get(ctx.tx, ReviewId(ref))
            if offered and offered.open:
                holding.review_anew(ctx, sessions.must(ctx.tx, offered.session), offered.review.id)
        case Subject.FAILURE:
            if failure := failures.get(ctx.tx, int(ref)):
                holding.failure_anew(ctx, sessions.must(ctx.tx, failure.session))
        case _:
            pass
