"""A session as people see it: its card, its progress message, lists of sessions, its status."""

from __future__ import annotations

from bot.domain.intents import Listing, StatusOf
from bot.domain.views import Light, ProgressView, SessionCard
from bot.slack import text
from bot.slack.actions import Act, Verb
from bot.slack.blocks.kit import Button, Card, Confirm, Message, link
from bot.slack.blocks.question import SIGN
from bot.wire.types import Check, CheckState, Commit, FileStat, StepState

MARK = {StepState.DONE: "✓", StepState.ACTIVE: "▸", StepState.PENDING: "○"}
CHECK = {CheckState.PASSED: "✅", CheckState.FAILED: "❌", CheckState.NOT_RUN: "▫️"}
AT_REST = frozenset((Light.REVIEW, Light.STOPPED, Light.FAILED))
STEPS = 15


def session_card(view: SessionCard) -> Message:
    card = Card().say(f"{_first(view)} · {text.line(view.task, 200) or 'no task'}")
    _body(card, view)
    if view.open:
        card.buttons(_buttons(view))
    card.small(*_facts(view))
    return card.message()


def _first(view: SessionCard) -> str:
    return f"{text.EMOJI[view.light]} *{text.line(view.name, 80)}* · {view.light.value}"


def _body(card: Card, view: SessionCard) -> None:
    if doing := pace(view):
        card.say(doing)
    waiting = [f"• {text.line(words, 250)}" for words in view.decisions[:8]]
    if len(view.decisions) > 8:
        waiting.append(f"• and {len(view.decisions) - 8} more")
    if waiting:
        card.say("\n".join(["Waiting for a decision:", *waiting]))
    card.say(text.prose(view.detail, 1200))
    card.small(*_notes(view))


def _notes(view: SessionCard) -> list[str]:
    """What people should know of its worktree."""
    notes = view.place.notes if view.place and view.open else ()
    return [f"⚠️ {text.line(note, 400)}" for note in notes[:4]]


def pace(view: SessionCard) -> str:
    """Steps and the last progress line: ``4/6 · running tests``; nothing once it is over."""
    if not view.open:
        return ""
    steps = f"{view.steps_done}/{view.steps_total}" if view.steps_total else ""
    line = "" if _is_old(view) else text.line(view.line, 300)
    return " · ".join(part for part in (steps, line) if part)


def _is_old(view: SessionCard) -> bool:
    """Whether the last progress line is past, or said again by the decision that waits or by why nothing goes on."""
    told = bool(view.decisions or view.detail)
    return view.light is Light.MERGING or (view.light in AT_REST and told) or view.line in view.decisions


def _buttons(view: SessionCard) -> list[Button]:
    if view.light is Light.STOPPING:
        return []
    return [
        Button("Tell it…", Act(Verb.TELL, view.session)),
        Button("Status", Act(Verb.STATUS, view.session)),
        stop_button(view.session, view.name),
    ]


def stop_button(session: str, name: str) -> Button:
    kept = "The agent stops. Its branch and commits stay; a worktree with uncommitted changes is kept."
    ask = Confirm(f"Stop {name}?", kept, "Stop it", "Keep going")
    return Button("Stop", Act(Verb.STOP, session), danger=True, confirm=ask)


def _facts(view: SessionCard) -> list[str]:
    return [
        text.line(view.repo, 100),
        text.inline(view.branch, 150) if view.branch else "",
        text.line(view.agent, 60),
        f"only {text.line(text.some(view.scope, 4), 200)}" if view.scope else "",
        # Names, not mentions: a mention in a first post is a ping, and this card is none.
        f"started by {text.line(view.owner_name, 80)}" if view.owner_name else "",
        f"reviewer {text.line(view.reviewer_name, 80)}" if view.reviewer_name and view.reviewer != view.owner else "",
        f"{view.light.value}{' since' if view.open else ''} {text.at(view.since)}",
        f"next digest {text.at(view.next_digest)}" if view.next_digest and view.open else "",
    ]


# --- progress -------------------------------------------------------------------------------------------------------


