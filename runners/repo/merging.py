"""Merging a review into its base without touching anybody's checkout: plumbing, identities set per command."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from bot.wire.types import Person, Share
from runners.errors import MergeProblem
from runners.redact import redact
from runners.repo import git
from runners.repo.waiting import Records, Waiting

log = structlog.get_logger()

WAITING = "switchboard/merged/"
"""Merges wait on branches under this prefix while their base is checked out; ``Records`` knows which are ours."""
COMMITTER = ("Switchboard", "switchboard@localhost")


@dataclass(frozen=True)
class Landed:
    commit: str
    branch: str
    look: str = ""


@dataclass(frozen=True)
class MergeOrder:
    """What to merge: exactly ``commit`` of ``branch`` into ``base``, approved by ``by``."""

    repo: Path
    name: str
    branch: str
    commit: str
    base: str
    by: Person
    records: Path
    """Folder, the host's own, in which it keeps what it has left waiting."""
    share: Share = Share.STAT
    summary: str = ""
    fast_forward: bool = False


def conflicts(repo: Path, ours: str, theirs: str) -> tuple[str, ...]:
    """Paths that would conflict; empty when the merge is clean."""
    return _merged_tree(repo, ours, theirs)[1]


def _merged_tree(repo: Path, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    args = ("merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs)
    ran = git.attempt(repo, *args)
    if ran.status not in (0, 1):
        raise git.GitFailed(args, ran.status, ran.err or ran.out)
    tree, *paths = ran.out.split("\0")
    return tree.strip(), tuple(dict.fromkeys(path for path in paths if path))


def merge(order: MergeOrder) -> Landed:
    """Raises MergeProblem; then nothing has moved."""
    records = Records(order.records, order.repo)
    try:
        with records.alone():
            return _merge(order, records)
    except git.GitFailed as err:
        log.warning("merge.failed", error=str(err))
        said = "what git said is in the session's runner.log" if order.share is Share.NONE else redact(err.problem)
        raise MergeProblem(
            f"git could not merge {order.branch} into {order.base}: {said}.", "Merge the branch by hand."
        ) from err


def _merge(order: MergeOrder, records: Records) -> Landed:
    tip = git.commit_of(order.repo, f"refs/heads/{order.base}")
    if tip is None:
        raise MergeProblem(f"The base branch {order.base} is gone.", "Create it again, or merge the branch by hand.")
    waiting = records.standing(order.base, tip)
    if (before := _landed(order, waiting)) is not None:
        return before
    place = git.checked_out_at(order.repo, order.base)
    if place is not None and order.fast_forward and not git.dirty_paths(place):
        commit = _commit(order, tip)
        git.run(place, "merge", "--ff-only", "--no-overwrite-ignore", "--quiet", commit)
        return Landed(commit, order.base)
    if place is None:
        commit = _commit(order, tip)
        _move(order, order.base, commit, tip)
        return Landed(commit, order.base)
    # On top of what waits already, so that one line takes both.
    commit = _commit(order, waiting[0].made if waiting else tip)
    branch = _free(order.repo, WAITING + order.name, tip)
    records.add(Waiting(order.base, tip, order.commit, commit, branch))
    _move(order, branch, commit, git.commit_of(order.repo, f"refs/heads/{branch}") or "")
    return Landed(commit, branch, _take(branch))


def _take(branch: str) -> str:
    return f"git merge --ff-only {branch}"


def _landed(order: MergeOrder, waiting: Sequence[Waiting]) -> Landed | None:
    """This very merge, made by a process that died before it could say so."""
    for record in waiting:
        if record.merged == order.commit:
            return Landed(record.made, record.branch, _take(record.branch))
    merges = git.run(
        order.repo, "log", "--merges", "--first-parent", "--format=%H %P", f"{order.commit}..refs/heads/{order.base}"
    )
    for line in merges.splitlines():
        made, _, *others = line.split()
        if order.commit in others:
            return Landed(made, order.base)
    return None


def _commit(order: MergeOrder, onto: str) -> str:
    if git.is_ancestor(order.repo, order.commit, onto):
        raise MergeProblem(f"{order.base} already contains {order.commit[:9]}.", "There is nothing to merge.")
    tree, clash = _merged_tree(order.repo, onto, order.commit)
    if clash:
        raise MergeProblem(
            f"Merging {order.branch} into {order.base} conflicts in {_listed(clash, order.share)}.",
            f"Send it back: ask the agent to merge {order.base} into its branch and resolve this.",
        )
    author = git.identity(order.by)
    env = {
        "GIT_AUTHOR_NAME": author[0], "GIT_AUTHOR_EMAIL": author[1],
        "GIT_COMMITTER_NAME": COMMITTER[0], "GIT_COMMITTER_EMAIL": COMMITTER[1],
    }  # fmt: skip
    title = f"Merge {order.branch} into {order.base}"
    message = f"{title}\n\n{order.summary.strip()}\n" if order.summary.strip() else f"{title}\n"
    args = ("commit-tree", tree, "-p", onto, "-p", order.commit, "-m", message)
    return git.run(order.repo, *args, env=env).strip()


def _move(order: MergeOrder, branch: str, new: str, old: str) -> None:
    """Compare and swap: a branch that moved meanwhile is left alone. An empty ``old`` means it must not exist."""
    reason = f"switchboard: merge {order.branch}"
    zero = "0" * len(new)
    ran = git.attempt(order.repo, "update-ref", "-m", reason, f"refs/heads/{branch}", new, old or zero)
    if ran.status:
        raise MergeProblem(f"{branch} moved while the merge was made.", "Press Merge again.")


def _free(repo: Path, branch: str, base_tip: str) -> str:
    """``branch``, or with a number where an older merge of that name is not in the base yet."""
    name, number = branch, 1
    while (found := git.commit_of(repo, f"refs/heads/{name}")) is not None:
        if git.is_ancestor(repo, found, base_tip):
            return name
        number += 1
        name = f"{branch}-{number}"
    return name


def _listed(paths: tuple[str, ...], share: Share, most: int = 5) -> str:
    if share is Share.NONE:
        return "1 path" if len(paths) == 1 else f"{len(paths)} paths"
    shown = ", ".join(redact(path) for path in paths[:most])
    return shown if len(paths) <= most else f"{shown} and {len(paths) - most} more"
