"""The environment of what runs in a worktree: ports, excludes, a git identity; never Switchboard's own secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from bot.wire.types import Person
from runners.files import EXCLUDE, FOLDER
from runners.repo import git
from runners.runner.ticket import Ticket

SECRETS = ("SWITCHBOARD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")


POINTERS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR")


def clean(env: MutableMapping[str, str]) -> None:
    """Agents and commands inherit the environment: neither our secrets nor a caller's git may be in it."""
    for name in (*SECRETS, *POINTERS):
        env.pop(name, None)


def agent_env(ticket: Ticket, folder: Path) -> dict[str, str]:
    """What an agent gets on top of the runner's environment."""
    found = {
        "SWITCHBOARD_SESSION": ticket.spec.session,
        FOLDER: str(folder),
        # The demo agent keeps its place in its script here, so that it leaves nothing elsewhere.
        "SWITCHBOARD_DEMO_STATE": str(folder / "demo"),
        **ticket.env,
    }
    if ticket.place.ports:
        first, last = ticket.place.ports
        found |= {"SWITCHBOARD_PORT_FIRST": str(first), "SWITCHBOARD_PORT_LAST": str(last)}
    if ticket.copied:
        # An agent's `git add -A` must not commit copied files (.env); nothing in the repository is changed for it.
        count = int(os.environ.get("GIT_CONFIG_COUNT", "0") or "0")
        found |= {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": "core.excludesFile",
            f"GIT_CONFIG_VALUE_{count}": str(folder / EXCLUDE),
        }
    return found | {"PATH": with_ours(found.get("PATH", os.environ.get("PATH", os.defpath)))}


OURS_IS_THERE = (Path(sys.executable).parent / "switchboard").exists()
"""Looked for once, and not on the event loop."""


def with_ours(path: str, ours: Path | None = None) -> str:
    """The search path with the folder of `switchboard` at its end: agents are told to run it, and nothing else of a
    virtual environment may come before what a person has."""
    folder = ours or Path(sys.executable).parent
    there = OURS_IS_THERE if ours is None else (folder / "switchboard").exists()
    if str(folder) in path.split(os.pathsep) or not there:
        return path
    return os.pathsep.join([*([path] if path else []), str(folder)])


def command_env(ticket: Ticket, folder: Path) -> dict[str, str]:
    """The whole environment of a set-up or check command."""
    return {**os.environ, **agent_env(ticket, folder)}


def exclude_file(repo: Path, copied: tuple[str, ...]) -> str:
    """The person's own excludes, and the copied files. Blocking."""
    ran = git.attempt(repo, "config", "--type=path", "--get", "core.excludesFile")
    config_home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    own = Path(ran.out.strip() or Path(config_home) / "git" / "ignore")
    try:
        lines = own.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    return "\n".join([*lines, *(f"/{name}" for name in copied), ""])


def identity(repo: Path, owner: Person) -> dict[str, str]:
    """A git identity for an agent's commits where this machine has none: the session's owner. Blocking."""
    if git.attempt(repo, "config", "--get", "user.email").out.strip() or os.environ.get("GIT_AUTHOR_EMAIL"):
        return {}
    name, email = git.identity(owner)
    return {
        "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email,
        "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email,
    }  # fmt: skip
