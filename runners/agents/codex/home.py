"""A Codex home for one session: the person's own by links, with a rule of ours beside theirs. Blocking.

Nothing of theirs is changed: Codex notes the projects it was run in in ``config.toml``, so that one is a copy.
"""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path

RULE = """\
# A linked worktree keeps its index in its repository's .git, which Codex's sandbox does not let commands write to.
prefix_rule(pattern=["git", ["add", "rm", "mv", "commit"]], decision="allow")
"""
OURS = frozenset(("rules", "config.toml", "app-server-control", "tmp", ".tmp", "log"))
"""What a session has to itself."""
SHARED_FOLDERS = ("sessions", "thread-writer-locks", "shell_snapshots")
"""What Codex makes at its first run: made in the person's home, so that their ``codex resume`` finds the session."""
SHARED_FILES = ("auth.json", "auth.lock", ".credentials.json", "history.jsonl", "installation_id")
"""Linked even before they are there: a login or a refreshed token lands in the person's home."""


def own_home(env: Mapping[str, str]) -> Path:
    """The person's Codex home."""
    return Path(env.get("CODEX_HOME") or Path(env.get("HOME") or Path.home()) / ".codex").expanduser()


def layered(own: Path, ours: Path) -> dict[str, str]:
    """Make the session's home anew; returns what the environment needs. Raises OSError.

    A login kept in the system's keyring is filed under the home's path: such a home is used as it is, and commits ask.
    """
    if _keyring(own):
        return {}
    for name in SHARED_FOLDERS:
        (own / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    ours.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = {entry.name for entry in own.iterdir()} if own.is_dir() else set()
    for name in sorted((found | set(SHARED_FILES)) - OURS):
        if not _sqlite(name):  # an index over the sessions, by their paths: each home has its own
            _link(ours / name, own / name)
    _copy_config(own / "config.toml", ours / "config.toml")
    _rules(own / "rules", ours / "rules")
    return {"CODEX_HOME": str(ours), "CODEX_SQLITE_HOME": str(ours)}


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    if link.is_symlink() or link.exists():
        return  # made by Codex in an earlier life of this session: not ours to remove
    link.symlink_to(target)


def _copy_config(theirs: Path, copy: Path) -> None:
    if theirs.is_file():
        shutil.copyfile(theirs, copy)
        copy.chmod(0o600)
    else:
        copy.unlink(missing_ok=True)


def _rules(theirs: Path, ours: Path) -> None:
    """Copies, not links: Codex reads regular files only."""
    shutil.rmtree(ours, ignore_errors=True)
    ours.mkdir(mode=0o700)
    for rule in sorted(theirs.glob("*.rules")) if theirs.is_dir() else ():
        if rule.is_file():
            shutil.copyfile(rule, ours / rule.name)
    (ours / "zz-switchboard.rules").write_text(RULE, encoding="utf-8")


def _keyring(own: Path) -> bool:
    try:
        config = tomllib.loads((own / "config.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return config.get("cli_auth_credentials_store") in ("keyring", "auto") and not (own / "auth.json").exists()


def _sqlite(name: str) -> bool:
    return ".sqlite" in name
