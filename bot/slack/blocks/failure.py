"""The card that calls somebody to a failed session: why, its last words, and what can be done."""

from __future__ import annotations

from bot.domain.views import FailureCard, Light
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.controls import failed_buttons
from bot.slack.blocks.kit import Button, Card, Message


def failed(exit_status: int | None) -> str:
    """The headline's word for it, wherever it stands."""
    return "failed" if exit_status is None else f"failed, exit status {exit_status}"


def failure_card(view: FailureCard) -> Message:
    whom = f" · {text.person(view.mention)}" if view.mention else ""
    name = text.line(view.session_name, 80)
    card = Card().say(f"{text.EMOJI[Light.FAILED]} *{name}* · {failed(view.exit_status)}{whom}")
    card.say(text.prose(view.why, 1500))
    last = text.prose(view.last_words, 800)
    card.say(f"Its last words: {last}" if last else "")
    if view.open:
        card.buttons(failed_buttons(view.session, view.session_name, can_resume=view.can_resume))
    elif not view.settled:
        card.buttons([Button("Look", Act(Verb.STATUS, view.session))])
    card.small(_after(view), f"failed {text.at(view.failed)}")
    return card.message()


def _after(view: FailureCard) -> str:
    if view.settled:
        when = f" {text.at(view.settled_at)}" if view.settled_at else ""
        return f"☑️ {text.line(view.settled, 200)}{when}"
    if not view.open:
        return ""
    if view.taken_by and view.taken_at:
        return f"{text.line(view.taken_by, 80)} asked it to go on {text.at(view.taken_at)}"
    return "Nothing is lost: a reply here starts its agent again, where it stopped" if view.can_resume else ""
