"""The digest and the Home tab: everything that waits for one person, answerable where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from bot.domain.questions import assumed
from bot.domain.views import DecisionLine, DigestView, HomeView, Light, SessionLine
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.choices import answers, controls_say_all, is_cut, sign, unless
from bot.slack.blocks.controls import failed_buttons
from bot.slack.blocks.kit import Block, Button, Card, Message, link
from bot.slack.blocks.review import sha, verdicts, warnings
from bot.slack.blocks.session import asleep, row
from bot.wire.types import ALWAYS, Question, QuestionKind, Review

DIGEST_ROOM = 40
"""Blocks for decisions, of Slack's 50: the rest is for the other sections."""
FEW = 6
"""Decisions that leave room for a line between any two."""
HOME_ROOM = 60
RESTING = frozenset((Light.PAUSED, Light.LIMITED, Light.ASLEEP))
A_MOMENT = timedelta(minutes=1)
CONTEXT, DETAIL = 300, 700
"""Beyond these a decision is shown in part, and *Show in full* stands beside its buttons."""


def digest(view: DigestView) -> Message:
    card = Card().say(f"☀️ *{_headline(view)}*")
    _decisions(card, view.decisions, view.at, DIGEST_ROOM, apart=len(view.decisions) <= FEW)
    for title, lines in _told(view):
        _sessions(card, title, lines, view.at)
    if view.decisions and all(decision.settled for decision in view.decisions):
        card.small(f"Told {text.at(view.at)}", "newer decisions are in Home and your next digest")
        return card.message()
    used = text.usage(view.tokens, view.cost)
    card.small(
        f"As of {text.at(view.at)}",
        f"used so far: {used}" if used else "",
        f"next digest {text.at(view.next)}" if view.next else "",
    )
    return card.message()


def _headline(view: DigestView) -> str:
    waiting = [d for d in view.decisions if not d.settled]
    if view.decisions and not waiting:
        return _all_settled(len(view.decisions))
    reviews = sum(d.review is not None for d in waiting)
    needs = len(waiting) - reviews
    counted = (
        (needs, "needs you" if needs == 1 else "need you"),
        (reviews, "review" if reviews == 1 else "reviews"),
        (len(view.decisions) - len(waiting), "decided"),
        *((len(lines), title.lower()) for title, lines in _told(view)),
    )
    parts = [f"{n} {words}" for n, words in counted if n]
    if not waiting:
        parts.insert(0, "Nothing needs you")
    return " · ".join(parts)


def _told(view: DigestView) -> list[tuple[str, list[SessionLine]]]:
    """The sessions in which no decision waits, by what they do."""
    return [
        ("Stopped", list(view.stopped)),
        ("Working", [line for line in view.working if line.light not in RESTING]),
        ("At rest", [line for line in view.working if line.light in RESTING]),
        ("Done", list(view.done)),
    ]


def _all_settled(count: int) -> str:
    """This message's own items; newer decisions may wait, which it does not tell."""
    return {1: "Settled", 2: "Both settled"}.get(count, f"All {count} settled")


def _decisions(card: Card, decisions: Sequence[DecisionLine], now: datetime, room: int, *, apart: bool = False) -> None:
    """``apart``: with a line between any two."""
    start = len(card.blocks)
    for done, decision in enumerate(decisions):
        if apart and done:
            card.divide()
        if len(card.blocks) - start > room - 5:
            rest = len(decisions) - done
            card.small(f"and {text.count(rest, 'more decision')}: they are on the cards in their threads")
            return
        _decision(card, decision, now)


def _decision(card: Card, line: DecisionLine, now: datetime) -> None:
    name = f"*{link(line.link, text.line(line.session_name, 80))}*"
    waited = f"waiting {text.words(now - line.since)}" if now - line.since >= A_MOMENT else ""
    if line.settled:
        card.say(f"{line.number} ☑️ {name} · {text.line(line.settled, 400)}")
    elif line.question:
        _question(card, line, line.question, f"{line.number} {sign(line.question)} {name}", waited)
    elif line.review:
        _review(card, line.review, f"{line.number} 👀 {name}", line.session_name, waited)
    else:
        _failed(card, line, f"{line.number} ❌ {name}", text.ago(now - line.since))


