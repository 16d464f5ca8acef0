"""Follow-ups: queued, shown, given within a turn or taken back; and what the runner says became of them."""

from __future__ import annotations

import structlog

from bot.domain import names
from bot.domain.intents import Note, Queued, Response, Waiting
from bot.domain.questions import MAX_TEXT
from bot.domain.sessions import Session, SessionState
from bot.services import failing, finding, touch, words
from bot.services.ctx import Act, Ctx
from bot.store import commands, prompts, reviews, sessions
from bot.store.prompts import Kept
from bot.wire import codec
from bot.wire.messages import Prompt, SteerPrompt, WithdrawPrompt
from bot.wire.types import Ability, PromptId

log = structlog.get_logger()


# --- by people ------------------------------------------------------------------------------------------------------


def queue(act: Act, session: Session, text: str, *, now: bool = False) -> Waiting | Note:
    """Words on their way; a note says why that is not possible."""
    text = names.clean(text)
    if not text:
        return Note("There are no words in that.", problem=True, field="text")
    if len(text) > MAX_TEXT:
        return Note(
            f"That is {len(text):,} characters; at most {MAX_TEXT:,} fit. Put the rest into a file in the repo.",
            problem=True,
            field="text",
        )
    if not session.open:
        return finding.gone(session)
    if session.stop_by is not None:
        return Note(f"{words.code(session.name)} is being stopped; your words were not sent.", problem=True)
    prompt = prompts.add(act.tx, session.id, act.by, text, act.now)
    body = Prompt(text, finding.person_of(act, act.by), prompt, now=now and session.can(Ability.STEER))
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)
    failing.taken_up(act, session)
    if in_turn(act, session):
        touch.card(act, session)
    return Waiting(prompt, text, act.by)


def heard(act: Act, session: Session, waiting: Waiting, *, now: bool = False, quiet: bool = False) -> Response | None:
    """When the agent gets these words; None where it does at once, and that may stay unsaid (``quiet``)."""
    name = words.code(session.name)
    match session.state:
        case SessionState.PAUSED:
            return Note(f"{name} is paused; it reads this once it is resumed.")
        case SessionState.LIMITED:
            until = f" until {words.when(session.limited_until)}" if session.limited_until else ""
            return Note(f"{name} is asleep{until}; it reads this when it goes on.")
        case _:
            pass
    if session.attached and not session.can(Ability.PROMPT) and not in_turn(act, session):
        return Note(f"{name} runs in a terminal; it reads this in its next turn there.")
    if in_turn(act, session):
        if now:
            return _at_once(session, waiting)
        return Queued(session.name, waiting, can_steer=_steers(session))
    if reviews.open_in(act.tx, session.id):
        return Note(f"{name} takes this up now; what it changes comes as a new review.")
    return None if quiet else Note(f"{name} has your words.")


def _at_once(session: Session, waiting: Waiting) -> Response:
    if _steers(session):
        return Note(f"{words.code(session.name)} gets this within its turn.")
    return Queued(session.name, waiting, not_now=True)


def in_turn(ctx: Ctx, session: Session) -> bool:
    """Its agent is at work, so that words must wait; one whose review waits has ended its turn."""
    return session.at_work and not reviews.open_in(ctx.tx, session.id)


def _steers(session: Session) -> bool:
    """Only who has said that it can."""
    return session.abilities is not None and Ability.STEER in session.abilities


def steer(act: Act, prompt: PromptId) -> Response:
    found = _waiting(act, prompt)
    if isinstance(found, Note):
        return found
    kept, session = found
    name = words.code(session.name)
    if not _steers(session):
        text = f"This agent cannot take words within a turn; {name} reads them when its turn ends."
        return Note(text, problem=True)
    if not in_turn(act, session):
        return Note(f"No turn of {name} is under way; it reads this at the beginning of its next one.")
    body = SteerPrompt(kept.id)
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)
    return Note(f"{name} gets this within its turn.")


def unsend(act: Act, prompt: PromptId) -> Response:
    found = _waiting(act, prompt)
    if isinstance(found, Note):
        return found
    kept, session = found
    if not prompts.take_back(act.tx, kept.id, act.by):
        return Note("That is being taken back already.")
    body = WithdrawPrompt(kept.id)
    commands.add(act.tx, commands.runner_peer(session.id), session.id, body, act.now)
    return Note(f"Taking back {_quote(kept)}. You are told if {words.code(session.name)} has read it already.")


def _waiting(act: Act, prompt: PromptId) -> tuple[Kept, Session] | Note:
    kept = prompts.get(act.tx, prompt)
    if kept is None:
        return Note("That follow-up is not known here.", problem=True)
    session = sessions.must(act.tx, kept.session)
    if problem := finding.allowed(act, session):
        return problem
    if kept.state == "given":
        return Note(f"Too late: {words.code(session.name)} has {_quote(kept)} already.")
    if kept.state == "dropped" and kept.taken_back_by:
        return Note(f"{_quote(kept)} was taken back; {words.code(session.name)} never reads it.")
    if kept.state == "dropped":
        return Note(f"{words.code(session.name)} does not get {_quote(kept)}: {words.escape(kept.reason)}.")
    return kept, session


# --- by the runner --------------------------------------------------------------------------------------------------


def given(ctx: Ctx, session: Session, prompt: PromptId, *, steered: bool) -> None:
    if not session.owns(prompt) or not prompts.settle(ctx.tx, prompt, "given"):
        return
    touch.card(ctx, session)
    kept = prompts.get(ctx.tx, prompt)
    if kept is not None and kept.taken_back_by is not None:
        when = "within its turn" if steered else "already"
        text = f"Too late to take back {_quote(kept)}: {words.code(session.name)} had it {when}."
        touch.whisper(ctx, session, kept.taken_back_by, text)


def dropped(ctx: Ctx, session: Session, prompt: PromptId, reason: str) -> None:
    if not session.owns(prompt) or not prompts.settle(ctx.tx, prompt, "dropped", reason):
        return
    touch.card(ctx, session)
    kept = prompts.get(ctx.tx, prompt)
    if kept is not None and kept.taken_back_by is None:
        _lost(ctx, session, kept, reason)


def refused(ctx: Ctx, session: Session, body: bytes, problem: str) -> None:
    """Its runner would not even take it; the thread says so."""
    try:
        prompt = codec.command_body(Prompt.type, body)
    except codec.WireError:
        log.warning("prompt.unreadable", session=session.id)
        return
    if isinstance(prompt, Prompt) and prompts.settle(ctx.tx, prompt.id, "dropped", problem):
        touch.card(ctx, session)


def none_will_be_given(ctx: Ctx, session: Session, reason: str) -> None:
    """The session ends: whoever wrote what still waits has the words back. Who ended it knows."""
    for kept in prompts.queued(ctx.tx, session.id):
        prompts.settle(ctx.tx, kept.id, "dropped", reason)
        if kept.taken_back_by is None and kept.by != session.stop_by:
            _lost(ctx, session, kept, reason)


def _lost(ctx: Ctx, session: Session, kept: Kept, reason: str) -> None:
    said = words.escape(words.cut(kept.text, 1500))
    text = f"Your words did not reach {words.code(session.name)}: {words.escape(reason)}. They were:\n{said}"
    touch.whisper(ctx, session, kept.by, text)


def _quote(kept: Kept) -> str:
    return f"“{words.escape(words.cut(' '.join(kept.text.split()), 80))}”"
