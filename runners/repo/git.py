"""Git as functions, through GitPython's command runner (no ``cat-file`` children left). Blocking: run in threads."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from git import Git
from git.exc import GitCommandNotFound, GitError

from bot.wire.types import Commit, FileStat, Person
from runners.errors import RunnerError, WorktreeProblem

OLDEST = (2, 38)
"""``merge-tree --write-tree`` came with 2.38."""
LARGE = 1 << 20
"""Bytes of a new file beyond which its lines are not counted."""
INERT = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "commit.gpgSign=false", "log.showSignature=false")
"""Switchboard's own git runs nothing that a repository or a branch brings: a hook's folder may be part of the branch
that is being merged. Filters stay: without those of Git LFS a checkout would be pointers."""
SETTINGS = tuple(word for setting in ("core.quotePath=false", *INERT) for word in ("-c", setting))
"""Paths stay as they are as well: no quoting of bytes beyond ASCII."""
CRUD = ".,:;<>\"\\'"
"""Together with what is not visible: git's ``ident.c`` strips these from both ends of a name."""
QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8", "GIT_EDITOR": "true"}


class GitFailed(RunnerError):
    """A git command failed. ``status`` is its exit status."""

    def __init__(self, args: Sequence[str], status: int, words: str) -> None:
        super().__init__(f"`git {' '.join(args)}` failed: {words.strip() or f'exit status {status}'}")
        self.status = status
        self.words = words


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


def attempt(where: Path, *args: str, env: Mapping[str, str] | None = None) -> Ran:
    """Run git in a folder; the caller looks at the status. Raises WorktreeProblem when the folder is not there.

    Never anywhere else: without its folder a child would run in our own, and a worktree that lost its ``.git`` would
    be looked for further up; either may be somebody's repository.
    """
    if not where.is_dir():
        raise WorktreeProblem(
            f"{where} is not there any more.", "Put the folder back where it was, or stop the session."
        )
    try:
        found = Git(where).execute(
            ["git", "-C", str(where), *SETTINGS, *args],
            env={**QUIET, "GIT_CEILING_DIRECTORIES": str(where.absolute().parent), **(env or {})},
            with_extended_output=True,
            with_exceptions=False,
            strip_newline_in_stdout=False,
            stdout_as_string=False,
        )
    except GitCommandNotFound as err:
        raise WorktreeProblem(f"git cannot be run in {where}.", "Install git 2.38 or newer; check the folder.") from err
    except GitError as err:
        raise WorktreeProblem(f"git cannot be run in {where}: {err}.") from err
    status, out, err_text = found
    return Ran(int(status), _text(out), _text(err_text))


def run(where: Path, *args: str, env: Mapping[str, str] | None = None) -> str:
    """Run git in a folder and return what it printed. Raises GitFailed."""
    ran = attempt(where, *args, env=env)
    if ran.status:
        raise GitFailed(args, ran.status, ran.err or ran.out)
    return ran.out


def _text(raw: bytes | str) -> str:
    return raw if isinstance(raw, str) else raw.decode("utf-8", "replace")


@cache
def version() -> tuple[int, ...]:
    """Git's version on this machine; empty when there is no git."""
    try:
        return tuple(Git().version_info)
    except GitError:
        return ()


def version_problem() -> str:
    """What is wrong with this machine's git, and the fix; empty when it will do."""
    found = version()
    if not found:
        return "git is not installed. Install git 2.38 or newer."
    if found < OLDEST:
        return f"git {'.'.join(map(str, found))} is too old. Install git 2.38 or newer."
    return ""


def identity(person: Person) -> tuple[str, str]:
    """A person's name and address as git takes them: it refuses a name made only of what it strips from names."""
    name = "".join(char for char in person.name if char.isprintable()).strip()
    address = person.email if "@" in person.email and person.email.isprintable() else ""
    usable = any(char > " " and char not in CRUD for char in name)
    return name if usable else person.id, address or f"{person.id}@users.noreply.slack.com"


