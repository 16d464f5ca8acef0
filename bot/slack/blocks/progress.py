"""What a session has done so far: its progress message, and the lists that reviews show too."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.views import ProgressView
from bot.slack import text
from bot.slack.blocks.kit import Card, Message
from bot.wire.types import Check, CheckState, Commit, FileStat, StepState

MARK = {StepState.DONE: "✓", StepState.ACTIVE: "▸", StepState.PENDING: "○"}
CHECK = {CheckState.PASSED: "✅", CheckState.FAILED: "❌", CheckState.NOT_RUN: "▫️"}
STEPS = 15


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
    card.small(f"⚠️ {text.line(snap.trouble, 400)}" if snap.trouble.strip() else "")
    card.small(beside(snap.background))
    card.small(
        text.count(snap.tool_calls, "tool call") if snap.tool_calls else "",
        text.usage(snap.tokens, snap.cost),
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


def beside(background: Sequence[str]) -> str:
    """What runs beside the agent's turns."""
    return f"🧵 In the background: {text.some((text.inline(each, 80) for each in background), 5)}" if background else ""
