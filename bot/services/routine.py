"""What comes back by itself: digests for people, the progress message of a thread."""

from __future__ import annotations

from bot.domain import digests as editions_rules
from bot.domain import progress
from bot.domain.sessions import Session
from bot.services import calendar, editions, homes, touch
from bot.services.ctx import Ctx
from bot.store import due, people, sessions
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
            first_progress(ctx, session_id)
        return
    if due.get(ctx.tx, "progress", session_id) is not None:
        return
    shown, at, _, _ = sessions.told(ctx.tx, session_id)
    if at is not None and progress.has_news(snapshot, shown):
        due.schedule(ctx.tx, Due("progress", session_id, "", max(ctx.now, at + ctx.settings.progress_every)))


def first_progress(ctx: Ctx, session_id: SessionId) -> None:
    """Before the first mention makes somebody follow the thread: edits notify nobody."""
    session = sessions.get(ctx.tx, session_id)
    if session is None or session.snapshot is None or sessions.told(ctx.tx, session_id)[1] is not None:
        return
    sessions.tell(ctx.tx, session_id, session.snapshot, ctx.now, progress.new_commits(session.snapshot, None))
    touch.progress(ctx, session, fresh=False)


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