def commit_of(where: Path, name: str) -> str | None:
    """The full id of the commit that a name stands for, or None."""
    ran = attempt(where, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return ran.out.strip() if ran.status == 0 else None


def is_ancestor(where: Path, older: str, newer: str) -> bool:
    """Whether ``newer`` contains ``older``; False where one of them is not there."""
    return attempt(where, "merge-base", "--is-ancestor", older, newer).status == 0


def has_branch(where: Path, branch: str) -> bool:
    return attempt(where, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}").status == 0


def valid_branch(branch: str) -> bool:
    """``git check-ref-format --branch`` without its expansion of ``@{-1}``."""
    return not branch.startswith("-") and attempt(Path.cwd(), "check-ref-format", f"refs/heads/{branch}").status == 0


def checked_out_at(where: Path, branch: str) -> Path | None:
    """The checkout (main or linked) that has this branch, if any."""
    path: Path | None = None
    for line in run(where, "worktree", "list", "--porcelain", "-z").split("\0"):
        if line.startswith("worktree "):
            path = Path(line.removeprefix("worktree "))
        elif line == f"branch refs/heads/{branch}":
            return path
    return None


def dirty_paths(where: Path, env: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Paths with changes not committed, untracked ones and those of submodules included, ignored ones not."""
    how = ("--untracked-files=all", "--ignore-submodules=none", "--no-renames")
    out = run(where, "status", "--porcelain=v1", "-z", *how, env=env)
    return tuple(entry[3:] for entry in out.split("\0") if len(entry) > 3)


def changed_count(where: Path) -> int:
    """How many tracked files differ from the last commit."""
    ran = attempt(where, "status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames")
    return sum(bool(entry) for entry in ran.out.split("\0")) if ran.status == 0 else 0


def commits(where: Path, base: str, head: str, limit: int = 50) -> tuple[tuple[Commit, ...], int]:
    """The newest ``limit`` commits on ``head`` since ``base``, oldest first, and how many there are in all."""
    out = run(where, "log", "--format=%H%x00%s%x00", f"--max-count={limit}", f"{base}..{head}")
    fields = [field.lstrip("\n") for field in out.split("\0")[:-1]]
    found = tuple(Commit(sha, subject) for sha, subject in zip(fields[::2], fields[1::2], strict=True))[::-1]
    if len(found) < limit:
        return found, len(found)
    return found, int(run(where, "rev-list", "--count", f"{base}..{head}"))


def file_stats(where: Path, *what: str, env: Mapping[str, str] | None = None) -> tuple[FileStat, ...]:
    """``git diff --numstat`` as values. ``what`` is one or two commits."""
    out = run(where, "diff", "--numstat", "-z", "--no-renames", "--no-ext-diff", *what, "--", env=env)
    return tuple(_stat(*entry.split("\t", 2)) for entry in out.split("\0") if entry)


def _stat(added: str, deleted: str, path: str) -> FileStat:
    if added == "-":
        return FileStat(path, 0, 0, binary=True)
    return FileStat(path, int(added), int(deleted))


def untracked(where: Path, most: int) -> tuple[FileStat, ...]:
    """New files that git does not know yet, ignored ones not; those beyond ``most`` are named without being read."""
    out = run(where, "ls-files", "--others", "--exclude-standard", "-z")
    paths = [path for path in out.split("\0") if path]
    return tuple(_new_file(where, path) if number < most else FileStat(path, 0, 0) for number, path in enumerate(paths))


def _new_file(where: Path, path: str) -> FileStat:
    """Nothing is read through a symlink, and no pipe is waited for."""
    try:
        file = os.open(where / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        a_link = (where / path).is_symlink()  # git counts what it points to as one line
        return FileStat(path, 1, 0) if a_link else FileStat(path, 0, 0, binary=True)
    with os.fdopen(file, "rb") as opened:
        data = opened.read(LARGE) if stat.S_ISREG(os.fstat(file).st_mode) else None
    if data is None or b"\0" in data or len(data) == LARGE:
        return FileStat(path, 0, 0, binary=True)
    return FileStat(path, len(data.splitlines()), 0)
