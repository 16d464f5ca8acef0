"""A finished change as a review: what git says at one commit, cut to what the repo shares and to what a frame holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bot.wire import codec
from bot.wire.messages import ReviewOffered
from bot.wire.types import Check, Commit, Place, Review, ReviewId, Share
from runners.redact import redact
from runners.repo import git, merging, scope
from runners.runner.progress import MOST_FILES, GitFacts, last_words, one_line, redacted, without_output

SUMMARY = 2500
ENVELOPE = 4096
"""Bytes kept free for the frame around a review."""
CUT = "\n… the diff is longer than one message can hold; the rest is on the branch.\n"


def git_facts(worktree: Path, base_commit: str) -> GitFacts:
    """Commits since the base, and files changed against it, uncommitted ones included. Blocking."""
    head = git.commit_of(worktree, "HEAD") or ""
    commits, count = git.commits(worktree, base_commit, "HEAD")
    files = (*git.file_stats(worktree, base_commit), *git.untracked(worktree, MOST_FILES))
    return GitFacts(head, commits, count, files)


def review(
    number: ReviewId,
    place: Place,
    repo: Path,
    *,
    head: str,
    summary: str,
    checks: Sequence[Check],
    dirty: Sequence[str],
) -> Review:
    """``head`` as it was checked, whatever the branch has become since. Blocking: asks git.

    What the repo does not share is not in it.
    """
    worktree = Path(place.worktree)
    fork = _fork_point(worktree, place, head)
    commits, _ = git.commits(worktree, fork, head)
    files = git.file_stats(worktree, fork, head)
    base_tip = git.commit_of(repo, f"refs/heads/{place.base}") or place.base_commit
    changed = [file.path for file in files]
    full = Review(
        id=number,
        commit=head,
        branch=place.branch,
        base=place.base,
        base_commit=base_tip,
        summary=last_words(summary, SUMMARY),
        commits=tuple(Commit(commit.sha, redact(one_line(commit.subject, 200))) for commit in commits),
        stat=redacted(files[:MOST_FILES]),
        file_count=len(files),
        added=sum(file.added for file in files),
        deleted=sum(file.deleted for file in files),
        checks=tuple(checks),
        outside_scope=named(scope.outside(changed, place.scope), place.share),
        conflicts=named(merging.conflicts(repo, base_tip, head), place.share),
        dirty=named(dirty, place.share),
        diff=_diff(worktree, fork, head) if place.share is Share.FULL else None,
        share=place.share,
    )
    return fit(shared(full))


def _fork_point(worktree: Path, place: Place, head: str) -> str:
    """Where the branch left its base by now: an agent may have merged the base into its branch."""
    ran = git.attempt(worktree, "merge-base", f"refs/heads/{place.base}", head)
    return ran.out.strip() if ran.status == 0 else place.base_commit


def _diff(worktree: Path, base: str, head: str) -> str:
    return redact(git.run(worktree, "diff", "--no-color", "--no-ext-diff", "--no-textconv", base, head, "--"))


def shared(found: Review) -> Review:
    """Take out what the repo's ``share`` keeps on this machine."""
    if found.share is not Share.NONE:
        return found
    return replace(
        found,
        commits=(),
        stat=(),
        diff=None,
        checks=without_output(found.checks),
    )


def named(paths: Sequence[str], share: Share) -> tuple[str, ...]:
    """Paths as they may leave: redacted, or only that there are some."""
    if share is Share.NONE:
        return (f"{len(paths)} path{'' if len(paths) == 1 else 's'} (names not shared)",) if paths else ()
    return tuple(redact(path) for path in paths[:MOST_FILES])


def fit(found: Review) -> Review:
    """Cut the diff so that the review fits one frame; say so at the cut."""
    if found.diff is None:
        return found
    room = codec.MAX_FRAME - ENVELOPE - len(codec.body_bytes(ReviewOffered(replace(found, diff=""))))
    if len(codec.body_bytes(ReviewOffered(replace(found, diff=found.diff)))) <= codec.MAX_FRAME - ENVELOPE:
        return found
    # JSON escapes make text longer; halving finds a length that fits in a few steps without measuring each character.
    keep = min(len(found.diff), room)
    while (
        keep
        and len(codec.body_bytes(ReviewOffered(replace(found, diff=found.diff[:keep] + CUT))))
        > codec.MAX_FRAME - ENVELOPE
    ):
        keep = keep * 9 // 10
    return replace(found, diff=found.diff[:keep].rpartition("\n")[0] + CUT)
