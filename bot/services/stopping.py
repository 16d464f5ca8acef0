"""Stopping a session: its branch stays. A session that no host ever took is closed here."""

from __future__ import annotations

from bot.domain.intents import Note, Nothing, Response
from bot.domain.sessions import Session, SessionState
from bot.services import closing, failing, finding, touch, words
from bot.services.ctx import Act
from bot.store import commands, events, hosts, sessions
from bot.wire.messages import StopSession
from bot.wire.types import Ending


def stop(act: Act, named: str) -> Response:
    session = finding.find(act, named)
    if isinstance(session, Note):
        return session
    if problem := finding.allowed(act, session):
        return problem
    if not session.open:
        return finding.gone(session)
    if session.stop_by is not None:
        return _again(act, session)
    sessions.change(act.tx, session.id, stop_by=act.by)
    host = commands.host_peer(session.host)
    if session.place is None and commands.cancel_start(act.tx, host, session.id):
        # The host may have it on its disk without having said so: it is told too, and refuses what it does not know.
        _tell_host(act, session)
        closing.close(act, sessions.must(act.tx, session.id), Ending.STOPPED, detail="stopped before it began")
        return Note(f"{words.code(session.name)} is stopped; it had not begun.")
    if hosts.get(act.tx, session.host) is None:
        closing.close(
            act, sessions.must(act.tx, session.id), Ending.STOPPED, detail="its host is not enrolled any more"
        )
        return Note(f"{words.code(session.name)} is closed; its host is gone.")
    _tell_runner(act, session)
    if not events.connected(act.tx, commands.runner_peer(session.id)):
        _tell_host(act, session)
    sessions.set_state(act.tx, session.id, SessionState.STOPPING, act.now)
    now = sessions.must(act.tx, session.id)
    touch.card(act, now)
    failing.is_dropped(act, now)
    return Nothing() if act.origin.surface == "button" else Note(f"Stopping {words.code(session.name)}.")


def drop(act: Act, named: str) -> Response:
    """Only what has failed is dropped: the button may be older than what became of the failure."""
    session = finding.find(act, named)
    if not isinstance(session, Note) and session.open and session.stop_by is None:
        late = finding.allowed(act, session) or failing.too_late(act, session)
        if late is not None:
            return late
    return stop(act, named)


def _again(act: Act, session: Session) -> Response:
    """A second stop goes to the host as well, in case the runner is in no state to obey."""
    _tell_host(act, session)
    return Note(f"{words.code(session.name)} is being stopped; its host was told as well.")


def _tell_runner(act: Act, session: Session) -> None:
    _tell(act, session, commands.runner_peer(session.id))


def _tell_host(act: Act, session: Session) -> None:
    _tell(act, session, commands.host_peer(session.host))


def _tell(act: Act, session: Session, peer: str) -> None:
    body = StopSession(session.id, finding.person_of(act, act.by))
    commands.add(act.tx, peer, session.id, body, act.now)
