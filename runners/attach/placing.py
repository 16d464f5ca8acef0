"""Opens a hand-run session where it is: papers only, nothing is made in its worktree. Safe to repeat after a crash."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec.structs import replace

from bot.wire.types import Place, SessionSpec
from runners.attach import places, record
from runners.attach.record import Record
from runners.config import HostConfig, RepoConfig
from runners.errors import WorktreeProblem
from runners.runner import launch, ticket
from runners.runner.ticket import Ticket


def open_attached(config: HostConfig, data: Path, spec: SessionSpec) -> Ticket:
    """Raises WorktreeProblem; no folder is left then. Blocking."""
    known = next((found for found in record.records(data) if found.attach == spec.attach), None)
    if known is None or known.left:
        raise WorktreeProblem("This hand-run session has left already.", "Attach it again from its terminal.")
    worktree = Path(known.worktree)
    if not worktree.is_dir():
        record.forget(data, known)
        raise WorktreeProblem(f"The worktree {worktree} is gone.", "Attach again from where it is now.")
    repo = config.repos.get(known.repo) or places.known_repo(config, worktree)
    if repo is None:
        raise WorktreeProblem(f"This host has no repo “{known.repo}” any more.", "Add it to switchboard.toml.")
    folder = data / "sessions" / spec.session
    try:
        for private in (data, folder.parent, folder):
            private.mkdir(parents=True, exist_ok=True, mode=0o700)
        paper = _paper(config, repo, known, worktree, spec)
        known = replace(known, folder=str(folder))
        record.write_own(folder, known)
        ticket.write(folder, paper)
        record.write(data, known)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return paper


def _paper(config: HostConfig, repo: RepoConfig, known: Record, worktree: Path, spec: SessionSpec) -> Ticket:
    now = places.standing(repo, worktree, spec.base)
    place = Place(
        branch=now.branch,
        worktree=str(worktree),
        base=now.base,
        base_commit=now.base_commit,
        agent=known.agent,
        share=repo.share,
        scope=spec.scope or repo.scope,
        attached=True,
    )
    return Ticket(
        spec=spec,
        place=place,
        repo=str(repo.path),
        agent=known.agent,
        argv=(),
        env=launch.identity(repo.path, spec.owner),
        checks=repo.checks,
        check_timeout=repo.check_timeout,
        report_every=config.report_every,
        fast_forward=repo.fast_forward,
        adapter="attach",
    )
