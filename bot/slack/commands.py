"""What a person typed, after the slash command or after the bot's name: one intent, one form, or a helpful problem."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from bot.domain.intents import (
    DigestNow,
    Intent,
    ListSessions,
    Pause,
    Reset,
    Resume,
    SetPrefs,
    Start,
    Status,
    Stop,
    Tell,
)
from bot.slack import text
from bot.wire.types import PersonId


@dataclass(frozen=True)
class OpenForm:
    form: Literal["start", "prefs"]


@dataclass(frozen=True)
class Help:
    pass


@dataclass(frozen=True)
class Problem:
    """Ready mrkdwn."""

    text: str


@dataclass(frozen=True)
class Words:
    """No verb: in a thread it is meant for the session."""

    text: str
    problem: Problem


Parsed: TypeAlias = Intent | OpenForm | Help | Problem | Words


@dataclass(frozen=True)
class VerbHelp:
    verb: str
    usage: str
    what: str


VERBS: tuple[VerbHelp, ...] = (
    VerbHelp(
        "start",
        "start [repo=NAME] [agent=NAME] [base=BRANCH] [paths=GLOB,GLOB] [reviewer=@x] [name=N] [budget=5] TASK",
        "start a session; without anything: a form",
    ),
    VerbHelp("list", "list [all]", "your sessions, or everybody's"),
    VerbHelp("status", "status [NAME]", "what a session is doing and what it waits for"),
    VerbHelp("tell", "tell NAME TEXT", "a further prompt; `tell --now NAME TEXT` within the turn under way"),
    VerbHelp("pause", "pause NAME", "let its agent rest; open questions stay open"),
    VerbHelp("resume", "resume NAME", "take a session up again that is paused, asleep or has failed"),
    VerbHelp("reset", "reset NAME", "clear its agent's memory of the conversation; files and background work stay"),
    VerbHelp("stop", "stop NAME", "stop a session; its branch stays"),
    VerbHelp("digest", "digest", "all that waits for you, now"),
    VerbHelp("prefs", "prefs [digest=every 30m] [tz=ZONE]", "when your digest comes; without anything: a form"),
    VerbHelp("help", "help", "this list"),
)
OPTIONS: dict[str, str] = {
    "repo": "repo",
    "agent": "agent",
    "base": "base",
    "paths": "paths",
    "scope": "paths",
    "reviewer": "reviewer",
    "name": "name",
    "budget": "budget",
}
_ALSO = {
    "ls": "list",
    "new": "start",
    "?": "help",
    "preferences": "prefs",
    "say": "tell",
    "cancel": "stop",
    "detach": "stop",
}
_DASHES = re.compile(r"^(?:--|—|–|―)(?=[a-zA-Z])")
_QUOTES = str.maketrans("“”„«»‘’", '"""""\'\'')
_OPTION = re.compile(r"""(?P<key>[A-Za-z][\w-]*)=(?P<value>"[^"]*"|'[^']*'|<[^>]*>|\S*)(?:\s+|$)""")
_NOW = re.compile(r"(?:(?:--|—|–)now\b(?!=)|(?:--|—|–)?now=(?P<value>\S*))\s*", re.I)
_YES, _NO = ("1", "yes", "true", "on", "y"), ("0", "no", "false", "off", "n")
_MONEY = re.compile(r"(?:us)?\$?\s*(\d{1,6}(?:[.,]\d{1,2})?)\s*(?:\$|usd|dollars?)?", re.I)
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def parse(said: str, command: str, *, in_thread: bool = False) -> Parsed:
    """``said`` is Slack's own text, still escaped; ``command`` is how this bot is called here, for its advice."""
    verb, rest = _split(said.strip())
    known = _ALSO.get(verb.lower(), verb.lower())
    match known:
        case "" | "help":
            return Help()
        case "start":
            return _start(rest, command)
        case "list":
            return _list(rest, command)
        case "status":
            return Status(_name(rest))
        case "stop":
            return Stop(_name(rest))
        case "pause":
            return Pause(_name(rest))
        case "resume":
            return Resume(_name(rest))
        case "reset":
            return Reset(_name(rest))
        case "tell":
            return _tell(rest, command, in_thread)
        case "digest":
            return DigestNow()
        case "prefs":
            return _prefs(rest, command)
        case _:
            return Words(text.inbound(said.strip()), _unknown(verb, command))


