"""Scope: judged by what git says has changed, against declared paths. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pathspec import GitIgnoreSpec


def outside(paths: Iterable[str], scope: Sequence[str]) -> tuple[str, ...]:
    """The changed paths that no pattern of the scope allows. An empty scope allows all."""
    if not scope:
        return ()
    allowed = GitIgnoreSpec.from_lines(scope)
    return tuple(path for path in paths if not allowed.match_file(path))


def bad_patterns(scope: Sequence[str]) -> tuple[str, ...]:
    """Patterns that cannot be read, or match nothing in a worktree."""
    bad = []
    for pattern in scope:
        if ".." in pattern.split("/"):
            bad.append(pattern)  # it could only lead out of the worktree
            continue
        try:
            GitIgnoreSpec.from_lines([pattern])
        except ValueError:
            bad.append(pattern)
    return tuple(bad)
