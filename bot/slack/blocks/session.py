"""A session as people see it: its card, its line in a list, its status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import zip_longest

from bot.domain import progress
from bot.domain.intents import Listing, StatusOf, Waiting
from bot.domain.progress import Used
from bot.domain.questions import assumed
from bot.domain.views import Light, SessionCard
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.choices import answers, is_cut, sign, unless
from bot.slack.blocks.controls import is_script, read_when, session_buttons
from bot.slack.blocks.failure import failed
from bot.slack.blocks.kit import Button, Card, Message, link
from bot.slack.blocks.progress import beside
from bot.wire.types import Ability, Question

AT_REST = frozenset((Light.REVIEW, Light.STOPPED, Light.FAILED, Light.LIMITED))
ASSUMPTIONS = 3
"""Assumptions that can be answered on a session's card."""
QUEUED = 5
"""Follow-ups that a status shows."""


def session_card(view: SessionCard) -> Message:
    card = Card().say(f"{_first(view)} · {text.line(view.task, 200) or 'no task'}")
    _body(card, view)
    if view.open:
        card.buttons(session_buttons(view))
    card.small(*_facts(view))
    return card.message()


def _first(view: SessionCard) -> str:
    return f"{text.EMOJI[view.light]} *{text.line(view.name, 80)}* · {condition(view)}"


def condition(view: SessionCard) -> str:
    """The light in words, with what belongs to it."""
    if view.light is Light.LIMITED:
        return asleep(view.limited_until, view.since)
    if view.light is Light.FAILED:
        return failed(view.exit_status)
    return view.light.value


def asleep(until: datetime | None, now: datetime) -> str:
    if until is None:
        return "asleep: a limit holds it up"
    # Its clock alone says when, unless that is more than a day on.
    return f"asleep until {text.clock(until) if until - now < timedelta(hours=20) else text.at(until)}"


def _body(card: Card, view: SessionCard) -> None:
    if doing := pace(view):
        card.say(doing)
    waiting = [f"• {link(url, text.line(words, 250) or 'a decision')}" for words, url in _decisions(view)[:8]]
    if len(view.decisions) > 8:
        waiting.append(f"• and {len(view.decisions) - 8} more")
    if waiting:
        card.say("\n".join(["Waiting for a decision:", *waiting]))
    _assumptions(card, view.assumed)
    card.say(text.prose(view.detail, 1200))
    if view.light is Light.FAILED:
        card.say(_last_words(view.last_words, view))
    _asides(card, view)


def _assumptions(card: Card, told: Sequence[Question]) -> None:
    """They have no card of their own before they are due: whoever comes looking may object here."""
    for number, question in enumerate(told[:ASSUMPTIONS], 1):
        card.say("\n".join(part for part in (_assumption(question), text.line(question.context, 300)) if part))
        answers(card, question, cut=is_cut(question), key=f"assumed.{number}", later=False)
    if len(told) > ASSUMPTIONS:
        more = text.count(len(told) - ASSUMPTIONS, "more assumption")
        card.small(f"and {more}: Status shows {'it' if len(told) == ASSUMPTIONS + 1 else 'them'}")


def _assumption(question: Question) -> str:
    return f"{sign(question)} {text.line(question.title, 240)} · {unless(question)}"


def _decisions(view: SessionCard) -> list[tuple[str, str]]:
    """Each with the address of its card, where that is known."""
    return list(zip_longest(view.decisions, view.decision_links[: len(view.decisions)], fillvalue=""))


def _last_words(words: str, view: SessionCard) -> str:
    said = text.prose(words, 800)
    if not said or words.strip() in view.detail:
        return ""
    # What its process said at the end is called that already; this is what it said to people.
    return f"{'It said before' if 'last words: ' in view.detail else 'Its last words'}: {said}"


def _asides(card: Card, view: SessionCard) -> None:
    """What else people should know: of its worktree, of what holds it up, of what runs beside it."""
    if not view.open:
        return
    for note in view.place.notes[:4] if view.place else ():
        card.small(f"⚠️ {text.line(note, 400)}")
    card.small(f"⚠️ {text.line(view.trouble, 400)}" if view.trouble.strip() else "")
    card.small(_after_limit(view))
    if view.budget is not None and view.tokens and view.cost is None:
        card.small("⚠️ Its budget holds nothing up: this agent tells its tokens and no money")
    card.small(beside(view.background))
    if view.queued:
        waits, them = ("waits", "it") if view.queued == 1 else ("wait", "them")
        card.small(f"📨 {text.count(view.queued, 'follow-up')} {waits} for the agent: Status shows {them}")
    if is_script(view):
        card.small("📜 A script asks here: it goes on with what is answered")
    elif view.attached:
        whose = f"{text.line(view.owner_name, 80)}'s terminal" if view.owner_name else "a terminal"
        card.small(f"⌨️ Runs in {whose}: answers count here or there, whichever comes first", read_when(view))


def _after_limit(view: SessionCard) -> str:
    if view.light is not Light.LIMITED:
        return ""
    if view.limited_until is None:
        then = "it tries again from time to time" if view.wakes else "it stays asleep until somebody resumes it"
        return f"Nobody said until when: {then}"
    return "It goes on by itself then" if view.wakes else "It stays asleep then, until somebody resumes it"


def pace(view: SessionCard) -> str:
    """Steps and the last progress line: ``4/6 · running tests``; nothing once it is over."""
    if not view.open:
        return ""
    line = "" if _is_old(view) else text.line(view.line, 300)
    if not view.steps_total:
        return line
    return (
        f"{view.steps_done}/{view.steps_total} · {line}" if line else f"{view.steps_done} of {view.steps_total} steps"
    )


