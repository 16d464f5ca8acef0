"""A person's own wishes: when their digest comes, in which time zone; and a digest right now."""

from __future__ import annotations

from dataclasses import replace

from bot.domain.digests import Off, parse_schedule
from bot.domain.intents import Note, Nothing, Prefs, Response, SetPrefs
from bot.services import calendar, editions, homes, routine, touch, words
from bot.services.ctx import Act, Ctx
from bot.store import due, people, sessions
from bot.wire.types import PersonId


def current(ctx: Ctx, person: PersonId) -> Prefs:
    known = people.get(ctx.tx, person)
    return Prefs(
        digest=homes.schedule_of(ctx, known),
        tz=homes.timezone_of(known).key,
        next_digest=homes.next_digest_plain(ctx, person),
    )


def set_prefs(act: Act, wish: SetPrefs) -> Response:
    """What is not named stays as it is; an empty field of the form goes back to what holds for everybody."""
    known = people.meet(act.tx, act.by)
    digest = known.digest if wish.digest is None else " ".join(wish.digest.split())
    tz = known.own_tz if wish.tz is None else wish.tz.strip()
    text = digest or act.settings.digest
    try:
        schedule = parse_schedule(text)
    except ValueError as err:
        return Note(words.escape(str(err)), problem=True, field="digest")
    if wish.tz is not None and tz and calendar.zone(tz) is None:
        return Note(f"There is no time zone {words.code(tz)}; write it like `Europe/Berlin`.", problem=True, field="tz")
    zone = homes.timezone_of(replace(known, own_tz=tz))
    if wrong := calendar.problem(schedule, zone, act.now):
        return Note(words.escape(f"{text}: {wrong}"), problem=True, field="digest")
    people.wish(act.tx, act.by, digest=digest, tz=tz)
    due.cancel(act.tx, "digest", act.by)
    following = routine.schedule_digest(act, act.by) if sessions.has_any(act.tx, act.by) else None
    touch.homes(act, act.by)
    if isinstance(schedule, Off):
        return Note("Digests are off. Decisions that work waits for still reach you; `/session digest` shows the rest.")
    when = f" The next one: {words.when(following.at)}." if following else ""
    return Note(f"Your digest: {words.code(text)} ({words.escape(zone.key)}), whenever there is news.{when}")


def digest_now(act: Act) -> Response:
    digest = editions.tell(act, act.by, on_demand=True)
    if digest is None:
        return Note("Nothing to tell: you have no open session and nothing has ended since your last digest.")
    slot = due.get(act.tx, "digest", act.by)
    if slot is not None:
        editions.set_next(act, digest, slot.at)
    if act.origin.channel.startswith("D"):
        return Nothing()
    return Note("Your digest is in your messages with me.")
