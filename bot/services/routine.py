"""What comes back by itself: digests for people, the progress message of a thread."""

from __future__ import annotations

from msgspec.structs import replace

from bot.domain import digests as editions_rules
from bot.domain import progress
from bot.domain.sessions import Session
from bot.services import calendar, editions, homes, touch
from bot.services.ctx import Ctx
from bot.store import due, people, questions, reviews, sessions
from bot.store.due import Due
from bot.wire.types import PersonId, SessionId, Snapshot

# --- digests --------------------------------------------------------------------------------------------------------


def schedule_digests(ctx: Ctx, session: Session) -> None:
    """Whoever this session may concern gets a next digest, if none is scheduled yet."""
    for person in dict.fromkeys((session.owner, session.reviewer)):
        if person is not None and due.get(ctx.tx, "digest", person) is None:
            schedule_digest(ctx, person)


def schedule_digest(ctx: Ctx, person: PersonId, last: Due | None = None) -> Due | None:
    """The person's next slot, by their own schedule and time zone; None when they want none."""
    known = people.get(ctx.tx, person)
    following = calendar.next_due(
        "digest",
        person,
        editions_rules.parse_schedule(homes.schedule_of(ctx, known)),
        homes.timezone_of(known),
        ctx.now,
        last=last.at if last else None,
        last_slot=due.last_slot(ctx.tx, "digest", person),
    )
    if following is None:
        due.cancel(ctx.tx, "digest", person)
    else:
        due.schedule(ctx.tx, following)
    return following


def digest_is_due(ctx: Ctx, slot: Due) -> None:
    """Told only when there is news; nobody is woken again who has no session left."""
    person = PersonId(slot.key)
    digest = editions.tell(ctx, person, on_demand=False, slot=slot.slot)
    following = schedule_digest(ctx, person, slot) if sessions.has_any(ctx.tx, person) else None
    if digest is not None and following is not None:
        editions.set_next(ctx, digest, following.at)


# --- the progress message -------------------------------------------------------------------------------------------


def progress_came(ctx: Ctx, session_id: SessionId, snapshot: Snapshot, *, first: bool) -> None:
    """The first message is posted at once, while nobody follows the thread yet; later ones wait for their interval."""
    if first:
        if progress.has_news(snapshot, None):
            bring_progress(ctx, session_id)
        return
    if _decision_waits(ctx, session_id):
        bring_progress(ctx, session_id)  # a card below it says how things stand
        return
    if due.get(ctx.tx, "progress", session_id) is not None:
        return
    shown, at, _, _ = sessions.told(ctx.tx, session_id)
    if at is not None and progress.has_news(snapshot, shown):
        due.schedule(ctx.tx, Due("progress", session_id, "", max(ctx.now, at + ctx.settings.progress_every)))


def bring_progress(ctx: Ctx, session_id: SessionId, *, only_edit: bool = False) -> None:
    """True beside a card that calls somebody. The first comes before that mention makes them follow the thread; later
    ones are edits, which notify nobody: a fresh message waits for its interval."""
    session = sessions.get(ctx.tx, session_id)
    if session is None or session.snapshot is None:
        return
    shown, at, _, _ = sessions.told(ctx.tx, session_id)
    if at is None and only_edit:
        return
    if at is not None and shown is not None and replace(session.snapshot, at=shown.at) == shown:
        return
    below = sessions.tell(ctx.tx, session_id, session.snapshot, ctx.now, progress.new_commits(session.snapshot, shown))
    if below and at is not None:
        sessions.wrote_below(ctx.tx, session_id)  # still to be told by the next fresh message
    touch.progress(ctx, session, fresh=False)


def _decision_waits(ctx: Ctx, session_id: SessionId) -> bool:
    return bool(questions.oldest_open(ctx.tx, session_id) or reviews.open_in(ctx.tx, session_id))


def progress_is_due(ctx: Ctx, session_id: SessionId) -> None:
    session = sessions.get(ctx.tx, session_id)
    if session is None or not session.open or session.snapshot is None:
        return
    shown, _, _, _ = sessions.told(ctx.tx, session_id)
    if not progress.has_news(session.snapshot, shown):
        return
    commits = progress.new_commits(session.snapshot, shown)
    below = sessions.tell(ctx.tx, session_id, session.snapshot, ctx.now, commits)
    touch.progress(ctx, session, fresh=below)