def _is_old(view: SessionCard) -> bool:
    """Whether the last progress line is past, or said again by the decision that waits or by why nothing goes on."""
    told = bool(view.decisions or view.detail)
    return view.light is Light.MERGING or (view.light in AT_REST and told) or view.line in view.decisions


def _facts(view: SessionCard) -> list[str]:
    used = text.usage(view.tokens, view.cost)
    return [
        text.line(view.repo, 100),
        text.inline(view.branch, 150) if view.branch else "",
        text.line(view.agent_title or view.agent, 80),
        f"budget {text.money(view.budget)}" if view.budget is not None else "",
        f"only {text.line(text.some(view.scope, 4), 200)}" if view.scope else "",
        # Names, not mentions: a mention in a first post is a ping, and this card is none.
        f"started by {text.line(view.owner_name, 80)}" if view.owner_name else "",
        f"reviewer {text.line(view.reviewer_name, 80)}" if view.reviewer_name and view.reviewer != view.owner else "",
        f"{_lit(view)}{' since' if view.open else ''} {text.at(view.since)}",
        "" if view.open or not used else f"used {used}",
        f"next digest {text.at(view.next_digest)}" if view.next_digest and view.open else "",
    ]


def _lit(view: SessionCard) -> str:
    return "asleep" if view.light is Light.LIMITED else view.light.value


# --- private answers ------------------------------------------------------------------------------------------------


def listing(view: Listing, command: str) -> Message:
    card = Card()
    if not view.sessions:
        whose = "You have no sessions" if view.mine else "Nobody has a session"
        return card.say(f"{whose}. Start one with `{command} start`.").message()
    open_ones = sum(s.open for s in view.sessions)
    title = "Your sessions" if view.mine else "All sessions"
    card.say(
        f"*{title}* · {open_ones} open of {len(view.sessions)}" if open_ones < len(view.sessions) else f"*{title}*"
    )
    shown = view.sessions[:40]
    for session in shown:
        card.say(row(session, whose=not view.mine))
    if rest := len(view.sessions) - len(shown):
        card.small(f"and {rest} more")
    used = progress.used(Used(session.tokens, session.cost) for session in view.sessions)
    said = text.usage(used.tokens, used.cost)
    card.small(f"used so far: {said}" if said else "")
    return card.message()


def row(view: SessionCard, whose: bool = False) -> str:
    """One session on one line, its name leading to its thread."""
    name = f"*{link(view.link, text.line(view.name, 80))}*"
    parts = [f"{text.EMOJI[view.light]} {name}"]
    if len(view.decisions) == 1:
        parts.append(text.line(view.decisions[0], 120))
    elif view.decisions:
        parts += [condition(view), f"{len(view.decisions)} decisions wait"]
    elif view.open and view.light in AT_REST and view.detail:
        parts += [condition(view), text.line(text.first_line(view.detail), 120)]
    else:
        parts += [condition(view), pace(view)]
    if whose:
        parts.append(text.line(view.owner_name, 80))
    return " · ".join(part for part in parts if part)


def status(view: StatusOf) -> Message:
    card = Card().say(f"{_first(view.session)} · {text.line(view.session.task, 200) or 'no task'}")
    if doing := pace(view.session):
        card.say(doing)
    for question in view.questions[:8]:
        card.say(_assumption(question) if assumed(question) else f"{sign(question)} {text.line(question.title, 240)}")
    if len(view.questions) > 8:
        card.say(f"and {len(view.questions) - 8} more questions")
    if view.review:
        begun = text.line(text.first_line(view.review.summary), 300)
        card.say(" · ".join(part for part in (f"👀 ready at {text.inline(view.review.commit[:7], 12)}", begun) if part))
    card.say(text.prose(view.session.detail, 1200))
    if not view.questions and not view.review:
        card.say(_last_words(view.last_words or view.session.last_words, view.session))
    for waiting in view.queued[:QUEUED]:
        follow_up(card, waiting, can_steer=Ability.STEER in view.session.abilities)
    if len(view.queued) > QUEUED:
        card.small(f"and {text.count(len(view.queued) - QUEUED, 'more follow-up')}")
    _asides(card, replace(view.session, queued=0))
    if view.session.attached and not is_script(view.session) and Ability.ADOPT in view.session.abilities:
        card.small("`switchboard adopt` in its worktree moves it from the terminal under a runner")
    context = f"{text.tokens(view.session.context)} in its context" if view.session.context else ""
    used = text.usage(view.session.tokens, view.session.cost)
    spent = text.usage(view.session.tokens, view.session.cost, view.session.budget)
    card.small(f"used {spent}" if used else spent, context)
    place = view.session.place
    if view.session.light is Light.FAILED and place is not None and place.worktree:
        card.small(f"Its work is in {text.inline(place.worktree, 300)}")
    facts = replace(view.session, budget=None, tokens=None, cost=None)
    card.small(*_facts(facts), link(view.session.link, "thread") if view.session.link else "")
    return card.message()


def follow_up(card: Card, waiting: Waiting, *, can_steer: bool) -> None:
    """Words that the agent does not have yet, and what can still be done with them."""
    card.say(f"📨 waits for the agent: “{text.line(waiting.text, 400)}”")
    now = [Button("Send now", Act(Verb.STEER, waiting.prompt))] if can_steer else []
    card.buttons([*now, Button("Take back", Act(Verb.UNSEND, waiting.prompt))])