def looks_like_typo(said: str) -> bool:
    """One lone word that is nearly a verb: more likely a slip than a prompt for an agent."""
    words = said.split()
    return len(words) == 1 and bool(_near(words[0].lower(), [v.verb for v in VERBS]))


def help_text(command: str) -> str:
    lines = [f"`{command} {v.usage}` · {v.what}" for v in VERBS]
    tail = "In a session's thread, mention the bot with the same verbs and leave the name out."
    return "\n".join([*lines, tail])


def _split(said: str) -> tuple[str, str]:
    parts = said.split(None, 1)
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0] if parts else "", "")


def _name(rest: str) -> str:
    return text.inbound(rest).strip().strip("`*_\"'")


def _near(word: str, known: list[str]) -> list[str]:
    return get_close_matches(word, known, n=1, cutoff=0.6)


def _unknown(verb: str, command: str) -> Problem:
    near = _near(verb.lower(), [v.verb for v in VERBS])
    hint = f"Did you mean `{command} {near[0]}`?" if near else f"`{command} help` lists what I know."
    return Problem(f"I don't know {text.inline(text.inbound(verb), 60)}. {hint}")


def _list(rest: str, command: str) -> Parsed:
    if rest.strip().lower() in ("all", "everyone", "everybody"):
        return ListSessions(everyone=True)
    if rest.strip():
        return Problem(
            f"`{command} list` shows your sessions, `{command} list all` everybody's. Nothing else goes there."
        )
    return ListSessions()


def _tell(rest: str, command: str, in_thread: bool) -> Parsed:
    now, words = _now(rest.strip())
    name = ""
    if not in_thread:
        name, words = _split(words)
        if now is None:
            now, words = _now(words)
    if now == "?":
        return Problem("`now=` takes `yes` or `no`; `--now` alone means yes.")
    if not words:
        if in_thread:
            return Problem("Tell it what? Write the prompt after `tell`, or simply reply in this thread.")
        return Problem(f"Say which session and what: `{command} tell NAME TEXT`. `{command} list` shows the names.")
    return Tell(_name(name), text.inbound(words), now=now == "yes")


def _now(said: str) -> tuple[Literal["yes", "no", "?"] | None, str]:
    """Whether the words begin with ``--now`` or ``now=…``, and what follows."""
    found = _NOW.match(said)
    if not found:
        return None, said
    value = (found["value"] or "yes" if found["value"] != "" else "?").lower()
    return "yes" if value in _YES else "no" if value in _NO else "?", said[found.end() :]


# --- start ----------------------------------------------------------------------------------------------------------


def _start(rest: str, command: str) -> Parsed:
    options: dict[str, str] = {}
    for key, value, remaining in _options(rest):
        known = OPTIONS.get(key.lower())
        if known is None:
            return _no_option(key)
        if known in options:
            return Problem(f"`{known}=` is there twice. Say it once.")
        if not value:
            return Problem(f"`{known}=` has no value. Write for example `{known}={_EXAMPLE[known]}`, or leave it out.")
        options[known] = value
        rest = remaining
    task = text.inbound(rest).strip()
    if not task:
        if not options:
            return OpenForm("start")
        return Problem(f"What is the task? Write it after the options: `{command} start {_shown(options)} TASK`.")
    budget = money(text.inbound(options["budget"])) if "budget" in options else None
    if "budget" in options and budget is None:
        return Problem(f"`budget=` takes US dollars, such as `budget={_EXAMPLE['budget']}`.")
    reviewer = _MENTION.fullmatch(options.get("reviewer", ""))
    if "reviewer" in options and not reviewer:
        named = text.inline(text.inbound(options["reviewer"]), 60)
        return Problem(f"I don't know who {named} is. Type `reviewer=@` and pick the person from Slack's list.")
    return Start(
        task=task,
        repo=text.inbound(options.get("repo", "")),
        agent=text.inbound(options.get("agent", "")),
        base=text.inbound(options.get("base", "")),
        scope=globs(text.inbound(options.get("paths", ""))),
        reviewer=PersonId(reviewer.group(1)) if reviewer else None,
        name=text.inbound(options.get("name", "")),
        budget=budget,
    )


