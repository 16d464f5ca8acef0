"""App Home: everything that waits for one person, and what their sessions are doing."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from bot.domain import progress
from bot.domain.digests import DECISIONS
from bot.domain.views import HomeView
from bot.services import calendar, cards, editions, words
from bot.services.ctx import Ctx
from bot.store import digests, due, people, questions, sessions
from bot.store.people import Known
from bot.wire.types import PersonId, SessionId

SESSIONS_SHOWN = 30


def timezone_of(known: Known | None) -> ZoneInfo:
    """Their own choice, else Slack's, else UTC."""
    names = (known.own_tz, known.profile.tz) if known else ()
    return next((zone for name in names if (zone := calendar.zone(name))), ZoneInfo("UTC"))


def schedule_of(ctx: Ctx, known: Known | None) -> str:
    return known.digest if known and known.digest else ctx.settings.digest


def home_view(ctx: Ctx, person: PersonId) -> HomeView:
    known = people.get(ctx.tx, person)
    tz = timezone_of(known)
    waiting = [c for c in editions.candidates(ctx, person, {}) if c.kind in DECISIONS]
    waiting = sorted((c for c in waiting if _still(ctx, c.session)), key=lambda c: c.since)
    lines = []
    for number, candidate in enumerate(waiting, 1):
        session = sessions.must(ctx.tx, SessionId(candidate.session))
        row = digests.Row(number, candidate.kind, candidate.ref, session.id, None, candidate.text)
        if line := editions.decision(ctx, row, session, number):
            lines.append(line)
    slot = due.get(ctx.tx, "digest", person)
    mine = sessions.of(ctx.tx, person)
    used = progress.used(progress.used_by(session.snapshot) for session in mine)
    return HomeView(
        person=person,
        at=ctx.now,
        decisions=tuple(lines),
        sessions=tuple(cards.session_card(ctx, s) for s in mine[-SESSIONS_SHOWN:]),
        next_digest=slot.at if slot else None,
        digest=schedule_of(ctx, known),
        tz=tz.key,
        answered_today=questions.answered_by_since(ctx.tx, person, _midnight(ctx.now, tz)),
        pinged_today=people.pings_since(ctx.tx, person, _midnight(ctx.now, tz)),
        tokens=used.tokens,
        cost=used.cost,
    )


def next_digest_words(ctx: Ctx, person: PersonId) -> str:
    slot = due.get(ctx.tx, "digest", person)
    return words.when(slot.at) if slot else ""


def next_digest_plain(ctx: Ctx, person: PersonId) -> str:
    """The same for a form, in the person's own zone."""
    slot = due.get(ctx.tx, "digest", person)
    return f"{slot.at.astimezone(timezone_of(people.get(ctx.tx, person))):%a %d %b, %H:%M}" if slot else ""


def _still(ctx: Ctx, session: str) -> bool:
    found = sessions.get(ctx.tx, SessionId(session))
    return found is not None and found.open


def _midnight(now: datetime, tz: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(tz).date(), time(), tzinfo=tz)
