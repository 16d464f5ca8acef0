"""Opening a session on this host: worktree, ports, copied files, set-up, ticket. A failure leaves nothing behind."""

from __future__ import annotations

import asyncio
import errno
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bot.wire.types import Place, SessionSpec
from runners import files
from runners.config import AgentConfig, HostConfig, RepoConfig
from runners.errors import AgentMissing, RunnerError, WorktreeProblem, disk_problem
from runners.redact import redact
from runners.repo import checks, git, scope, worktrees
from runners.repo.worktrees import Opened
from runners.runner import launch, preamble, ticket
from runners.runner.preamble import House
from runners.runner.ticket import Ticket

BEGUN = "opening.json"
OURS = "switchboard/"


class Begun(Struct, frozen=True):
    """Written before the worktree is made, so that a host killed in between can clear it away."""

    repo: str
    worktree: str
    branch: str
    ports: tuple[int, int] | None = None


async def open_session(config: HostConfig, data: Path, spec: SessionSpec, reserving: asyncio.Lock) -> Ticket:
    """Raises RunnerError: nothing is left then. Safe to repeat after a crash.

    ``reserving`` is one lock for the whole host: names and ports are looked for and taken by one session at a time.
    """
    repo, agent = _wanted(config, spec)
    folder = data / "sessions" / spec.session
    try:
        async with reserving:
            begun, opened = await _made(config, data, folder, repo, spec)
        return await _made_ready(config, folder, repo, agent, opened, begun, spec)
    except OSError as err:
        raise disk_problem(err, "start the session again") from err


async def _made(
    config: HostConfig, data: Path, folder: Path, repo: RepoConfig, spec: SessionSpec
) -> tuple[Begun, Opened]:
    try:
        begun = await asyncio.to_thread(_begin, config, data, folder, repo, spec)
        place, base = Path(begun.worktree), spec.base or repo.base
        return begun, await asyncio.to_thread(worktrees.open_worktree, repo, place, begun.branch, base)
    except BaseException:
        # What was made is undone by then, what was there before is not ours.
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))
        raise


async def _made_ready(
    config: HostConfig,
    folder: Path,
    repo: RepoConfig,
    agent: AgentConfig,
    opened: Opened,
    begun: Begun,
    spec: SessionSpec,
) -> Ticket:
    try:
        paper = await asyncio.to_thread(_paper, config, folder, repo, agent, opened, begun, spec)
        env = launch.command_env(paper, folder)
        await checks.set_up(repo.setup, cwd=opened.path, env=env, timeout=repo.setup_timeout, share=repo.share)
        await asyncio.to_thread(ticket.write, folder, paper)
    except BaseException:
        await asyncio.shield(asyncio.to_thread(_undo, folder, begun))
        raise
    return paper


def _wanted(config: HostConfig, spec: SessionSpec) -> tuple[RepoConfig, AgentConfig]:
    repo = config.repos.get(spec.repo)
    if repo is None:
        known = ", ".join(sorted(config.repos)) or "none"
        raise WorktreeProblem(f"This host has no repo “{spec.repo}”.", f"It has: {known}. Add it to switchboard.toml.")
    name = spec.agent or repo.agent or config.agent
    agent = config.agents.get(name)
    if agent is None:
        known = ", ".join(sorted(config.agents))
        raise AgentMissing(
            f"This host has no agent “{name}”.", f"It has: {known}. Add [agents.{name}] to switchboard.toml."
        )
    if bad := scope.bad_patterns(spec.scope):
        raise WorktreeProblem(
            f"Allowed paths cannot be used: {', '.join(bad)}.",
            "Write them as in a .gitignore file, from the top of the repository: src/** or docs/.",
        )
    return repo, agent


def _begin(config: HostConfig, data: Path, folder: Path, repo: RepoConfig, spec: SessionSpec) -> Begun:
    if (folder / BEGUN).exists():
        _undo(folder, msgspec.json.decode((folder / BEGUN).read_bytes(), type=Begun))
    if problem := git.version_problem():
        raise WorktreeProblem(problem)
    worktrees.check_repo(repo, spec.base)
    root = (config.worktrees or data / "worktrees") / repo.name
    branch, place = _free(repo, spec.branch or OURS + spec.name, root / _folder_name(spec))
    for private in (data, folder.parent, folder, data / "worktrees"):
        private.mkdir(parents=True, exist_ok=True, mode=0o700)
    begun = Begun(str(repo.path), str(place), branch, _ports(config.first_port, repo.ports, _taken(data)))
    files.write_atomic(folder / BEGUN, msgspec.json.encode(begun))
    return begun


