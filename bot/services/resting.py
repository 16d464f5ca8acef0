"""Pausing, resuming, clearing a context, waking from a limit: asked for by people, done by the runner."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.intents import Note, Nothing, Response
from bot.domain.sessions import Session, SessionState
from bot.services import failing, finding, touch, words
from bot.services.ctx import Act, Ctx
from bot.store import commands, events, sessions
from bot.wire.messages import CommandBody, ContextReset, PauseSession, ResetContext, ResumeSession, WakeAtReset
from bot.wire.types import Ability

NAMED = 10
"""Pieces of background work that a note lists."""


def pause(act: Act, named: str) -> Response:
    session = _reachable(act, named)
    if isinstance(session, Note):
        return session
    name = words.code(session.name)
    match session.state:
        case SessionState.PAUSED:
            return Note(f"{name} is paused already; *Resume* takes it up again.")
        case SessionState.FAILED:
            return Note(f"{name} has failed, so there is nothing to pause. Resume it, or drop it.", problem=True)
        case _:
            pass
    if not session.can(Ability.CANCEL):
        return _cannot(session, "be paused from here", "Pause it where it runs, or stop the session.")
    _tell_runner(act, session, PauseSession(finding.person_of(act, act.by)))
    return _said(act, f"Pausing {name}; nothing is lost, and *Resume* takes it up again.")


def resume(act: Act, named: str) -> Response:
    session = _reachable(act, named)
    if isinstance(session, Note):
        return session
    name = words.code(session.name)
    body = ResumeSession(finding.person_of(act, act.by), session.id)
    if session.at_work or session.state is SessionState.STOPPED:
        # A pause may be on its way, and its runner may have it already: who is not paused ignores this.
        pausing = commands.waits(act.tx, commands.runner_peer(session.id), PauseSession.type)
        _tell_runner(act, session, body)
        if pausing:
            return _said(act, f"Resuming {name}: it goes on after all.")
        if session.at_work:
            return Note(f"{name} is at work already.")
        return Note(f"{name} has ended its turn and waits for words: write in its thread what it should do.")
    again = failing.taken_up(act, session)
    _tell_runner(act, session, body)
    if not events.connected(act.tx, commands.runner_peer(session.id)):
        # Perhaps it is gone for good: its host starts another in its place.
        commands.add(act.tx, commands.host_peer(session.host), session.id, body, act.now)
    return Note(again) if again else _said(act, f"Resuming {name}.")


def reset(act: Act, named: str) -> Response:
    session = _reachable(act, named)
    if isinstance(session, Note):
        return session
    name = words.code(session.name)
    if not session.can(Ability.RESET):
        return _cannot(session, "clear its context", "Stop the session and start another for a fresh one.")
    if session.state is SessionState.FAILED:
        return Note(f"{name} has failed; resume it first.", problem=True)
    _tell_runner(act, session, ResetContext(finding.person_of(act, act.by)))
    when = " once its turn ends" if session.at_work else ""
    return Note(f"Clearing the context of {name}{when}. Its thread says what lived on.")


def set_wake(act: Act, named: str, *, on: bool) -> Response:
    session = _reachable(act, named)
    if isinstance(session, Note):
        return session
    sessions.change(act.tx, session.id, wakes=int(on))
    _tell_runner(act, session, WakeAtReset(on, finding.person_of(act, act.by)))
    touch.card(act, sessions.must(act.tx, session.id))
    until = f" at {words.when(session.limited_until)}" if session.limited_until else ""
    name = words.code(session.name)
    if session.state is not SessionState.LIMITED:
        does = "goes on by itself once it is lifted" if on else "waits for *Resume*"
        return Note(f"When a usage limit stops {name}, it {does}.")
    return _said(act, f"{name} goes on by itself{until}." if on else f"{name} stays asleep until somebody resumes it.")


def _reachable(act: Act, named: str) -> Session | Note:
    """The session, where this person may order it about and somebody may obey."""
    session = finding.find(act, named)
    if isinstance(session, Note):
        return session
    if problem := finding.allowed(act, session):
        return problem
    if not session.open:
        return finding.gone(session)
    if session.stop_by is not None:
        return Note(f"{words.code(session.name)} is being stopped.", problem=True)
    return session


def _cannot(session: Session, what: str, instead: str) -> Note:
    who = words.escape(session.agent_title or session.agent)
    return Note(f"This agent ({who}) cannot {what}. {instead}", problem=True)


def _tell_runner(act: Act, session: Session, body: CommandBody) -> None:
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)


def _said(act: Act, text: str) -> Response:
    """A button's effect shows on its card."""
    return Nothing() if act.origin.surface == "button" else Note(text)


# --- by the runner --------------------------------------------------------------------------------------------------


def was_reset(ctx: Ctx, session: Session, body: ContextReset) -> None:
    """What survived and what could not be kept belongs into the thread, whoever asked for the reset."""
    if not session.open:
        return
    name = words.escape(session.name)
    if body.problem:
        touch.say(ctx, session, f"⚠️ The context of *{name}* was not cleared: {words.escape(body.problem)}")
        return
    lines = [f"🧹 *{name}* begins afresh: its context was cleared."]
    if body.survived:
        lines.append(f"Still running: {_listed(body.survived)}")
    if body.lost:
        lines.append(f"Could not be kept: {_listed(body.lost)}")
    touch.say(ctx, session, "\n".join(lines))


def _listed(titles: Iterable[str]) -> str:
    return words.some([words.cut(title, 120) for title in titles], NAMED)
