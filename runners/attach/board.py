"""The host's side of hand-run sessions: who wants to be on the board, who is, who leaves."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog
from msgspec.structs import replace

from bot.wire.messages import AttachAsked, EventBody
from runners import files
from runners.attach import hook, places, record
from runners.attach.control import Reply, Request, refusal
from runners.attach.record import DETACH, Record
from runners.config import HostConfig
from runners.errors import RunnerError
from runners.host import opening
from runners.kept import started_at
from runners.runner import ticket
from runners.runner.ticket import Ticket

log = structlog.get_logger()


@dataclass(frozen=True)
class Told:
    """What the bot made of a request."""

    session: str = ""
    name: str = ""
    problem: str = ""
    fix: str = ""


class Moves(Protocol):
    """What moves a session between a terminal and a runner."""

    async def adopt(self, known: Record) -> Reply: ...

    async def back(self, known: Record) -> Reply: ...


class Attachments:
    """Answers what commands and hooks ask of the host. One request of a worktree at a time."""

    def __init__(
        self,
        config: HostConfig,
        data: Path,
        tell: Callable[[EventBody], Awaitable[None]],
        connected: Callable[[], bool],
        moves: Moves,
    ) -> None:
        self._config = config
        self._data = data
        self._tell = tell
        self._connected = connected
        self._moves = moves
        self._waiting: dict[str, asyncio.Future[Told]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def handle(self, request: Request) -> Reply:
        match request.verb:
            case "list":
                return {"ok": True, "sessions": await asyncio.to_thread(self._listed)}
            case "find":
                return await asyncio.to_thread(self._found, request)
            case "look":
                return await asyncio.to_thread(self._looked, request)
            case "attach":
                return await self._attach(request)
            case "detach":
                return await asyncio.to_thread(self._detach, request)
            case "adopt" | "back":
                known = await asyncio.to_thread(self._known, request)
                return await (self._moves.adopt(known) if request.verb == "adopt" else self._moves.back(known))
            case _:
                return refusal(f"This host does not know {request.verb!r}.", "Use the same version on both sides.")

    def taken(self, attach: str, told: Told) -> None:
        """The bot has answered."""
        future = self._waiting.pop(attach, None)
        if future is not None and not future.done():
            future.set_result(told)

    # --- asked on the board -------------------------------------------------------------------------------------------

    async def _attach(self, request: Request) -> Reply:
        async with self._one_at_a_time:
            found = await asyncio.to_thread(self._begin, request)
            if isinstance(found, dict):
                return found
            future = self._waiting.setdefault(found.attach, asyncio.get_running_loop().create_future())
            await self._tell(
                AttachAsked(found.attach, found.repo, found.agent, found.branch, found.worktree, found.title)
            )
            log.info("attach.asked", worktree=found.worktree, agent=found.agent)
        if request.wait <= 0:
            return {"ok": True, "attach": found.attach, "session": "", "asked": True}
        return await self._word_of(found, future, request.wait)

    async def _word_of(self, found: Record, future: asyncio.Future[Told], wait: float) -> Reply:
        try:
            async with asyncio.timeout(wait):
                told = await asyncio.shield(future)
        except TimeoutError:
            why = "has not answered yet" if self._connected() else "is not connected"
            then = "The session comes on the board by itself once it does."
            return refusal(f"The bot {why}.", then, attach=found.attach, asked=True)
        if told.problem:
            return refusal(told.problem, told.fix, attach=found.attach)
        return {"ok": True, "attach": found.attach, "session": told.session, "name": told.name, **self._where(told)}

    def _where(self, told: Told) -> Reply:
        return {"folder": str(self._data / "sessions" / told.session)}

    def _begin(self, request: Request) -> Record | Reply:
        """The record of a session to ask for, on disk; or what is to be said instead."""
        worktree, repo = places.wanted(self._config, request.worktree)
        if (owned := self._driven(worktree)) is not None:
            return refusal(
                f"{worktree} is the worktree of session “{owned.spec.name}”, which its runner drives.",
                "Work with it in its thread, or take it back first: switchboard adopt --back."
                if owned.place.attached
                else "Work with it in its thread, or open another worktree.",
                driven=True,
            )
        known = record.read(record.route(self._data, worktree))
        fresh = Record(
            attach=request.attach or f"att-{uuid.uuid4().hex[:16]}",
            agent=request.agent,
            worktree=str(worktree),
            repo=repo.name,
            branch=places.branch_of(worktree),
            title=request.title[:300],
            session=request.session,
            pid=request.pid,
            started=started_at(request.pid) if request.pid else "",
            home=request.home,
            program=request.program,
        )
        if known is not None:
            said = _beside(known, fresh, request)
            if isinstance(said, Record):
                fresh = said
            elif said is not None:
                return said
        record.write(self._data, fresh)
        return fresh

    def _driven(self, worktree: Path) -> Ticket | None:
        """The open session whose runner, and nobody by hand, works in this worktree."""
        for folder in opening.open_sessions(self._data):
            try:
                paper = ticket.read(folder)
            except RunnerError:
                continue
            if paper.adapter != "attach" and places.same_place(str(worktree), [paper.place.worktree]):
                return paper
        return None

    # --- what is there ------------------------------------------------------------------------------------------------

    def _looked(self, request: Request) -> Reply:
        """Whether a session of this worktree could come on the board now."""
        worktree, repo = places.wanted(self._config, request.worktree)
        known = record.read(record.route(self._data, worktree))
        if (owned := self._driven(worktree)) is not None:
            return refusal(f"{worktree} is the worktree of session “{owned.spec.name}”, which its runner drives.")
        if known is not None and _busy(known):
            return two(known)
        return {"ok": True, "worktree": str(worktree), "repo": repo.name, "connected": self._connected()}

    def _found(self, request: Request) -> Reply:
        """The session that this worktree belongs to, whoever drives it."""
        worktree = places.worktree_of(Path(request.worktree or "/"))
        for folder in opening.open_sessions(self._data) if worktree else []:
            try:
                paper = ticket.read(folder)
            except RunnerError:
                continue
            if places.same_place(str(worktree), [paper.place.worktree]):
                return {"ok": True, "found": True, **_told_of(folder, paper)}
        return {"ok": True, "found": False, "worktree": str(worktree or "")}

    def _listed(self) -> list[Reply]:
        found = []
        for known in record.records(self._data):
            folder = Path(known.folder)
            if record.is_open(known):
                found.append({**_told_of(folder, ticket.read(folder)), "terminal": record.alive(known)})
            elif not known.folder and not known.left:
                found.append({"worktree": known.worktree, "agent": known.agent, "asked": True})
        return found

    def _known(self, request: Request) -> Record:
        worktree = places.worktree_of(Path(request.worktree or "/"))
        known = record.read(record.route(self._data, worktree)) if worktree else None
        if known is None or known.left or (known.folder and not record.is_open(known)):
            raise RunnerError(
                f"No hand-run session of {worktree or request.worktree} is on the board.",
                "`switchboard attach --list` shows those that are.",
            )
        if known.folder:
            # The runner knows its newest state.
            known = record.read(Path(known.folder) / record.OWN) or known
        return known

    # --- off the board ------------------------------------------------------------------------------------------------

    def _detach(self, request: Request) -> Reply:
        known = self._known(request)
        record.write(self._data, replace(known, left=True))
        if not known.folder:
            self.taken(known.attach, Told(problem="It was taken off the board."))
            return {"ok": True, "worktree": known.worktree}
        folder = Path(known.folder)
        if ticket.read(folder).adapter != "attach":
            record.write(self._data, known)
            return refusal(
                "This session runs under a runner now.",
                "Take it back into a terminal first: switchboard adopt --back. Or stop it in its thread.",
            )
        files.write_atomic(folder / DETACH, b"")
        hook.poke(str(folder))
        return {"ok": True, "worktree": known.worktree, "session": folder.name}


def _busy(known: Record) -> bool:
    """A terminal that still runs has this worktree on the board, or asks for it."""
    return not known.left and record.alive(known) and (record.is_open(known) or not known.folder)


def two(known: Record) -> Reply:
    who = f" (process {known.pid})" if known.pid else ""
    return refusal(
        f"A hand-run session of {known.worktree} is on the board already{who}; this one is not.",
        "One at a time: end the other, or take it off with `switchboard detach`; or use another worktree.",
        two=True,
    )


def _beside(known: Record, fresh: Record, request: Request) -> Record | Reply | None:
    """What an earlier record of the same worktree means for a new request: go on, another record, or words."""
    same = known.attach == request.attach or (bool(request.session) and known.session == request.session)
    if record.is_open(known) and not known.left:
        if same:
            return {"ok": True, "attach": known.attach, "session": Path(known.folder).name, "folder": known.folder}
        return two(known) if record.alive(known) else None
    if not known.folder and not known.left:
        if same:
            # Asked already, and not answered yet: said again under the same name, perhaps with a better title.
            return replace(fresh, attach=known.attach, title=fresh.title or known.title)
        # A request without a process behind it that can be seen is replaced by one that has come.
        return two(known) if known.pid and record.alive(known) else None
    if same and not request.force:
        return refusal("This session was taken off the board.", "switchboard attach brings it back.", left=True)
    return None


def _told_of(folder: Path, paper: Ticket) -> Reply:
    return {
        "session": str(paper.spec.session),
        "name": paper.spec.name,
        "folder": str(folder),
        "worktree": paper.place.worktree,
        "branch": paper.place.branch,
        "agent": paper.agent,
        "adapter": paper.adapter,
        "attached": paper.place.attached,
    }
