"""Small pieces of Slack's mrkdwn for private notes and thread notes: everything foreign is escaped here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.wire.types import PersonId


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str) -> str:
    """One line of code; backticks inside would end it."""
    flat = " ".join(text.replace("`", "ʼ").split())
    return f"`{escape(cut(flat, 300))}`"


def person(who: PersonId) -> str:
    return f"<@{escape(who)}>"


def when(moment: datetime) -> str:
    """In the reader's own time zone."""
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moment:%Y-%m-%d %H:%M} UTC>"


def cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def some(names: Iterable[str], most: int = 10) -> str:
    """A list of what exists, for a message that says what does not."""
    known = list(names)
    shown = ", ".join(code(name) for name in known[:most])
    return f"{shown} and {len(known) - most} more" if len(known) > most else shown


def channel(name: str) -> str:
    """A channel by its id, or as it was configured by name."""
    is_id = name[:1] in ("C", "G") and name.isalnum() and name.isupper()
    return f"<#{name}>" if is_id else f"#{escape(name.lstrip('#'))}"


def look(command: str) -> str:
    """The command that shows what a session left, with what it does."""
    if not command or "\n" in command or "`" in command:
        return command
    does = {"git switch": "To look at its branch", "cd ": "To look at its worktree", "git merge": "To bring it in"}
    lead = next((words for begin, words in does.items() if command.startswith(begin)), "To look at what it left")
    return f"{lead}: `{command}`"
