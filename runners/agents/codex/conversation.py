"""One thread of Codex's in the words of the port, whoever started the program that it is in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from runners.agents.base import BackgroundChanged, Cleared, Desk, Launch, TurnEnded
from runners.agents.codex import opening
from runners.agents.codex.asking import Asking, Line
from runners.agents.codex.background import Background
from runners.agents.codex.connection import Connection
from runners.agents.codex.papers import Drawer
from runners.agents.codex.rpc import Json, Request, RpcError
from runners.agents.codex.threads import Threads
from runners.agents.codex.translate import Translator
from runners.agents.codex.turns import Turns

log = structlog.get_logger()

_SOON = 5.0


class Conversation:
    """``heard`` is told of each notice of the thread, ahead of what becomes of it here."""

    def __init__(self, launch: Launch, desk: Desk, heard: Callable[[str], None] = lambda _: None) -> None:
        self._launch, self._desk, self._heard = launch, desk, heard
        self.connection = Connection(launch, self._notice, self._request, self._lost)
        self.drawer = Drawer(launch.folder)
        self.model = ""
        rpc = self.connection.rpc
        self._translator = Translator(str(launch.cwd))
        self._threads = Threads(rpc, self._translator)
        self.background = Background(rpc, self._translator)
        self.turns = Turns(self.connection, self._translator, self._threads, self.drawer)
        line = Line(rpc.answer, rpc.refuse, self.turns.say, self.turns.owed.append, self._tell, self._will_stop)
        self.asking = Asking(desk, self._translator, self.drawer, str(launch.cwd), line)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def thread(self) -> str:
        return self._translator.thread

    # --- opened, or taken up again

    async def open(self) -> None:
        """A new thread."""
        opened = await self.connection.call("thread/start", opening.opening(self._launch, self.model), "open a session")
        self._opened(opened)

    async def resume(self, thread: str, *, held: bool) -> Json | None:
        """A thread that was there, as Codex has it; None: it cannot be taken up. ``held``: its program ran on."""
        self._translator.thread = thread
        for item, proposed in self.drawer.papers.changes.items():
            self._translator.note_changes(item, proposed)
        params = {"threadId": thread, "excludeTurns": True}
        more = {} if held else opening.opening(self._launch, self.model)
        try:
            opened = await self.connection.rpc.call("thread/resume", {**params, **more})
        except RpcError as problem:
            log.warning("codex.not_resumed", thread=thread, problem=problem.message)
            return None
        return self._opened(opened)

    def _opened(self, opened: Json) -> Json:
        thread: Json = opened["thread"]
        self._translator.thread, self.model = thread["id"], str(opened.get("model") or self.model)
        return thread

    async def rejoined(self, thread: Json) -> bool:
        """True: a turn waits to be seen to its end. What it asks has been put again by then."""
        papers = self.drawer.papers
        self.background.before, self.background.stale = papers.before, True
        self._look_around()
        status = thread.get("status") or {}
        if status.get("type") != "active":
            return bool(papers.turn)
        await self.turns.join(thread)
        if [*(status.get("activeFlags") or ()), *await self._threads.rejoin_helpers(papers.before)]:
            await self.asking.some(_SOON)
            await asyncio.sleep(0)
        return bool(self.turns.active)

    # --- turns

    async def prompt(self, text: str) -> TurnEnded:
        async with self.turns.ours:
            mode = "plan" if self._launch.mode == "plan" else ""
            while True:
                turn = await self.turns.begin(text, self._manner(mode))
                ended = await self.turns.end_of(turn)
                if ended.reason == "done" and mode == "plan" and (plan := self._translator.plan):
                    text, mode = await self.asking.plan(plan, turn)
                    if text:
                        continue
                    if self.connection.closing:
                        raise await self.connection.fate()
                    if self.turns.stopping:
                        return TurnEnded("cancelled", ended.last_words)
                if ended.reason != "done" or self.turns.stopping or not self.turns.owed:
                    return ended
                text = ""

    def _manner(self, mode: str) -> Json:
        if self._launch.mode != "plan" or not self.model:
            return {}
        return {"collaborationMode": opening.collaboration(mode or "default", self.model)}

    async def rejoin(self) -> TurnEnded:
        async with self.turns.ours:
            return await self.turns.rejoined()

    async def _tell(self, text: str) -> None:
        """The answer to a question that the model left behind: into the turn under way, or as a turn of its own."""
        if await self.turns.say(text):
            return
        if self.turns.ours.locked():
            self.turns.owed.append(text)
        else:
            await self.turns.begin(text, self._manner(""))

    async def reset(self) -> Cleared:
        async with self.turns.ours:
            survived = await self.background.look()
            helpers = tuple(self._translator.helpers.values())
            old = self.thread
            await self.open()
            self.background.before = (*self.background.before, old)
            self._translator.helpers.clear()
            self._translator.turn()
            await self.drawer.keep(thread=self.thread, before=self.background.before, turn="")
            lost = tuple(f"{name}: works on, but what it finds is not read" for name in helpers)
            return Cleared(self.thread, survived, lost)

    async def cancel(self) -> None:
        under_way = bool(self.turns.active)
        if (not self.turns.ours.locked() and not under_way) or self.connection.closed:
            return
        self.turns.stopping = True
        self.asking.withdraw(later=False)
        if under_way:
            await self.turns.interrupt()
            await self.background.end_of_turn()

    def _will_stop(self) -> None:
        self.turns.stopping = True

    # --- its end

    async def leave(self, *, ending: bool = False) -> None:
        """Let go of it; ``ending``: and end all that runs in it, with its program. Idempotent; never raises."""
        self.connection.closing = True
        self.asking.withdraw(later=True)
        await self.asking.ended()
        if ending and not self.connection.closed and self.thread:
            await self.turns.interrupt(2.0)
            await self.background.end_all()
        await self.connection.close(ending=ending)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _lost(self) -> int:
        lost = self.asking.count
        self.asking.withdraw(later=True)
        return lost

    # --- what comes from Codex

    def _request(self, request: Request) -> None:
        self.asking.take(request)

    def _notice(self, method: str, params: Json) -> None:
        if method == "serverRequest/resolved" and isinstance(number := params.get("requestId"), int | str):
            self.asking.resolved(number)
        for update in self._translator.updates(method, params):
            self._desk.update(update)
        if (thread := params.get("threadId")) != self.thread:
            self.background.stale |= self._threads.note(method, str(thread), params)
            self._look_around()
            return
        self._heard(method)
        match method, params:
            case "turn/started", {"turn": {"id": str(turn)}}:
                self._begun(turn)
            case "turn/completed", {"turn": {"id": str(turn), **_more}}:
                self.turns.completed(turn, params["turn"])
            case "item/completed", {"item": {"type": "agentMessage"}}:
                self.asking.take_later(params["item"])
            case "item/started" | "item/completed", {"item": {"type": str(kind), "id": str(item)}}:
                self.background.item(kind, item, began=method == "item/started")
        if method in ("turn/completed", "item/completed"):
            self._look_around()

    def _begun(self, turn: str) -> None:
        self.turns.active = turn
        self.background.turn()
        if not self.turns.ours.locked():
            self._desk.stirred()
        elif self.turns.stopping:  # it was told so while the turn began
            self.beside(self.turns.interrupt(), "codex.interrupt")

    def _look_around(self) -> None:
        """What runs beside the turns may have changed."""
        if self.background.stale and not any(task.get_name() == "codex.background" for task in self._tasks):
            self.beside(self._tell_background(), "codex.background")

    async def _tell_background(self) -> None:
        if (tasks := await self.background.changed()) is not None:
            self._desk.update(BackgroundChanged(tasks))

    def beside(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Done until ``leave``."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
