"""A session that a person runs by hand comes onto the board: its owner is its host's, its worktree their own."""

from __future__ import annotations

import re

import structlog

from bot.domain import names
from bot.domain.sessions import Session
from bot.services import beginning
from bot.services.ctx import Ctx
from bot.services.words import cut
from bot.store import commands, hosts, people, sessions
from bot.store.hosts import Host
from bot.wire.messages import AttachAsked, RefuseAttach
from bot.wire.types import HostId, RepoOffer, SessionId

log = structlog.get_logger()

MOST = 300
"""Characters of a name that a host gives."""
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
"""What a host says for a branch where none is checked out."""


def asked(ctx: Ctx, host_id: HostId, body: AttachAsked) -> None:
    """Answered always: with the session, once, or with why there is none."""
    host = hosts.get(ctx.tx, host_id)
    attach = body.attach[:MOST]
    if host is None or not attach.strip():
        log.warning("attach.nameless", host=host_id)
        return
    known = sessions.by_attach(ctx.tx, host.id, attach)
    if known is not None:
        _again(ctx, host, known, attach)
        return
    repo = next((offer for offer in (host.offers.repos if host.offers else ()) if offer.name == body.repo), None)
    if repo is None or repo.problem:
        _refuse(ctx, host, attach, _no_repo(host, body.repo, repo))
        return
    branch, title = names.visible(body.branch)[:MOST], cut(names.clean(body.title), MOST)
    place = f"{repo.name}, detached at {branch[:7]}" if _COMMIT.fullmatch(branch) else branch or repo.name
    session = beginning.fresh(
        ctx,
        name=names.unique(_name(branch, title, repo), sessions.names_in_use(ctx.tx)),
        repo=repo.name,
        task=title or f"A session run by hand on {place}",
        owner=host.owner,
        agent=names.visible(body.agent)[:MOST],
        base=repo.base,
        branch=branch,
        host=host.id,
        channel=repo.channel or ctx.settings.default_channel,
        scope=repo.scope,
        attach=attach,
    )
    beginning.begin(ctx, session, people.meet(ctx.tx, host.owner).person)
    log.info("attach.session", host=host.id, session=session.id, worktree=body.worktree[:MOST])


def _again(ctx: Ctx, host: Host, session: Session, attach: str) -> None:
    """The same session. Only a host that neither opened it nor is about to be told so needs another word."""
    if not session.open:
        said = f"The session {session.name} has left the board. Attach it anew."
        _refuse(ctx, host, attach, said)
    elif session.place is None and not commands.start_waits(ctx.tx, commands.host_peer(host.id), session.id):
        beginning.send_again(ctx, session, people.meet(ctx.tx, session.owner).person)


def _refuse(ctx: Ctx, host: Host, attach: str, problem: str) -> None:
    body = RefuseAttach(attach, problem)
    commands.add(ctx.tx, commands.host_peer(host.id), SessionId(""), body, ctx.now)


def _no_repo(host: Host, wanted: str, found: RepoOffer | None) -> str:
    if found is not None:
        return f"The repository {found.name} cannot be used on {host.id}: {found.problem}"
    known = ", ".join(repo.name for repo in host.offers.repos) if host.offers else ""
    offers = f"It offers {known}." if known else "It offers none."
    shown = cut(names.visible(wanted), 100)
    return f"{host.id} offers no repository “{shown}”. {offers} Add it to the host's configuration, or with `--repo`."


def _name(branch: str, title: str, repo: RepoOffer) -> str:
    """By its branch's last part, which tells worktrees apart; on the base branch by what it is about; on no branch
    at all by its repository: a commit's id tells a reader nothing."""
    if _COMMIT.fullmatch(branch):
        return (names.name_for(title) if title else names.slug(repo.name)) or "session"
    last = branch.rpartition("/")[2]
    own = names.slug(last) if branch not in (repo.base, "", "HEAD") else ""
    return own or (names.name_for(title) if title else names.slug(last)) or "session"
