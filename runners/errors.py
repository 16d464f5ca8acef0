"""What can go wrong on a machine that runs sessions. Every message names the thing and the fix.

RunnerError
├── ConfigProblems     switchboard.toml or an option cannot be used; all problems at once
├── LinkRefused        the bot does not accept this peer's token or version
├── WorktreeProblem    a repository, branch or worktree cannot be used as asked
├── MergeProblem       a review cannot be merged; nothing moved
├── SetupFailed        a configured command failed or took too long
├── AlreadyRunning     another process holds this host's or session's lock
└── AgentError         the agent cannot be used
    ├── AgentMissing   not installed; carries the hint
    ├── AgentLoginNeeded   it wants its own login first
    ├── AgentDied      its process ended; carries exit status and last words
    └── AgentConfused  it does not speak its protocol
"""

from __future__ import annotations

import errno
from collections.abc import Sequence


class RunnerError(Exception):
    """Root of everything raised on purpose in ``runners``. ``fix`` is the next step, in words."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(f"{problem} {fix}".strip())
        self.problem = problem
        self.fix = fix


class ConfigProblems(RunnerError):
    """All problems of a configuration, each naming its key and source."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class LinkRefused(RunnerError):
    pass


class WorktreeProblem(RunnerError):
    pass


_FIXES = {
    errno.ENOSPC: "Free some disk space there",
    errno.EDQUOT: "Free some disk space there",
    errno.EACCES: "Let the user that runs Switchboard read and write there",
    errno.EPERM: "Let the user that runs Switchboard read and write there",
    errno.EROFS: "Put it where files can be written",
    errno.ENOTDIR: "Move the file away that stands where a folder is needed, or choose another place",
    errno.EEXIST: "Move the file away that stands where a folder is needed, or choose another place",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
    errno.ENFILE: "Raise the limit of open files (ulimit -n)",
}


def disk_problem(err: OSError, then: str) -> WorktreeProblem:
    """What this machine's files or processes refused, in words; ``then`` is what to do once it is put right."""
    where = err.filename2 or err.filename
    words = err.strerror or str(err) or type(err).__name__
    return WorktreeProblem(
        f"{where}: {words}." if where else f"{words}.",
        f"{_FIXES.get(err.errno or 0, 'Put this right on the host')}, then {then}.",
    )


def in_words(err: RunnerError | OSError) -> str:
    """For people in the session's thread."""
    return str(disk_problem(err, "reply here") if isinstance(err, OSError) else err)


class MergeProblem(RunnerError):
    pass


class SetupFailed(RunnerError):
    pass


class AlreadyRunning(RunnerError):
    pass


class AgentError(RunnerError):
    pass


class AgentMissing(AgentError):
    pass


class AgentLoginNeeded(AgentError):
    """The agent wants its own login on this machine; Switchboard never touches its credentials."""


class AgentDied(AgentError):
    """The agent's process ended. ``exit_status`` is negative for a signal, None where it is not known."""

    def __init__(self, problem: str, fix: str = "", *, exit_status: int | None = None, last_words: str = "") -> None:
        super().__init__(problem, fix)
        self.exit_status = exit_status
        self.last_words = last_words


class AgentConfused(AgentError):
    pass