def money(said: str) -> float | None:
    """US dollars as people write them; None for anything that is no sum to spend."""
    found = _MONEY.fullmatch(said.strip())
    dollars = float(found[1].replace(",", ".")) if found else 0.0
    return dollars or None


def _no_option(key: str) -> Problem:
    near = _near(key.lower(), list(OPTIONS))
    meant = f" Did you mean `{near[0]}=`?" if near else ""
    known = ", ".join(f"`{name}=`" for name in _EXAMPLE)
    fix = "If it belongs to the task, write a word before it."
    return Problem(f"I don't know the option {text.inline(f'{key}=', 40)}.{meant} There are {known}. {fix}")


_EXAMPLE = {
    "repo": "shop",
    "agent": "demo",
    "base": "main",
    "paths": "src/**,tests/**",
    "reviewer": "@ana",
    "name": "search",
    "budget": "5",
}


def globs(said: str) -> tuple[str, ...]:
    """Patterns parted by commas or line breaks."""
    return tuple(part.strip() for part in re.split(r"[,\n]", said) if part.strip())


def _shown(options: dict[str, str]) -> str:
    return " ".join(f"{key}={text.line(text.inbound(value), 60)}" for key, value in options.items()).replace("`", "'")


def _options(rest: str) -> Iterator[tuple[str, str, str]]:
    """Leading ``key=value``, ``--key value`` and ``--key=value``, each with what follows; the task ends them."""
    while True:
        rest = rest.lstrip()
        dashed = _DASHES.match(rest)
        body = rest[dashed.end() :] if dashed else rest
        first, _, _ = body.partition("\n")
        straight = first.translate(_QUOTES) + body[len(first) :]
        if found := _OPTION.match(straight):
            rest = body[found.end() :]
            yield found["key"], found["value"].strip("\"'"), rest
        elif dashed:
            key, after = _split(body)
            value, rest = _split(after)
            if value.translate(_QUOTES).startswith('"'):
                value, rest = _quoted(after.lstrip().translate(_QUOTES))
            yield key, value, rest
        else:
            return


def _quoted(said: str) -> tuple[str, str]:
    end = said.find('"', 1)
    return (said[1:end], said[end + 1 :]) if end > 0 else (said[1:], "")


# --- prefs ----------------------------------------------------------------------------------------------------------


def _prefs(rest: str, command: str) -> Parsed:
    said = text.inbound(rest).translate(_QUOTES).strip()
    if not said:
        return OpenForm("prefs")
    zone = re.search(r"(?:^|\s)(?:--|—|–)?tz[= ](\S+)", said)
    schedule = said[: zone.start()] + said[zone.end() :] if zone else said
    schedule = re.sub(r"^\s*(?:--|—|–)?digest[= ]", "", schedule.strip()).strip().strip("\"'").strip()
    try:
        tz = shlex.split(zone.group(1))[0] if zone else ""
    except (ValueError, IndexError):
        return Problem(f"I can't read the time zone. Write it as `{command} prefs tz=Europe/Berlin`.")
    return SetPrefs(digest=schedule or None, tz=tz or None)
