"""What can be wrong with Codex, in words that name it and the fix. Pure."""

from __future__ import annotations

import re
import shlex
import signal

from runners.agents.base import Launch
from runners.agents.codex.rpc import RpcError
from runners.agents.text import one_line, prose
from runners.errors import AgentConfused, AgentDied, AgentError, AgentLoginNeeded

NEEDED = ("thread/start", "thread/resume", "turn/start", "turn/interrupt")
"""Without these methods it cannot be driven."""
TESTED = "0.166.0"
_METHODS = re.compile(r"`([A-Za-z]+(?:/[A-Za-z_]+)*)`")
_TOO_OLD = re.compile(r"unrecognized subcommand|unexpected argument|invalid value|unsupported .*listen", re.IGNORECASE)
_VERSION = re.compile(r"/(\d+\.\d+\.\d+\S*)")


def methods(error: RpcError) -> frozenset[str]:
    """All that a server can do: it lists them when it is asked for what does not exist."""
    _, _, listed = error.message.partition("expected one of")
    return frozenset(_METHODS.findall(listed))


def version(user_agent: str) -> str:
    found = _VERSION.search(user_agent)
    return found[1] if found else ""


def too_old(launch: Launch, number: str, missing: list[str]) -> AgentConfused:
    lacks = f"it does not know {', '.join(missing)}" if missing else "it has no app-server that listens on a socket"
    return AgentConfused(
        f"Agent {launch.name}{f' ({number})' if number else ''} is too old to be driven: {lacks}.",
        f"Install Codex {TESTED} or newer: npm install -g @openai/codex@latest.",
    )


def not_answering(launch: Launch) -> AgentConfused:
    return AgentConfused(
        f"Agent {launch.name} did not answer within {launch.start_timeout:g} s of its start.",
        f"Is “{_command(launch)}” Codex? Its log is {launch.log}. If it only needs longer: start_timeout "
        f"under [agents.{launch.name}].",
    )


def login_needed(launch: Launch) -> AgentLoginNeeded:
    return AgentLoginNeeded(
        f"Agent {launch.name} needs you to log in on this machine first.",
        launch.login_hint or f"Run {shlex.join(launch.argv[:1])} login in a terminal on it, then try again.",
    )


def died(launch: Launch, fault: str, status: int | None, last_words: str, lost: int = 0) -> AgentError:
    """``lost`` questions were open: they died with it."""
    words = prose(last_words)
    if fault:
        return AgentConfused(f"Agent {launch.name} does not speak as Codex does: {fault}.", f"Its log is {launch.log}.")
    if status not in (None, 0) and _TOO_OLD.search(words):
        return too_old(launch, "", [])
    tail = f"\nIts last words: {words}" if words else f" Its log is empty ({launch.log})."
    asked = "" if not lost else " What it asked went with it; it asks again if it still needs that."
    return AgentDied(f"Agent {launch.name} {_end(status)}.{asked}{tail}", exit_status=status, last_words=words)


def refused(launch: Launch, error: RpcError, doing: str) -> AgentError:
    return AgentError(
        f"Agent {launch.name} could not {doing}: {one_line(error.message, 1000)}.", f"Its log is {launch.log}."
    )


def unknown_mode(launch: Launch, known: list[str]) -> AgentError:
    return AgentError(
        f"Agent {launch.name} has no mode “{launch.mode}”.",
        f"Choose one of {', '.join(known)} in switchboard.toml, or none.",
    )


def unknown_model(launch: Launch, known: list[str]) -> AgentError:
    return AgentError(
        f"Agent {launch.name} does not know the model “{launch.model}”.",
        f"It offers {', '.join(known)}. Correct it in switchboard.toml, or leave it out.",
    )


def _command(launch: Launch) -> str:
    return one_line(shlex.join(launch.argv), 120)


def _end(status: int | None) -> str:
    if status is None:
        return "went away"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