def _failed(card: Card, line: DecisionLine, head: str, since: str) -> None:
    status = f"exit status {line.exit_status}" if line.exit_status is not None else ""
    status = "" if status in line.failed else status
    first = " · ".join(part for part in (head, text.line(line.failed, 500) or "failed", status, since) if part)
    last = text.line(line.last_words, CONTEXT) if line.last_words.strip() not in ("", line.failed.strip()) else ""
    card.say("\n".join(part for part in (first, f"Its last words: {last}" if last else "") if part))
    if line.open:
        card.buttons(failed_buttons(line.session, line.session_name, can_resume=line.can_resume))


def _question(card: Card, line: DecisionLine, question: Question, head: str, waited: str) -> None:
    goes_on = unless(question) if assumed(question) else waited
    first = " · ".join(part for part in (head, text.line(question.title, 240) or "A question", goes_on) if part)
    code, left = text.fence_part(question.detail, DETAIL) if question.detail.strip() else ("", "")
    card.say("\n".join(part for part in (first, text.line(question.context, CONTEXT), code) if part))
    cut = bool(left) or is_cut(question) or not text.fits(question.context, CONTEXT)
    if question.kind is QuestionKind.PERMISSION:
        cut = cut or text.hides(question.detail)
        card.small(f"⚠️ {left or 'there is more to it'}: it can be allowed in its thread only" if cut else "")
        # What is granted for the rest of a session is granted where all of it is told.
        question = replace(question, options=tuple(o for o in question.options if o.id != ALWAYS))
    elif any(option.description for option in question.options) and not controls_say_all(question):
        cut = True
    answers(card, question, cut=cut, key=str(line.number), later=False, grants=not cut, thread=line.link)


def _review(card: Card, review: Review, head: str, name: str, waited: str) -> None:
    facts = [f"{head} · ready at {sha(review.commit)}", *warnings(review), *([waited] if waited else [])]
    changed = f"{text.count(review.file_count, 'file')} +{review.added:,} −{review.deleted:,}"
    card.say("\n".join([" · ".join(facts), _begin(review.summary), changed]))
    card.buttons(verdicts(review, name))


def _begin(summary: str) -> str:
    """Its first line: the whole stands on the review's own card."""
    return text.line(text.first_line(summary), 300)


def _doing(line: SessionLine, now: datetime) -> str:
    said = text.line(line.text, 200)
    if line.light not in RESTING:
        return said or line.light.value
    rests = asleep(line.until, now) if line.light is Light.LIMITED else line.light.value
    return f"{rests} · {said}" if said else rests


def _sessions(card: Card, title: str, lines: Sequence[SessionLine], now: datetime) -> None:
    if not lines:
        return
    shown = [f"*{title}*"]
    room = 2600
    for done, line in enumerate(lines):
        name = link(line.link, text.line(line.session_name, 80))
        words = f"{text.EMOJI[line.light]} {name} · {_doing(line, now)}"
        if used := text.spent(line.tokens, line.cost):
            words += f" · {used}"
        room -= text.size(words) + 1
        if room < 0:
            shown.append(f"and {len(lines) - done} more")
            break
        shown.append(words)
    card.say("\n".join(shown))


def home(view: HomeView, command: str) -> Block:
    card = Card()
    waiting = sum(not d.settled for d in view.decisions)
    card.say(f"*{text.count(waiting, 'decision')} waiting for you*" if waiting else "*Nothing waits for you*")
    _decisions(card, view.decisions, view.at, HOME_ROOM, apart=True)
    card.divide()
    waits = {decision.session for decision in view.decisions if not decision.settled}
    if rest := [session for session in view.sessions if session.session not in waits]:
        card.say("*Your other sessions*" if waits else "*Your sessions*")
        for session in rest[:20]:
            card.say(row(session))
        if len(rest) > 20:
            card.small(f"and {len(rest) - 20} more: {command} list")
    elif not waits:
        card.say("No session is open.")
    card.buttons(
        [
            Button("Start a session…", Act(Verb.START), primary=not view.decisions),
            Button("Digest now", Act(Verb.DIGEST)),
            Button("Preferences…", Act(Verb.PREFS)),
        ]
    )
    card.small(
        f"Digest {text.line(view.digest, 60)}" if view.digest else "",
        f"next {text.at(view.next_digest)}" if view.next_digest else "",
        text.line(view.tz, 60),
    )
    used = text.usage(view.tokens, view.cost)
    card.small(f"Your sessions have used {used}" if used else "")
    card.small(
        f"Today: {text.count(view.answered_today, 'answer')}, {text.count(view.pinged_today, 'card')} called you",
        f"as of {text.clock(view.at)}",
    )
    return card.home()
