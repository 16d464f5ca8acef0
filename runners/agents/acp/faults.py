"""What can be wrong with an ACP agent, in words that name it and the fix. Pure."""

from __future__ import annotations

import shlex
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from acp import PROTOCOL_VERSION
from acp.schema import InitializeResponse

from runners.agents.acp.lines import AcpLines
from runners.agents.base import Launch
from runners.agents.text import one_line
from runners.errors import AgentConfused, AgentDied, AgentError, AgentLoginNeeded

AUTH_REQUIRED = -32000
_NEED = "need an argument such as --acp or acp"
_NOTHING_SAID = ("", "error", "internal error")


@dataclass(frozen=True)
class Fault:
    """A JSON-RPC error as the agent sent it."""

    code: int
    message: str
    data: Any = None


def wrong_version(launch: Launch, version: int) -> AgentConfused:
    return AgentConfused(
        f"Agent {launch.name} speaks ACP version {version}, Switchboard speaks version {PROTOCOL_VERSION}.",
        "Install a version of the agent that speaks it.",
    )


def no_such(launch: Launch, what: str, wanted: str, known: Sequence[str]) -> AgentConfused:
    """A mode or a model that this agent does not have."""
    offered = f"It offers: {', '.join(known[:30])}." if known else f"It lets nobody choose a {what}."
    return AgentConfused(
        f"Agent {launch.name} has no {what} “{one_line(wanted, 80)}”. {one_line(offered, 600)}",
        f"Correct {what} under [agents.{launch.name}] in switchboard.toml.",
    )


def not_answering(launch: Launch, lines: AcpLines) -> AgentConfused:
    said = f" It printed “{lines.stray}” instead." if lines.stray else ""
    return AgentConfused(
        f"Agent {launch.name} did not answer within {launch.start_timeout:g} s of its start.{said}",
        f"{_is_it_acp(launch)} If it only needs longer: start_timeout under [agents.{launch.name}].",
    )


def died(launch: Launch, lines: AcpLines, status: int | None, last_words: str) -> AgentError:
    tail = f"\nIts last words: {last_words}" if last_words else f" Its log is empty ({launch.log})."
    if lines.fault and lines.fault != "it closed its output":
        return AgentConfused(f"Agent {launch.name} does not speak ACP: {lines.fault}.", _is_it_acp(launch))
    if not lines.spoken and lines.stray:
        return AgentConfused(
            f"Agent {launch.name} printed “{lines.stray}” instead of JSON-RPC messages and {_end(status)}.",
            _is_it_acp(launch),
        )
    if not lines.spoken and not last_words:
        return AgentDied(
            f"Agent {launch.name} {_end(status)} without a word.",
            f"Run “{_command(launch)}” by hand on its machine to see why; most agents {_NEED}.",
            exit_status=status,
        )
    how = f"closed its output and was ended ({_end(status)})" if lines.fault else _end(status)
    return AgentDied(f"Agent {launch.name} {how}.{tail}", exit_status=status, last_words=last_words)


def refused(launch: Launch, fault: Fault, hello: InitializeResponse | None) -> AgentError:
    if fault.code == AUTH_REQUIRED:
        return AgentLoginNeeded(
            f"Agent {launch.name} needs you to log in on this machine first.", _login(launch, hello)
        )
    return AgentError(f"Agent {launch.name} answered with an error: {in_words(fault)}.", f"Its log is {launch.log}.")


def in_words(fault: Fault) -> str:
    """All that an error says, in one line."""
    about = ""
    if isinstance(fault.data, dict):
        about = next((str(fault.data[k]) for k in ("details", "message", "error") if fault.data.get(k)), "")
    elif isinstance(fault.data, str):
        about = fault.data
    if about and fault.message.strip().casefold() in _NOTHING_SAID:
        return one_line(about, 1000)
    return one_line(fault.message, 500) + (f": {one_line(about, 1000)}" if about and about != fault.message else "")


def _login(launch: Launch, hello: InitializeResponse | None) -> str:
    if launch.login_hint:
        return launch.login_hint
    methods = (hello.auth_methods or []) if hello else []
    ways = "; ".join(one_line(f"{m.name}: {m.description}" if m.description else m.name, 200) for m in methods)
    command = shlex.join(launch.argv[:1])
    return f"Run {command} in a terminal once and log in" + (f" (it offers: {ways})." if ways else ".")


def _is_it_acp(launch: Launch) -> str:
    return f"Is “{_command(launch)}” an ACP agent? Most {_NEED} (its log: {launch.log})."


def _command(launch: Launch) -> str:
    return one_line(shlex.join(launch.argv), 120)


def _end(status: int | None) -> str:
    if status is None:
        return "went away"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"was killed by {name}"
