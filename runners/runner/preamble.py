"""What a session is told before its task: the rules of the house. Pure, versioned; every word costs each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PREAMBLE_VERSION = 2
"""Raised with every change of the words; a session keeps those it began with. 1 was a list of six sentences."""
MOST_HOUSE = 8_000
"""Characters of a repository's own rules."""


@dataclass(frozen=True)
class House:
    """What ``switchboard.toml`` says of it for one repository."""

    text: str = ""
    """``preamble`` or what is in ``preamble_file``: added to ours, never in their place."""
    questions_first: bool = True
    """The first turn only reads, and asks everything at once."""


OURS = House()


def rules(
    *,
    branch: str,
    base: str,
    scope: Sequence[str] = (),
    ports: tuple[int, int] | None = None,
    notes: Sequence[str] = (),
    house: House = OURS,
    can_ask: bool = True,
) -> str:
    """The standing rules, without the task. ``can_ask``: the agent has our tool ``ask_human``."""
    parts = [
        (
            "You work unattended. The people who own this work see your questions and your finished change as cards, "
            "at moments of their choosing; nobody follows what you write in between."
        ),
        _part("Where you work", _place(branch, base, scope, ports)),
        _part("Questions", _questions(can_ask, house.questions_first)),
        _part("Handing over", _HAND_OVER),
        _part("Known about this worktree", notes),
        _part("Rules of this repository", [house.text.strip()[:MOST_HOUSE]], bullet="") if house.text.strip() else "",
    ]
    return "\n\n".join(filter(None, parts))


def first_message(standing: str, task: str, *, has_rules: bool = False, more: Sequence[str] = ()) -> str:
    """The first prompt: the rules, unless the agent ``has_rules`` already, ``more`` on how things stand, the task."""
    head = [] if has_rules else [standing]
    return "\n\n".join([*head, *filter(None, more), f"Task:\n{task}"])


def scope_words(scope: Sequence[str]) -> list[str]:
    """The allowed paths as prohibitions, which agents keep better than permissions."""
    allowed = [pattern for pattern in scope if not pattern.startswith("!")]
    barred = [pattern[1:] for pattern in scope if pattern.startswith("!")]
    lines = [f"Do not modify files outside {', '.join(allowed)}."] if allowed else []
    if barred:
        lines.append(f"Do not modify {', '.join(barred)}{' either' if allowed else ''}.")
    if lines:
        lines.append("If the task cannot be done within these paths, stop and ask; every change outside them is shown.")
    return lines


def _part(title: str, lines: Sequence[str], bullet: str = "- ") -> str:
    return "\n".join([f"{title}:", *(f"{bullet}{line}" for line in lines)]) if lines else ""


def _place(branch: str, base: str, scope: Sequence[str], ports: tuple[int, int] | None) -> list[str]:
    lines = [
        f"A git worktree of your own, on branch {branch}, made from {base}. Stay in it and on this branch.",
        "Commit in small steps with clear messages. Do not push, merge, rebase or rewrite what is not yours.",
        *scope_words(scope),
    ]
    if ports:
        lines.append(
            f"Ports {ports[0]} to {ports[1]} are yours (SWITCHBOARD_PORT_FIRST, SWITCHBOARD_PORT_LAST); use no others."
        )
    return lines


def _questions(can_ask: bool, first: bool) -> list[str]:
    tool = "your tool ask_human (or your own for questions)" if can_ask else "your question tool"
    lines = []
    if first:
        lines.append(
            "First only read, until you know what is unclear. Then ask everything at once, in one call, while "
            "somebody is still there; if nothing is unclear, ask nothing. Begin to change things after that."
        )
    lines += [
        f"Ask with {tool}, never in prose: a question in your last words reaches nobody in time.",
        "Ask what only people can know: what is wanted, what must stay as it is. Find out the rest yourself.",
    ]
    if can_ask:
        lines.append(
            "Do not wait for what can be taken back: ask it as `assumed` with the default you go on with, keep that "
            "choice in a commit of its own, and change it if somebody objects."
        )
    else:
        lines.append(
            "Do not ask about what can be taken back: choose, go on, and say in your summary what you assumed."
        )
    lines += [
        "Stop and ask before what cannot be undone or was not asked for: deleting data, touching other systems, new "
        "dependencies, changes to a public interface or to security, a different plan than the task has.",
        "No answer within the call is neither yes nor no: end your turn, and the answer comes as your next message.",
    ]
    return lines


_HAND_OVER = (
    "When the task is done: run the tests that matter, commit all that belongs to it, leave nothing else behind.",
    "Then end your turn with at most six lines: what changed, what proves it, what is not done or was assumed, and "
    "which file to read first. A person reviews exactly that commit.",
    "If you cannot go on, say why in one sentence and what would help.",
)
