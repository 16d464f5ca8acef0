"""Progress: what an agent does, reduced to one short snapshot. A pure reducer; git's part is handed in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import assert_never

from msgspec.structs import replace as with_values

from bot.wire.types import Check, Commit, FileStat, PlanStep, Share, Snapshot, StepState
from runners.agents.base import (
    BackgroundChanged,
    PlanChanged,
    Said,
    ToolEnded,
    ToolStarted,
    Trouble,
    Update,
    UsageChanged,
)
from runners.agents.text import prose
from runners.redact import redact
from runners.runner.usage import Usage

LINE = 120
WORDS = 600
KEPT_TEXT = 8000
MOST_STEPS = 50
MOST_FILES = 100
MOST_TASKS, TASK, TROUBLE = 20, 120, 300
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Tally:
    """What the updates so far add up to."""

    said: str = ""
    """This turn's message so far, its end."""
    steps: tuple[PlanStep, ...] = ()
    tool: str = ""
    tool_calls: int = 0
    running: frozenset[str] = field(default_factory=frozenset)
    context: int | None = None
    """Tokens in the agent's context as it stands."""
    background: tuple[str, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class GitFacts:
    """What git says of the worktree, against its base."""

    head: str = ""
    commits: tuple[Commit, ...] = ()
    commit_count: int = 0
    files: tuple[FileStat, ...] = ()


def reduce(tally: Tally, update: Update) -> Tally:
    match update:
        case Said(text):
            return replace(tally, said=(tally.said + text)[-KEPT_TEXT:])
        case ToolStarted(tool_id, title):
            # The same call may be told again, with a better title.
            calls = tally.tool_calls + (tool_id not in tally.running)
            return replace(tally, tool=title, tool_calls=calls, running=tally.running | {tool_id})
        case ToolEnded(tool_id):
            return replace(tally, running=tally.running - {tool_id})
        case PlanChanged(steps):
            return replace(tally, steps=steps[:MOST_STEPS])
        case UsageChanged():
            # What it adds up to over all agents of the session is `usage`'s to say.
            return tally if update.context is None else replace(tally, context=update.context)
        case BackgroundChanged(tasks):
            return replace(tally, background=tasks[:MOST_TASKS])
        case Trouble(text):
            return replace(tally, trouble=text)
        case _:
            assert_never(update)


def new_turn(tally: Tally) -> Tally:
    return replace(tally, said="", tool="", running=frozenset(), trouble="")


def agent_gone(tally: Tally) -> Tally:
    """What ran beside its turns has ended with it, and its context with both."""
    return replace(tally, tool="", running=frozenset(), background=(), context=None)


def in_trouble(tally: Tally, words: str) -> Tally:
    return replace(tally, trouble=words)


def line(tally: Tally, share: Share = Share.STAT) -> str:
    """A few words: the step under way, else the running tool, else the end of what was said.

    A tool's title names files: it stays here where the repo shares none.
    """
    active = next((step.title for step in tally.steps if step.state is StepState.ACTIVE), "")
    if active:
        return one_line(active, LINE)  # how far along it is stands in the steps
    last = tally.said.strip().splitlines()
    tool = "" if share is Share.NONE else tally.tool
    return one_line(tool or (last[-1] if last else ""), LINE)


def one_line(text: str, most: int) -> str:
    flat = " ".join(prose(text).split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"


def last_words(text: str, most: int = WORDS) -> str:
    """The beginning of a message to people, cut at a word."""
    clean = redact(prose(text))
    return clean if len(clean) <= most else clean[: most - 1].rsplit(" ", 1)[0] + "…"


def snapshot(
    tally: Tally, facts: GitFacts, checks: tuple[Check, ...], share: Share, spent: Usage | None = None
) -> Snapshot:
    """``at`` is left at its zero, so that equal snapshots mean that nothing has changed."""
    hidden = share is Share.NONE
    return Snapshot(
        at=_NEVER,
        line=redact(line(tally, share)),
        steps=tuple(PlanStep(redact(one_line(step.title, 200)), step.state) for step in tally.steps),
        commits=() if hidden else tuple(Commit(c.sha, redact(one_line(c.subject, 200))) for c in facts.commits),
        commit_count=facts.commit_count,
        files=() if hidden else redacted(facts.files[:MOST_FILES]),
        file_count=len(facts.files),
        checks=without_output(checks) if hidden else checks,
        tool_calls=tally.tool_calls,
        tokens=spent.tokens if spent else None,
        cost=spent.cost if spent else None,
        context=tally.context,
        background=tuple(redact(one_line(title, TASK)) for title in tally.background),
        trouble=last_words(tally.trouble, TROUBLE),
        last_words=last_words(tally.said),
    )


def redacted(files: tuple[FileStat, ...]) -> tuple[FileStat, ...]:
    """A path may hold a secret like any other text."""
    return tuple(with_values(file, path=redact(file.path)) for file in files)


def without_output(checks: tuple[Check, ...]) -> tuple[Check, ...]:
    return tuple(with_values(check, tail="") for check in checks)


def stamped(found: Snapshot, at: datetime) -> Snapshot:
    return with_values(found, at=at)
