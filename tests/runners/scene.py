"""One session in a test's own process: real repository, worktree, spool, socket and demo agent; no kills here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.wire.messages import CommandBody, DeliverAnswer, Prompt, SessionChanged
from bot.wire.types import Answer, Question, RunState, SessionId, SessionSpec
from runners import files
from runners.agents.registry import DEMO_ARGV, open_agent
from runners.config import AgentConfig, HostConfig, RepoConfig
from runners.host import entry, opening
from runners.link.spool import Spool
from runners.runner.daemon import BOT_FILE, Runner, utc_now
from runners.runner.memory import Memory
from runners.runner.seat import OpenAgent
from runners.runner.ticket import Ticket
from tests.runners.board import ANA, Board, RunnerPeer, Running, running
from tests.runners.clock import ManualTime
from tests.runners.places import make_repo, spec

entry.import_adapters()
S = SessionId("s1234567a")
RUNNER = RunnerPeer(S)

CHOICE = {
    "ask": "choice", "name": "index", "title": "Which index?",
    "options": [{"id": "fts", "label": "FTS", "recommended": True}, {"id": "tantivy", "label": "Tantivy"}],
}  # fmt: skip
TEXT = {"ask": "text", "name": "name", "title": "What is it called?"}
PERMISSION = {"ask": "permission", "name": "ok", "title": "Touch", "command": "touch made.txt"}
WORK = [{"edit": "search.py", "text": "x = 1\n"}, {"commit": "Add search"}]
DONE = {"say": "Search works."}


@dataclass
class Scene:
    folder: Path
    repo: Path
    board: Board
    bot: Running
    agent: AgentConfig
    settings: dict[str, Any] = field(default_factory=dict)
    paper: Ticket | None = None
    time: ManualTime = field(default_factory=ManualTime)
    open_agent: OpenAgent = open_agent

    @property
    def session(self) -> Path:
        return self.folder / "data" / "sessions" / S

    @property
    def worktree(self) -> Path:
        assert self.paper is not None
        return Path(self.paper.place.worktree)

    def script(self, *steps: dict[str, Any], **more: Any) -> None:
        """What the agent will do."""
        path = self.folder / "script.json"
        path.write_text(json.dumps({"step": list(steps), **more}))
        env = {"SWITCHBOARD_DEMO_SCRIPT": str(path), "SWITCHBOARD_DEMO_PACE": "0"}
        self.agent = AgentConfig("demo", DEMO_ARGV, env)

    def config(self) -> HostConfig:
        repo = RepoConfig("playback", self.repo, **self.settings)
        return HostConfig(agents={"demo": self.agent}, repos={"playback": repo}, report_every=0.05)

    async def place(self, order: SessionSpec | None = None) -> Ticket:
        """What a host does before it starts the runner."""
        order = order or spec(self.board, "playback", "Add search")
        self.paper = await opening.open_session(self.config(), self.folder / "data", order, asyncio.Lock())
        files.write_atomic(self.folder / "data" / BOT_FILE, self.bot.url.encode())
        return self.paper

    @asynccontextmanager
    async def runner(self) -> AsyncIterator[Runner]:
        """A runner that is paused at the end, if the session is not over by then."""
        if self.paper is None:
            await self.place()
        assert self.paper is not None
        async with Spool(self.session / files.SPOOL, utc_now) as spool:
            found = Runner(self.session, self.paper, spool, await Memory.load(spool, S), self.open_agent, self.time)
            task = asyncio.create_task(found.run())
            try:
                yield found
            finally:
                found.pause()
                async with asyncio.timeout(20):
                    await task

    @asynccontextmanager
    async def killed_runner(self) -> AsyncIterator[Runner]:
        """A runner that is gone at the end without a word, as after kill -9: it winds up nothing."""
        if self.paper is None:
            await self.place()
        assert self.paper is not None
        async with Spool(self.session / files.SPOOL, utc_now) as spool:
            memory = await Memory.load(spool, S)
            found = Runner(self.session, self.paper, spool, memory, self.open_agent, self.time)
            task = asyncio.create_task(found.run())
            try:
                yield found
            finally:
                task.cancel()
                await asyncio.wait({task})

    async def tell(self, body: CommandBody) -> int:
        return await self.board.tell(RUNNER, body)

    async def told(self, body: CommandBody) -> None:
        """The runner has it on its disk."""
        assert await self.board.acknowledged(await self.tell(body)) == ""

    async def state(self, state: RunState, count: int = 1) -> SessionChanged:
        """The ``count``-th time that the session says it is so."""
        while True:
            heard = [change for change in self.board.all(SessionChanged) if change.state is state]
            if len(heard) >= count:
                return heard[count - 1]
            await self.board.heard(SessionChanged, len(self.board.all(SessionChanged)) + 1)

    async def answer(self, question: Question, **how: Any) -> None:
        await self.board.tell(RUNNER, DeliverAnswer(Answer(question.id, ANA, **how)))

    async def prompt(self, text: str) -> None:
        await self.board.tell(RUNNER, Prompt(text, ANA))


@asynccontextmanager
async def scene(folder: Path, **settings: Any) -> AsyncIterator[Scene]:
    board = Board()
    async with running(board) as bot:
        made = make_repo(folder / "playback")
        found = Scene(folder, made, board, bot, AgentConfig("demo", DEMO_ARGV), settings)
        found.script(DONE)
        yield found
