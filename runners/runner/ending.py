"""How a runner ends: for good or until later, what it leaves of the worktree, and who still has to hear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.wire import codec
from bot.wire.messages import AnswerApplied, DeliverAnswer, EventBody, Prompt, PromptDropped, SessionEnded
from bot.wire.types import Ending
from runners.errors import RunnerError
from runners.link.spool import Waiting
from runners.repo import reviewing, worktrees
from runners.runner.ticket import Ticket

log = structlog.get_logger()


@dataclass(frozen=True)
class Over:
    """The session ends for good."""

    ending: Ending
    look: str = ""
    last_words: str = ""


@dataclass(frozen=True)
class Pausing:
    """The process ends, the session goes on later."""


def unheard(commands: list[Waiting]) -> list[EventBody]:
    """Answers and follow-ups accepted by the link that nobody will apply any more."""
    found: list[EventBody] = []
    for waiting in commands:
        match codec.command_body(waiting.type, waiting.body):
            case DeliverAnswer(answer):
                found.append(AnswerApplied(answer.question, applied=False, detail="the session has ended"))
            case Prompt(id=prompt) if prompt:
                found.append(PromptDropped(prompt, "the session ended first"))
            case _:
                pass
    return found


def left(ticket: Ticket, over: Over) -> SessionEnded:
    """Remove the worktree where nothing would be lost; say what is left and how to get at it. Blocking."""
    place, repo = ticket.place, Path(ticket.repo)
    worktree = Path(place.worktree)
    if place.attached:
        return SessionEnded(
            ending=over.ending,
            branch=place.branch,
            worktree=str(worktree),
            look=over.look or f"cd {worktree}",
            last_words=over.last_words,
        )
    try:
        dirty = worktrees.remove_if_clean(worktree, repo, ticket.copied)
    except (RunnerError, OSError) as err:
        log.warning("worktree.kept", error=str(err))
        dirty = ("(the worktree could not be looked at)",)
    kept = str(worktree) if dirty else ""
    return SessionEnded(
        ending=over.ending,
        branch=place.branch,
        worktree=kept,
        dirty=reviewing.named(dirty, place.share),
        look=over.look or (f"cd {kept}" if kept else f"git switch {place.branch}"),
        last_words=over.last_words,
    )
