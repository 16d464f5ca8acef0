"""Which session somebody means: by name or id, or by the thread in which they said it."""

from __future__ import annotations

from difflib import get_close_matches

from bot.domain import names
from bot.domain.intents import Note
from bot.domain.sessions import Session
from bot.services import words
from bot.services.ctx import Act
from bot.store import people, sessions
from bot.wire.types import Ending, Person, PersonId, SessionId

NOT_CHECKED = "I could not check who you are yet; try again in a moment."
NOT_YOURS = "Only its owner, its reviewer and admins can do that."


def find(act: Act, named: str) -> Session | Note:
    wanted = names.visible(named).strip("`*_").lstrip("#").lower()
    if not wanted:
        here = sessions.in_thread(act.tx, act.origin.channel, act.origin.thread_ts) if act.origin.thread_ts else None
        if here is not None:
            return sessions.must(act.tx, here)
        return Note(f"Which session? {_known(act)}", problem=True)
    found = sessions.by_name(act.tx, wanted) or sessions.get(act.tx, SessionId(wanted))
    if found and not act.circle(found).may_answer(act.by):
        if problem := unchecked(act):
            return problem
        found = found if visible(act, found) else None
    return found or Note(f"There is no session {words.code(named)}. {_near(act, wanted)}{_known(act)}", problem=True)


def only(act: Act, named: str) -> Session | Note:
    """As ``find``; without a name and outside a thread, the one session that this person has open."""
    mine = sessions.of(act.tx, act.by)
    return find(act, mine[0].name if not named.strip() and not act.origin.thread_ts and len(mine) == 1 else named)


def _near(act: Act, wanted: str) -> str:
    known = [session.name for session in sessions.of(act.tx, None) if visible(act, session)]
    near = get_close_matches(wanted, known, n=1)
    return f"Did you mean {words.code(near[0])}? " if near else ""


def _known(act: Act) -> str:
    mine = [session.name for session in sessions.of(act.tx, act.by)]
    if mine:
        return f"Yours are {words.some(mine)}."
    return "You have none open; start one with `/session start`."


def visible(act: Act, session: Session) -> bool:
    """A session in a channel is everybody's to see; one in its owner's messages is its circle's."""
    return bool(session.channel) or act.circle(session).may_answer(act.by)


def unchecked(act: Act) -> Note | None:
    """For what a guest must not do, by somebody of whom we cannot tell yet whether they are one. Fails closed."""
    known = people.get(act.tx, act.by)
    if act.by in act.settings.admins or (known is not None and known.checked):
        return None
    return Note(NOT_CHECKED, problem=True)


def allowed(act: Act, session: Session) -> Note | None:
    """None when this person may reach the session's agent."""
    if act.circle(session).may_answer(act.by):
        return None
    return Note(f"{words.code(session.name)} belongs to {words.person(session.owner)}. {NOT_YOURS}", problem=True)


def gone(session: Session) -> Note:
    """For whoever talks to a session that has ended."""
    if session.place is None and session.ending is Ending.FAILED:
        why = f": {words.escape(session.detail)}" if session.detail else ""
        again = "Start it again with `/session start`."
        return Note(f"{words.code(session.name)} never began{why}\n{again}", problem=True)
    look = f"\n{words.escape(words.look(session.look))}" if session.look else ""
    return Note(f"{words.code(session.name)} has ended; nothing reaches it any more.{look}", problem=True)


def person_of(act: Act, who: PersonId) -> Person:
    return people.meet(act.tx, who).person