def _folder_name(spec: SessionSpec) -> str:
    name = re.sub(r"[^\w.-]+", "-", spec.name).strip(".-")
    return name[:60] or spec.session


def _free(repo: RepoConfig, branch: str, place: Path) -> tuple[str, Path]:
    """Names are unique among open sessions only: what an ended one left behind gets out of the way by a number."""
    number, wanted_branch, wanted_place = 1, branch, place
    while (branch.startswith(OURS) and git.has_branch(repo.path, wanted_branch)) or wanted_place.exists():
        number += 1
        wanted_place = place.with_name(f"{place.name}-{number}")
        wanted_branch = f"{branch}-{number}" if branch.startswith(OURS) else branch
    return wanted_branch, wanted_place


def _undo(folder: Path, begun: Begun) -> None:
    worktrees.discard(Path(begun.repo), Path(begun.worktree), begun.branch)
    shutil.rmtree(folder, ignore_errors=True)


def _paper(
    config: HostConfig,
    folder: Path,
    repo: RepoConfig,
    agent: AgentConfig,
    opened: Opened,
    begun: Begun,
    spec: SessionSpec,
) -> Ticket:
    (folder / files.EXCLUDE).write_text(launch.exclude_file(repo.path, repo.copy), "utf-8")
    place = Place(
        branch=opened.branch,
        worktree=str(opened.path),
        base=opened.base,
        base_commit=opened.base_commit,
        agent=agent.name,
        share=repo.share,
        scope=spec.scope or repo.scope,
        ports=begun.ports,
        notes=tuple(redact(note) for note in (*opened.notes, *opened.aside)),
    )
    rules = preamble.rules(
        branch=place.branch,
        base=place.base,
        scope=place.scope,
        ports=place.ports,
        notes=opened.notes,
        house=_house(repo),
    )
    return Ticket(
        spec=spec if spec.budget is not None else replace(spec, budget=repo.budget),
        place=place,
        repo=str(repo.path),
        agent=agent.name,
        argv=agent.command,
        env={**launch.identity(repo.path, spec.owner), **agent.env},
        login=agent.login,
        start_timeout=agent.start_timeout,
        checks=repo.checks,
        check_timeout=repo.check_timeout,
        copied=repo.copy,
        notes=opened.notes,
        report_every=config.report_every,
        fast_forward=repo.fast_forward,
        adapter=agent.adapter,
        profile=agent.profile,
        model=agent.model,
        mode=agent.mode,
        rules=rules,
    )


def _house(repo: RepoConfig) -> House:
    """The repository's own rules as they stand now; never read from the branch at work."""
    text = repo.preamble
    if repo.preamble_file is not None:
        try:
            text = _file_text(repo.preamble_file)
        except (OSError, UnicodeDecodeError) as err:
            words = err.strerror if isinstance(err, OSError) else "it is no text (UTF-8)"
            raise RunnerError(
                f"repos.{repo.name}.preamble_file {repo.preamble_file} cannot be read: {words}.",
                "Correct switchboard.toml, or the file.",
            ) from err
    return House(text, repo.questions_first)


def _file_text(path: Path) -> str:
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")  # a device or a pipe may have no end
    return path.read_text("utf-8")


def _taken(data: Path) -> list[tuple[int, int]]:
    found = []
    for path in (data / "sessions").glob(f"*/{BEGUN}"):
        if (path.parent / files.ENDED).exists():
            continue
        ports = msgspec.json.decode(path.read_bytes(), type=Begun).ports
        if ports:
            found.append(ports)
    return found


def open_sessions(data: Path) -> list[Path]:
    """Folders of sessions that were placed and are not over. Blocking."""
    root = data / "sessions"
    folders = sorted(root.iterdir()) if root.exists() else []
    return [folder for folder in folders if (folder / files.TICKET).exists() and not (folder / files.ENDED).exists()]


def _ports(first: int, count: int, taken: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """The lowest range that no open session has."""
    if not count:
        return None
    start = first
    for low, high in sorted(taken):
        if start + count - 1 < low:
            break
        start = max(start, high + 1)
    if start + count - 1 > 65535:
        raise WorktreeProblem(
            "No free range of ports is left for this worktree.", "End some sessions, or lower host.first_port."
        )
    return start, start + count - 1
