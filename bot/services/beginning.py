"""A new session's row, its runner's credential, and the command that has its host open it."""

from __future__ import annotations

import secrets

from bot.domain import names
from bot.domain.sessions import Session, SessionState
from bot.services import routine, touch
from bot.services.ctx import Ctx
from bot.services.tokens import RUNNER_TOKEN, digest_of
from bot.store import commands, sessions
from bot.wire.messages import StartSession
from bot.wire.types import HostId, Person, PersonId, SessionSpec


def fresh(
    ctx: Ctx,
    *,
    name: str,
    repo: str,
    task: str,
    owner: PersonId,
    agent: str,
    base: str,
    branch: str,
    host: HostId,
    channel: str,
    scope: tuple[str, ...] = (),
    reviewer: PersonId | None = None,
    budget: float | None = None,
    attach: str = "",
) -> Session:
    """As it is before its host has heard of it."""
    return Session(
        id=names.new_session_id(),
        name=name,
        repo=repo,
        task=task,
        owner=owner,
        reviewer=reviewer,
        agent=agent,
        base=base,
        branch=branch,
        scope=scope,
        host=host,
        state=SessionState.STARTING,
        state_at=ctx.now,
        created=ctx.now,
        open=True,
        ended_at=None,
        ending=None,
        detail="",
        look="",
        last_words="",
        stop_by=None,
        place=None,
        snapshot=None,
        channel=channel,
        thread_ts="",
        budget=budget,
        attach=attach,
    )


def begin(ctx: Ctx, session: Session, owner: Person) -> None:
    """On the board, and on its way to its host."""
    token = RUNNER_TOKEN + secrets.token_urlsafe(32)
    sessions.add(ctx.tx, session, digest_of(token))
    _send(ctx, session, owner, token)
    touch.card(ctx, session)
    routine.schedule_digests(ctx, session)


def send_again(ctx: Ctx, session: Session, owner: Person) -> None:
    """For a host that lost what it was told; the first credential, which nobody holds, is replaced."""
    token = RUNNER_TOKEN + secrets.token_urlsafe(32)
    sessions.change(ctx.tx, session.id, token_hash=digest_of(token))
    _send(ctx, session, owner, token)


def _send(ctx: Ctx, session: Session, owner: Person, token: str) -> None:
    spec = SessionSpec(
        session=session.id,
        name=session.name,
        repo=session.repo,
        task=session.task,
        owner=owner,
        agent=session.agent,
        base=session.base,
        branch=session.branch,
        scope=session.scope,
        token=token,
        budget=session.budget,
        attach=session.attach,
    )
    commands.add(ctx.tx, commands.host_peer(session.host), session.id, StartSession(spec), ctx.now)
