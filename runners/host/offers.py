"""What this host offers: its repositories and agents, each with its problem and the fix. Blocking."""

from __future__ import annotations

from bot.wire.messages import HostDescribed
from bot.wire.types import AgentOffer, RepoOffer
from runners.config import AgentConfig, HostConfig, RepoConfig
from runners.errors import RunnerError, disk_problem
from runners.host import probing
from runners.repo import git, scope, worktrees


def describe(config: HostConfig) -> HostDescribed:
    """Looks at the disk: commands found, repositories usable, git new enough."""
    too_old = git.version_problem()
    return HostDescribed(
        repos=tuple(_repo(repo, config, too_old) for repo in config.repos.values()),
        agents=tuple(_agent(agent) for agent in config.agents.values()),
        git=".".join(map(str, git.version())),
        problems=(too_old,) if too_old else (),
    )


def troubled(described: HostDescribed) -> bool:
    """Something in it cannot be used, and might be put right."""
    return any(repo.problem for repo in described.repos) or any(agent.problem for agent in described.agents)


def _agent(agent: AgentConfig) -> AgentOffer:
    found = probing.examine(agent)
    return AgentOffer(found.name, found.title, found.problem)


def _repo(repo: RepoConfig, config: HostConfig, problem: str) -> RepoOffer:
    base = repo.base
    if not problem:
        try:
            base = worktrees.check_repo(repo)
        except RunnerError as err:
            problem = str(err)
        except OSError as err:
            problem = str(disk_problem(err, "it is offered again by itself"))
    if not problem and (bad := scope.bad_patterns(repo.scope)):
        problem = f"scope under [repos.{repo.name}] has patterns that cannot be read: {', '.join(bad)}."
    return RepoOffer(
        name=repo.name,
        base=base,
        share=repo.share,
        agent=repo.agent or config.agent,
        channel=repo.channel,
        scope=repo.scope,
        problem=problem,
    )
