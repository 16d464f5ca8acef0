"""Starting a session: what may run where, who answers for it, and the command to its host."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from bot.domain import names
from bot.domain.intents import Note, Response, Start, StartOffers
from bot.domain.routing import looks_like_a_person
from bot.domain.sessions import Session
from bot.services import beginning, finding, words
from bot.services.ctx import Act, Ctx
from bot.store import hosts, people, sessions
from bot.store.hosts import Host
from bot.wire.types import AgentOffer, PersonId, RepoOffer

MAX_TASK_BYTES = 100_000
LARGEST_BUDGET = 1_000_000
CONNECT = "Connect one: `switchboard host --bot URL --token-file PATH` on the machine that has the repository."


@dataclass(frozen=True)
class Chosen:
    host: Host
    repo: RepoOffer
    agent: str


def offers(ctx: Ctx, by: PersonId) -> StartOffers:
    usable = _usable(ctx, by)
    if not usable:
        return StartOffers(problem=_no_host(ctx, by))
    repos = {repo.name: repo for host in usable for repo in _repos(host) if not repo.problem}
    agents = {agent.name: agent for host in usable for agent in _agents(host) if not agent.problem}
    if not repos:
        problems = [f"{repo.name}: {repo.problem}" for host in usable for repo in _repos(host)]
        said = words.escape("; ".join(problems)) or "they offer no repository"
        return StartOffers(problem=f"No connected host can open a session: {said}.")
    default = _favourite(ctx, by, list(repos))
    return StartOffers(
        repos=tuple(sorted(repos)),
        agents=tuple(sorted(agents)),
        default_repo=default,
        base_of={name: repo.base for name, repo in repos.items()},
    )


def start(act: Act, intent: Start) -> Response:
    if problem := finding.unchecked(act):
        return problem
    task = names.clean(intent.task)
    intent = replace(intent, base=names.visible(intent.base))
    checks = (_bad_task(task), _bad_base(intent.base), _bad_name(act, intent.name), _bad_reviewer(act, intent))
    for problem in (*checks, _bad_budget(intent.budget)):
        if problem:
            return problem
    chosen = _choose(act, intent)
    if isinstance(chosen, Note):
        return chosen
    name = names.unique(names.slug(intent.name) or names.name_for(task), sessions.names_in_use(act.tx))
    session = _session(act, intent, chosen, name, task)
    beginning.begin(act, session, finding.person_of(act, act.by))
    return Note(f"Starting *{words.escape(name)}* on {words.escape(session.repo)}. {_where(session)}")


def _session(act: Act, intent: Start, chosen: Chosen, name: str, task: str) -> Session:
    return beginning.fresh(
        act,
        name=name,
        repo=chosen.repo.name,
        task=task,
        owner=act.by,
        reviewer=intent.reviewer if intent.reviewer != act.by else None,
        agent=chosen.agent,
        base=intent.base or chosen.repo.base,
        branch=names.branch_for(name),
        scope=tuple(p.strip() for p in intent.scope if p.strip()) or chosen.repo.scope,
        host=chosen.host.id,
        channel=_channel(act, chosen.repo),
        budget=intent.budget,
    )


def _channel(act: Act, repo: RepoOffer) -> str:
    """The repo's channel, else where it was typed, else the default; a DM with us is the owner's own place."""
    if repo.channel:
        return repo.channel
    typed = act.origin.channel
    return typed if typed and not typed.startswith("D") else act.settings.default_channel


def _where(session: Session) -> str:
    if not session.channel:
        return "Its thread is in your messages with me."
    return f"Its thread is in {words.channel(session.channel)}."


# --- what is wrong with it ------------------------------------------------------------------------------------------


def _bad_task(task: str) -> Note | None:
    if not task:
        return Note("Say what the agent should do.", problem=True, field="task")
    size = len(task.encode())
    if size > MAX_TASK_BYTES:
        return Note(
            f"The task has {size:,} bytes; at most {MAX_TASK_BYTES:,} fit. Put the rest into a file in the repo.",
            problem=True,
            field="task",
        )
    return None


def _bad_base(base: str) -> Note | None:
    wrong = names.ref_problem(base) if base else ""
    if not wrong:
        return None
    return Note(
        f"{words.code(base)} is no branch name: {words.escape(wrong)}. "
        "Name a branch that exists, or none for the repository's own.",
        problem=True,
        field="base",
    )


def _bad_name(act: Act, name: str) -> Note | None:
    if not name.strip():
        return None
    if slug := names.slug(name):
        taken = sessions.names_in_use(act.tx)
        free = words.code(names.unique(slug, taken))
        text = f"{words.code(slug)} is taken by an open session. {free} is free; or leave the name out."
        return Note(text, problem=True, field="name") if slug in taken else None
    return Note(
        f"{words.code(name)} has no letter a-z or digit in it, and names are used in branches and paths. "
        "Add some, or leave the name out.",
        problem=True,
        field="name",
    )


def _bad_budget(budget: float | None) -> Note | None:
    if budget is None or (math.isfinite(budget) and 0 < budget <= LARGEST_BUDGET):
        return None
    text = f"A budget is an amount in US dollars, more than 0 and at most {LARGEST_BUDGET:,}, like `5` or `2.50`."
    return Note(text, problem=True, field="budget")


def _bad_reviewer(act: Act, intent: Start) -> Note | None:
    who = intent.reviewer
    if who is None:
        return None
    if not looks_like_a_person(who):
        known = words.some(people.names(act.tx))
        hint = f" I know {known}." if known else ""
        return Note(f"I found nobody called {words.code(who)}.{hint}", problem=True, field="reviewer")
    named = people.meet(act.tx, who)
    if not named.checked and who not in act.settings.admins:
        return Note(
            f"I could not check yet who {words.person(who)} is; try again in a moment.", problem=True, field="reviewer"
        )
    if named.profile.is_bot or named.profile.is_guest:
        return Note(f"{words.person(who)} is a guest or an app and cannot review.", problem=True, field="reviewer")
    return None


# --- which host, repo and agent -------------------------------------------------------------------------------------


def _usable(ctx: Ctx, by: PersonId) -> list[Host]:
    return [host for host in hosts.usable_by(ctx.tx, by) if host.connected and host.offers]


def _repos(host: Host) -> tuple[RepoOffer, ...]:
    return host.offers.repos if host.offers else ()


def _agents(host: Host) -> tuple[AgentOffer, ...]:
    return host.offers.agents if host.offers else ()


def _no_host(ctx: Ctx, by: PersonId) -> str:
    silent = [host for host in hosts.usable_by(ctx.tx, by) if not host.connected]
    if silent:
        named = words.some([host.id for host in silent])
        return f"Your host {named} is not connected. Wake that machine, or start `switchboard host` on it."
    return f"No host of yours is connected, so there is no machine to run a session on. {CONNECT}"


def _choose(act: Act, intent: Start) -> Chosen | Note:
    usable = _usable(act, act.by)
    if not usable:
        return Note(_no_host(act, act.by), problem=True, field="repo")
    known = sorted({repo.name for host in usable for repo in _repos(host)})
    wanted = names.visible(intent.repo) or _favourite(act, act.by, known)
    if not wanted:
        return Note(f"Which repository? There {_are(known)}.", problem=True, field="repo")
    having = [(host, repo) for host in usable for repo in _repos(host) if names.alike(repo.name, wanted)]
    if not having:
        return _no_repo(act, wanted, known)
    working = [(host, repo) for host, repo in having if not repo.problem]
    if not working:
        host, repo = having[0]
        return Note(
            f"{words.code(repo.name)} on {words.code(host.id)} cannot be used: {words.escape(repo.problem)}",
            problem=True,
            field="repo",
        )
    return _with_agent(act, intent, working)


def _no_repo(act: Act, wanted: str, known: list[str]) -> Note:
    asleep = [
        host.id
        for host in hosts.usable_by(act.tx, act.by)
        if not host.connected and any(names.alike(repo.name, wanted) for repo in _repos(host))
    ]
    if asleep:
        text = f"{words.code(wanted)} is on {words.some(asleep)}, which is not connected. Wake that machine."
    elif known:
        text = f"There is no repository {words.code(wanted)}. There {_are(known)}."
    else:
        text = f"There is no repository {words.code(wanted)}: your hosts offer none. Add it with `--repo PATH`."
    return Note(text, problem=True, field="repo")


def _with_agent(act: Act, intent: Start, working: list[tuple[Host, RepoOffer]]) -> Chosen | Note:
    """The least busy host that has the agent; one's own before a shared one."""
    load = hosts.load(act.tx)
    working.sort(key=lambda pair: (pair[0].owner != act.by, load.get(pair[0].id, 0)))
    problems: dict[str, str] = {}
    for host, repo in working:
        wanted = names.visible(intent.agent) or repo.agent
        for agent in _agents(host):
            if wanted and not names.alike(agent.name, wanted):
                continue
            if not agent.problem:
                return Chosen(host, repo, agent.name)
            problems[agent.name] = agent.problem
    wanted = names.visible(intent.agent) or working[0][1].agent
    if problems:
        said = "; ".join(f"{words.code(name)}: {words.escape(problem)}" for name, problem in problems.items())
        return Note(f"That agent cannot be used. {said}", problem=True, field="agent")
    known = sorted({agent.name for host, _ in working for agent in _agents(host) if not agent.problem})
    exist = f"There {_are(known)}." if known else "That host has none that can be used."
    return Note(f"There is no agent {words.code(wanted)}. {exist}", problem=True, field="agent")


def _are(known: list[str]) -> str:
    return f"{'is' if len(known) == 1 else 'are'} {words.some(known)}"


def _favourite(ctx: Ctx, by: PersonId, known: list[str]) -> str:
    """The only repository, else the one this person used last; empty when there is no telling."""
    if len(known) == 1:
        return known[0]
    last = sessions.last_repo(ctx.tx, by)
    return last if last in known else ""
