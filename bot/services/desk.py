"""The desk: everything people do, whatever surface it came from. One intent is one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, TypeVar, assert_never

import structlog

from bot.domain.deliveries import MessageRef
from bot.domain.intents import (
    AnswerText,
    Choose,
    DigestNow,
    Drop,
    Intent,
    Later,
    ListSessions,
    Merge,
    Note,
    Nothing,
    Origin,
    Pause,
    Prefs,
    Reply,
    ReplyAs,
    Reset,
    Response,
    Resume,
    SendBack,
    SetPrefs,
    SetWake,
    Start,
    StartOffers,
    Status,
    Steer,
    Stop,
    Tell,
    Unsend,
)
from bot.domain.views import HomeView, QuestionCard, ReviewCard, SessionCard
from bot.errors import StoreError
from bot.services import (
    adopting,
    answering,
    cards,
    following,
    homes,
    looking,
    outbox,
    prefs,
    resting,
    reviewing,
    starting,
    stopping,
    talking,
    touch,
)
from bot.services.ctx import Act, Ctx
from bot.services.ports import Clock
from bot.services.settings import ServiceSettings
from bot.store import inbox, people, questions, reviews, sessions
from bot.store.database import Database, Tx
from bot.wire.types import PersonId, QuestionId, ReviewId, SessionId

log = structlog.get_logger()
T = TypeVar("T")

HOME_STAYS_FRESH = timedelta(hours=1)


class Desk:
    """``handle`` never raises for what people say: what is wrong comes back as a Note."""

    def __init__(self, db: Database, settings: ServiceSettings, clock: Clock) -> None:
        self._db = db
        self._settings = settings
        self._clock = clock

    async def handle(self, intent: Intent, by: PersonId, origin: Origin) -> Response:
        """Deduplicated on ``origin.key``. Once this returns, the change and all it causes are on disk."""
        now = self._clock.now()

        def work(tx: Tx) -> Response:
            if not inbox.first_time(tx, origin.key, now):
                return Nothing()
            people.meet(tx, by)
            people.acted(tx, by, now)
            act = Act(tx, now, self._settings, by, origin)
            clean = scrubbed(intent)
            adopting.adopt(act, clean)
            return _guest(act) or dispatch(act, clean)

        try:
            return await self._db.write(work)
        except StoreError:
            log.exception("desk.not_stored", intent=type(intent).__name__, by=by)
            return Note("That could not be saved, so nothing was done. Try again in a moment.", problem=True)
        except Exception:  # the edge towards people: nothing was changed, and they are told rather than left waiting
            log.exception("desk.failed", intent=type(intent).__name__, by=by)
            return Note("Something went wrong here, so nothing was done. The bot's log says what.", problem=True)

    # --- looking ----------------------------------------------------------------------------------------------------

    async def offers(self, by: PersonId) -> StartOffers:
        return await self._read(lambda ctx: starting.offers(ctx, by))

    async def prefs(self, by: PersonId) -> Prefs:
        return await self._read(lambda ctx: prefs.current(ctx, by))

    async def home(self, by: PersonId) -> HomeView:
        return await self._read(lambda ctx: homes.home_view(ctx, by))

    async def question(self, question: QuestionId) -> QuestionCard | None:
        def work(ctx: Ctx) -> QuestionCard | None:
            asked = questions.get(ctx.tx, question)
            return cards.question_card(ctx, asked, sessions.must(ctx.tx, asked.session)) if asked else None

        return await self._read(work)

    async def review(self, review: ReviewId) -> ReviewCard | None:
        def work(ctx: Ctx) -> ReviewCard | None:
            found = reviews.get(ctx.tx, review)
            if found is None:
                return None
            return cards.review_card(ctx, found, sessions.must(ctx.tx, found.session), first=False)

        return await self._read(work)

    async def session_in(self, channel: str, thread_ts: str) -> SessionId | None:
        """The session whose thread this is."""
        return await self._db.read(lambda tx: sessions.in_thread(tx, channel, thread_ts))

    async def all_sessions(self) -> Sequence[SessionCard]:
        """Every open session, the oldest first."""
        return await self._read(lambda ctx: [cards.session_card(ctx, s) for s in sessions.of(ctx.tx, None)])

    # --- what Slack tells us ----------------------------------------------------------------------------------------

    async def home_opened(self, by: PersonId) -> None:
        """Shown now, and kept fresh for an hour."""

        def work(ctx: Ctx) -> None:
            people.meet(ctx.tx, by)
            people.watch_home(ctx.tx, by, ctx.now + HOME_STAYS_FRESH)
            touch.home(ctx, by)

        await self._write(work)

    async def message_lost(self, channel: str, ts: str) -> None:
        """Somebody deleted a card of ours: what is still open in it is posted again, once."""
        await self._write(lambda ctx: outbox.lost(ctx, MessageRef(channel, ts)))

    async def _read(self, work: Callable[[Ctx], T]) -> T:
        now = self._clock.now()
        return await self._db.read(lambda tx: work(Ctx(tx, now, self._settings)))

    async def _write(self, work: Callable[[Ctx], T]) -> T:
        now = self._clock.now()
        return await self._db.write(lambda tx: work(Ctx(tx, now, self._settings)))


def scrubbed(intent: Intent) -> Intent:
    """Without what cannot be stored or sent on: NUL and halves of characters, which JSON may carry."""
    texts: dict[str, Any] = {}
    for each in fields(intent):
        value = getattr(intent, each.name)
        if isinstance(value, str):
            texts[each.name] = _scrub(value)
        elif isinstance(value, tuple):
            texts[each.name] = tuple(_scrub(part) for part in value)
    return replace(intent, **texts)


def _scrub(text: str) -> str:
    return text.replace("\x00", "").encode(errors="ignore").decode()


def _guest(act: Act) -> Response | None:
    """Guests and bots see the cards and reach nothing.

    Who is not known yet may go on with sessions that name them, as owner, reviewer or admin (see ``finding.allowed``).
    """
    known = people.get(act.tx, act.by)
    if known and (known.profile.is_guest or known.profile.is_bot):
        if act.origin.surface == "reply":
            return talking.not_yours(act)
        return Note("Guests and apps cannot use sessions here. Ask a member of this workspace.", problem=True)
    return None


def dispatch(act: Act, intent: Intent) -> Response:
    match intent:
        case Start():
            return starting.start(act, intent)
        case Stop(session):
            return stopping.stop(act, session)
        case Drop(session):
            return stopping.drop(act, session)
        case Tell(session, text, now):
            return talking.tell(act, session, text, now=now)
        case Steer(prompt):
            return following.steer(act, prompt)
        case Unsend(prompt):
            return following.unsend(act, prompt)
        case Pause(session):
            return resting.pause(act, session)
        case Resume(session):
            return resting.resume(act, session)
        case Reset(session):
            return resting.reset(act, session)
        case SetWake(session, on):
            return resting.set_wake(act, session, on=on)
        case ListSessions(everyone):
            return looking.listing(act, everyone=everyone)
        case Status(session):
            return looking.status(act, session)
        case DigestNow():
            return prefs.digest_now(act)
        case SetPrefs():
            return prefs.set_prefs(act, intent)
        case Choose():
            return answering.choose(act, intent)
        case AnswerText(question, text):
            return answering.answer_text(act, question, text)
        case Later(question):
            return answering.later(act, question)
        case Reply(text):
            return talking.reply(act, text)
        case ReplyAs():
            return talking.reply_as(act, intent)
        case Merge(review, commit):
            return reviewing.merge(act, review, commit)
        case SendBack(review, commit, text):
            return reviewing.send_back(act, review, commit, text)
        case _:
            assert_never(intent)