def progress_message(view: ProgressView) -> Message:
    snap = view.snapshot
    done = sum(step.state is StepState.DONE for step in snap.steps)
    listed = snap.line in [step.title for step in snap.steps[:STEPS]]  # the step under way is marked below
    pieces = [
        f"{done} of {text.count(len(snap.steps), 'step')}" if snap.steps else "",
        "" if listed else text.line(snap.line, 200),
    ]
    # No light: this message is brought up to date at intervals only, and would show an old one.
    head = f"📋 *{text.line(view.session_name, 80)}* · progress"
    card = Card().say(" · ".join([head, *(piece for piece in pieces if piece)]))
    card.say("\n".join(_steps(view)))
    card.say(
        "\n".join([*commits(snap.commits, snap.commit_count, view.new_commits), *files(snap.files, snap.file_count)])
    )
    card.say("\n".join(checks(snap.checks)))
    card.small(
        text.count(snap.tool_calls, "tool call") if snap.tool_calls else "",
        f"{snap.tokens:,} tokens" if snap.tokens else "",
        f"${snap.cost:,.2f}" if snap.cost else "",
        f"as of {text.at(snap.at)}",
    )
    return card.message()


def _steps(view: ProgressView) -> list[str]:
    steps = view.snapshot.steps
    shown = [f"{MARK[step.state]} {text.line(step.title, 120)}" for step in steps[:STEPS]]
    return [*shown, f"and {text.count(len(steps) - STEPS, 'more step', 'more steps')}"] if len(steps) > STEPS else shown


def commits(made: tuple[Commit, ...], total: int, new: int = 0) -> list[str]:
    """Newest last, the last five."""
    total = max(total, len(made))
    if not total:
        return []
    fresh = f", {new} new" if 0 < new < total else ""
    head = f"{text.count(total, 'commit')}{fresh}" + (":" if made else "")
    if total > 5 and made:
        head = f"{head[:-1]}, the last {min(5, len(made))}:"
    return [head, *(f"{text.inline(c.sha[:7], 12)} {text.line(c.subject, 100)}" for c in made[-5:])]


def files(changed: tuple[FileStat, ...], total: int) -> list[str]:
    """The five biggest changes."""
    total = max(total, len(changed))
    if not total:
        return []
    head = text.count(total, "file")
    if changed:
        head += f" +{sum(f.added for f in changed)} −{sum(f.deleted for f in changed)}:"
    biggest = sorted(changed, key=lambda f: f.added + f.deleted, reverse=True)[:5]
    shown = [f"{text.inline(f.path, 120)} {'binary' if f.binary else f'+{f.added} −{f.deleted}'}" for f in biggest]
    return [head, *shown, f"and {total - len(shown)} more"] if changed and total > len(shown) else [head, *shown]


def checks(ran: tuple[Check, ...]) -> list[str]:
    lines = []
    for check in ran[:10]:
        took = f" · {text.seconds(check.seconds)}" if check.state is not CheckState.NOT_RUN else " · not run"
        failed = " · failed" if check.state is CheckState.FAILED else ""
        lines.append(f"{CHECK[check.state]} {text.line(check.name, 100)}{failed}{took}")
    return [*lines, f"and {len(ran) - 10} more checks"] if len(ran) > 10 else lines


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
    return card.message()


def row(view: SessionCard, whose: bool = False) -> str:
    """One session on one line, its name leading to its thread."""
    name = f"*{link(view.link, text.line(view.name, 80))}*"
    parts = [f"{text.EMOJI[view.light]} {name}"]
    if len(view.decisions) == 1:
        parts.append(text.line(view.decisions[0], 120))
    elif view.decisions:
        parts += [view.light.value, f"{len(view.decisions)} decisions wait"]
    elif view.open and view.light in AT_REST and view.detail:
        parts += [view.light.value, text.line(text.first_line(view.detail), 120)]
    else:
        parts += [view.light.value, pace(view)]
    if whose:
        parts.append(text.line(view.owner_name, 80))
    return " · ".join(part for part in parts if part)


def status(view: StatusOf) -> Message:
    card = Card().say(f"{_first(view.session)} · {text.line(view.session.task, 200) or 'no task'}")
    if doing := pace(view.session):
        card.say(doing)
    for question in view.questions[:8]:
        card.say(f"{SIGN[question.kind]} {text.line(question.title, 240)}")
    if len(view.questions) > 8:
        card.say(f"and {len(view.questions) - 8} more questions")
    if view.review:
        begun = text.line(text.first_line(view.review.summary), 300)
        card.say(" · ".join(part for part in (f"👀 ready at {text.inline(view.review.commit[:7], 12)}", begun) if part))
    if view.last_words and not view.questions and not view.review and view.last_words not in view.session.detail:
        card.say(f"Its last words: {text.prose(view.last_words, 800)}")
    card.say(text.prose(view.session.detail, 1200))
    card.small(*_notes(view.session))
    card.small(*_facts(view.session), link(view.session.link, "thread") if view.session.link else "")
    return card.message()
