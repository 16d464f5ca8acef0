"""Hand-run sessions come onto the board of their host's owner, once for each name the host gives them."""

from __future__ import annotations

import pytest

from bot.domain.deliveries import Subject
from bot.domain.views import SessionCard
from bot.services.links import HostPeer
from bot.wire import codec
from bot.wire.messages import AttachAsked, CommandBody, RefuseAttach, StartSession
from tests.bot.board import BEN, Board

ASKED = AttachAsked("5f0c", "app", "claude", "feature/fix-queue", "/w/x", "Fix the queue, please")


async def told(board: Board, peer: HostPeer) -> list[CommandBody]:
    bodies = []
    for number, kind, body in await board.links.commands(peer, 0):
        bodies.append(codec.command_body(kind, body))
        await board.links.command_acked(peer, number, "")
    return bodies


async def test_it_is_its_hosts_owners_and_named_by_its_branch(board: Board) -> None:
    peer = await board.host(owner=BEN)
    await board.host_says(peer, ASKED)
    (start,) = await told(board, peer)
    assert isinstance(start, StartSession)
    spec = start.spec
    assert (spec.owner.id, spec.name, spec.branch, spec.attach) == (BEN, "fix-queue", "feature/fix-queue", "5f0c")
    await board.deliver()
    (card,) = board.shown(Subject.SESSION)
    assert isinstance(card, SessionCard)
    assert (card.attached, card.task, card.agent) == (True, "Fix the queue, please", "claude")


@pytest.mark.parametrize(("title", "name"), [("", "app"), ("Nightly release", "nightly-release")])
async def test_on_no_branch_it_is_not_named_by_a_commit(board: Board, title: str, name: str) -> None:
    peer = await board.host()
    await board.host_says(peer, AttachAsked("5f0c", "app", "script", "69e1b0b" + "0" * 33, "/w/x", title))
    (start,) = await told(board, peer)
    assert isinstance(start, StartSession)
    assert start.spec.name == name
    assert start.spec.task == (title or "A session run by hand on app, detached at 69e1b0b")


async def test_asked_again_it_is_the_same_session(board: Board) -> None:
    peer = await board.host()
    await board.host_says(peer, ASKED)
    await board.host_says(peer, ASKED)
    (first,) = await told(board, peer)
    await board.host_says(peer, ASKED)  # the host has lost it: told again, with a token that works
    (again,) = await told(board, peer)
    assert isinstance(first, StartSession)
    assert isinstance(again, StartSession)
    assert first.spec.session == again.spec.session
    assert await board.links.authenticate(again.spec.token) is not None
    assert len(await board.desk.all_sessions()) == 1


@pytest.mark.parametrize("repo", ["other", "", "\x00" * 500])
async def test_a_repository_that_the_host_does_not_offer_is_refused_in_words(board: Board, repo: str) -> None:
    peer = await board.host()
    await board.host_says(peer, replace_repo(repo))
    (refusal,) = await told(board, peer)
    assert isinstance(refusal, RefuseAttach)
    assert refusal.attach == "5f0c"
    assert "offers app" in refusal.problem


def replace_repo(repo: str) -> AttachAsked:
    return AttachAsked(ASKED.attach, repo, ASKED.agent, ASKED.branch, ASKED.worktree)


async def test_nothing_a_host_may_say_crashes_it(board: Board) -> None:
    peer = await board.host()
    for number, branch in enumerate(["", "main", "HEAD", "🙂", "x" * 5000, "feature/"]):
        await board.host_says(peer, AttachAsked(f"a{number}", "app", "\x00", branch, "/w", "🙂" * 5000))
    await board.host_says(peer, AttachAsked("", "app", "claude", "b", "/w"))
    assert len(await told(board, peer)) == 6
    names = {card.name for card in await board.desk.all_sessions()}
    assert len(names) == 6
