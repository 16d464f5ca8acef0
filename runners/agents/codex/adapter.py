"""Codex as an ``Agent``: its app-server in a process of its own, spoken to over a unix socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from runners.agents.base import AgentInfo, BackgroundChanged, Cleared, Desk, Launch, TurnEnded
from runners.agents.codex import endings, faults, home, offers, opening
from runners.agents.codex.asking import Asking, Line
from runners.agents.codex.background import Background
from runners.agents.codex.papers import Drawer
from runners.agents.codex.rpc import Json, Request, Rpc, RpcError
from runners.agents.codex.server import Server
from runners.agents.codex.threads import Threads
from runners.agents.codex.translate import Translator
from runners.errors import AgentDied, AgentError, disk_problem

log = structlog.get_logger()

_SOON = 5.0
"""Seconds that an app-server may take for what it does at once."""
_ABOUT = {"name": "switchboard", "title": "Switchboard", "version": "1"}


class CodexAgent:
    """Implements the ``Agent`` port. One app-server, one connection, one thread until a reset."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        self._launch, self._desk = launch, desk
        self._rpc = Rpc(self._notice, self._request)
        self._drawer = Drawer(launch.folder)
        self._translator = Translator(str(launch.cwd))
        line = Line(self._rpc.answer, self._rpc.refuse, self._say, self._tell, self._will_stop)
        self._asking = Asking(desk, self._translator, self._drawer, str(launch.cwd), line)
        self._background = Background(self._rpc, self._translator)
        self._threads = Threads(self._rpc, self._translator)
        self._prompting = asyncio.Lock()
        self._server: Server | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._gone = asyncio.Event()
        self._lost = 0
        self._closing = False
        self._methods: frozenset[str] = frozenset()
        self._model = ""
        self._active = ""
        """The turn under way."""
        self._begun = ""
        """The turn that this runner began last."""
        self._stopping = False
        """It was told to end the turn under way."""
        self._ended: dict[str, Json] = {}
        self._waiting: dict[str, asyncio.Future[Json]] = {}

    # --- its beginning

    async def start(self, resume: str = "") -> AgentInfo:
        if self._launch.mode and self._launch.mode not in opening.MODES:
            raise faults.unknown_mode(self._launch, list(opening.MODES))
        problem: AgentError
        try:
            async with asyncio.timeout(self._launch.start_timeout):
                held = await self._launched(resume)
                self._watcher = asyncio.create_task(self._watch(), name=f"codex.watch {self._launch.name}")
                return await self._open(resume, held=held)
        except TimeoutError:
            problem = faults.not_answering(self._launch)
        except ConnectionError:
            problem = await self._fate()
        except AgentError as error:
            problem = error
        await self.close()
        raise problem

    async def _launched(self, resume: str) -> bool:
        """Connect to the server that an earlier runner left, else start one. True: it was there."""
        papers = await self._drawer.load()
        left = await Server.living(self._launch, papers)
        if left is not None:
            self._server = left
            if resume and papers.thread == resume:
                try:
                    async with asyncio.timeout(_SOON):
                        await left.connect(self._rpc)
                except (TimeoutError, AgentError) as problem:
                    log.warning("codex.not_rejoined", problem=str(problem))
                else:
                    return True
            await left.stop()
        try:
            env = await asyncio.to_thread(self._home)
        except OSError as problem:
            raise disk_problem(problem, "try again") from problem
        self._server = await Server.spawn(self._launch, env)
        await self._drawer.keep(pid=self._server.pid, socket=str(self._server.socket), changes={}, before=())
        await self._server.connect(self._rpc)
        return False

    def _home(self) -> dict[str, str]:
        if self._launch.folder is None:
            return {}
        return home.layered(home.own_home({**os.environ, **self._launch.env}), self._launch.folder / "codex-home")

    async def _open(self, resume: str, *, held: bool) -> AgentInfo:
        hello = await self._call("initialize", {"clientInfo": _ABOUT, "capabilities": {"experimentalApi": True}})
        await self._rpc.notify("initialized")
        version = faults.version(str(hello.get("userAgent", "")))
        self._methods = await offers.methods(self._rpc)
        if missing := [name for name in faults.NEEDED if self._methods and name not in self._methods]:
            raise faults.too_old(self._launch, version, missing)
        account = await self._call("account/read", {})
        if account.get("requiresOpenaiAuth") and not account.get("account"):
            raise faults.login_needed(self._launch)
        self._model = await offers.model(self._rpc, self._launch)
        opened = await self._resume(resume, held=held) if resume else None
        resumed = opened is not None
        if opened is None:
            held = False
            opened = await self._call("thread/start", opening.opening(self._launch, self._model), "open a session")
        thread = opened["thread"]["id"]
        self._translator.thread, self._model = thread, str(opened.get("model") or self._model)
        busy = held and await self._rejoined(opened["thread"])
        rules = self._drawer.papers.rules if held else bool(self._launch.rules)
        await self._drawer.keep(thread=thread, version=version, rules=rules, **({} if busy else {"turn": ""}))
        log.info("codex.started", version=version, thread=thread, resumed=resumed, held=held, busy=busy)
        return AgentInfo(
            title="Codex",
            version=version,
            session=thread,
            can_resume=True,
            resumed=resumed,
            abilities=offers.abilities(self._methods),
            model=self._model,
            has_rules=rules,
            held=held,
            busy=busy,
        )

    async def _resume(self, thread: str, *, held: bool) -> Json | None:
        """None: it cannot be taken up again."""
        self._translator.thread = thread
        for item, proposed in self._drawer.papers.changes.items():
            self._translator.note_changes(item, proposed)
        more = {} if held else opening.opening(self._launch, self._model)
        try:
            found: Json = await self._rpc.call("thread/resume", {"threadId": thread, "excludeTurns": True, **more})
        except RpcError as problem:
            log.warning("codex.not_resumed", thread=thread, problem=problem.message)
            return None
        return found

    async def _rejoined(self, thread: Json) -> bool:
        """True: a turn waits to be seen to its end. What it asks has been put again by then."""
        self._background.before, self._background.stale = self._drawer.papers.before, True
        self._look_around()
        status = thread.get("status") or {}
        if status.get("type") == "active":
            self._active = self._drawer.papers.turn or await self._threads.newest_turn()
            if [*(status.get("activeFlags") or ()), *await self._threads.rejoin_helpers(self._drawer.papers.before)]:
                await self._asking.some(_SOON)
                await asyncio.sleep(0)
            return bool(self._active)
        return bool(self._drawer.papers.turn)

    # --- turns

    async def prompt(self, text: str) -> TurnEnded:
        async with self._prompting:
            mode = "plan" if self._launch.mode == "plan" else ""
            while True:
                self._stopping = False
                self._translator.turn()
                self._background.turn()
                if owed := self._asking.take_owed():
                    text = f"{owed}\n\n{text}".strip()
                turn = await self._begin(text, mode)
                ended = await self._see(turn)
                if ended.reason == "done" and mode == "plan" and (plan := self._translator.plan):
                    text, mode = await self._asking.plan(plan, turn)
                    if text:
                        continue
                    if self._closing:
                        raise await self._fate()
                    if self._stopping:
                        return TurnEnded("cancelled", ended.last_words)
                if ended.reason != "done" or self._stopping or not self._asking.owed:
                    return ended
                text = ""

    async def _begin(self, text: str, mode: str) -> str:
        more: Json = {}
        if self._launch.mode == "plan" and self._model:
            more["collaborationMode"] = opening.collaboration(mode or "default", self._model)
        params = {"threadId": self._translator.thread, "input": opening.message(text), **more}
        answer = await self._call("turn/start", params, "begin a turn")
        turn = str(answer["turn"]["id"])
        self._begun = turn
        await self._drawer.keep(turn=turn)
        return turn

    async def rejoin(self) -> TurnEnded:
        async with self._prompting:
            turn = self._active or self._drawer.papers.turn
            if not turn:
                return TurnEnded("done", self._translator.last_words)
            return await self._see(turn)

    async def _see(self, turn: str) -> TurnEnded:
        """Wait for the end of this turn."""
        found = self._ended.pop(turn, None)
        if found is None and turn not in (self._active, self._begun):
            found = await self._threads.turn(turn)  # it ended while no runner looked
        if found is None:
            found = await self._end_of(turn)
        if self._closing:
            raise await self._fate()  # however it ended, its end was ours
        await self._drawer.keep(turn="")
        ended = endings.ended(found, self._words(found), self._translator.limits.values(), datetime.now(UTC))
        if ended.reason == "cancelled" and not self._stopping:
            return TurnEnded("done", ended.last_words)  # it broke off by itself
        return ended

    async def _end_of(self, turn: str) -> Json:
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = future
        closed = asyncio.create_task(self._rpc.closed.wait(), name="codex.closed")
        try:
            both: set[asyncio.Future[Any]] = {future, closed}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise await self._fate()
            return future.result()
        finally:
            closed.cancel()
            self._waiting.pop(turn, None)

    def _words(self, turn: Json) -> str:
        if self._translator.last_words:
            return self._translator.last_words
        items = [item for item in turn.get("items") or () if isinstance(item, dict)]
        said = [str(item.get("text", "")) for item in items if item.get("type") == "agentMessage"]
        return said[-1] if said else ""

    async def steer(self, text: str) -> bool:
        return await self._say(self._translator.thread, self._active, text)

    async def _say(self, thread: str, turn: str, text: str) -> bool:
        """Put words into a turn under way; where a sub-agent takes none, into its master's."""
        if not offers.knows(self._methods, "turn/steer"):
            return False
        for into, expected in dict.fromkeys(((thread, turn), (self._translator.thread, self._active))):
            if not expected:
                continue
            params = {"threadId": into, "expectedTurnId": expected, "input": opening.message(text)}
            try:
                await self._rpc.call("turn/steer", params, _SOON)
            except (RpcError, TimeoutError, ConnectionError) as problem:
                log.info("codex.not_steered", problem=str(problem))
            else:
                return True
        return False

    async def _tell(self, text: str) -> None:
        """The answer to a question that the model left behind: into the turn under way, or as a turn of its own."""
        if await self.steer(text):
            return
        if self._prompting.locked():
            self._asking.owed.append(text)
        else:
            self._stopping = False
            self._translator.turn()
            await self._begin(text, "")

    async def reset(self) -> Cleared:
        async with self._prompting:
            survived = await self._background.look()
            helpers = tuple(self._translator.helpers.values())
            opened = await self._call("thread/start", opening.opening(self._launch, self._model), "open a session")
            old, self._translator.thread = self._translator.thread, opened["thread"]["id"]
            self._background.before = (*self._background.before, old)
            self._translator.helpers.clear()
            self._translator.turn()
            await self._drawer.keep(thread=self._translator.thread, before=self._background.before, turn="")
            lost = tuple(f"{name}: works on, but what it finds is not read" for name in helpers)
            return Cleared(self._translator.thread, survived, lost)

    async def cancel(self) -> None:
        turn = self._active
        if (not self._prompting.locked() and not turn) or self._rpc.closed.is_set():
            return
        self._stopping = True
        self._asking.withdraw(later=False)
        if not turn:
            return
        await self._interrupt_all(turn)
        await self._background.end_of_turn()

    def _will_stop(self) -> None:
        self._stopping = True

    async def _interrupt_all(self, turn: str, within: float = _SOON) -> None:
        """Sub-agents too: what they asked is withdrawn with the rest, and they would wait for ever."""
        running = {**{of: its for of, its in self._threads.helping.items() if its}, self._translator.thread: turn}
        await asyncio.gather(*(self._interrupt(thread, its, within) for thread, its in running.items()))

    async def _interrupt(self, thread: str, turn: str, within: float) -> None:
        """Only while it runs: for a turn that has ended, Codex never answers."""
        params = {"threadId": thread, "turnId": turn}
        try:
            await self._rpc.call("turn/interrupt", params, within)
        except (RpcError, TimeoutError, ConnectionError) as problem:
            log.info("codex.not_interrupted", problem=str(problem))

    # --- its end

    async def detach(self) -> None:
        self._closing = True
        self._asking.withdraw(later=True)
        await self._asking.ended()
        await self._rpc.close()
        await self._watched()

    async def close(self) -> None:
        self._closing = True
        self._asking.withdraw(later=True)
        await self._asking.ended()
        if not self._rpc.closed.is_set() and self._translator.thread:
            if self._active:
                await self._interrupt_all(self._active, 2.0)
            await self._background.end_all()
        await self._rpc.close()
        if self._server is not None:
            await self._server.stop()
        await self._watched()

    async def _watched(self) -> None:
        for task in self._tasks:
            task.cancel()
        if left := {task for task in (self._watcher, *self._tasks) if task is not None}:
            await asyncio.wait(left)

    async def _watch(self) -> None:
        """Once the connection is gone, for whatever reason: end the process, and wake whoever waits."""
        await self._rpc.closed.wait()
        self._lost = self._asking.count
        self._asking.withdraw(later=True)
        if not self._closing and self._server is not None:
            await self._server.settled(0.5 if self._rpc.fault else 2.0)
            await self._server.stop()
        self._gone.set()

    async def _fate(self) -> AgentError:
        """Why the connection is gone."""
        if self._watcher is not None:
            await self._gone.wait()
        status = self._server.status if self._server else None
        if self._closing:
            return AgentDied(f"Agent {self._launch.name} was stopped.", exit_status=status)
        words = await self._server.last_words() if self._server else ""
        return faults.died(self._launch, self._rpc.fault, status, words, self._lost)

    # --- what comes from Codex

    def _request(self, request: Request) -> None:
        self._asking.take(request)

    def _notice(self, method: str, params: Json) -> None:
        if method == "serverRequest/resolved" and isinstance(number := params.get("requestId"), int | str):
            self._asking.resolved(number)
        for update in self._translator.updates(method, params):
            self._desk.update(update)
        if (thread := params.get("threadId")) != self._translator.thread:
            self._background.stale |= self._threads.note(method, str(thread), params)
            self._look_around()
            return
        match method, params:
            case "turn/started", {"turn": {"id": str(turn)}}:
                self._active = turn
                if not self._prompting.locked():
                    self._desk.stirred()
                elif self._stopping:  # it was told so while the turn began
                    self._beside(self._interrupt_all(turn), "codex.interrupt")
            case "turn/completed", {"turn": {"id": str(turn), **_more}}:
                self._turn_ended(turn, params["turn"])
            case "item/completed", {"item": {"type": "agentMessage"}}:
                self._asking.take_later(params["item"])
            case "item/started" | "item/completed", {"item": {"type": str(kind), "id": str(item)}}:
                self._background.item(kind, item, began=method == "item/started")
        if method in ("turn/completed", "item/completed"):
            self._look_around()

    def _turn_ended(self, turn: str, found: Json) -> None:
        if self._active == turn:
            self._active = ""
        future = self._waiting.get(turn)
        if future is not None and not future.done():
            future.set_result(found)
        else:
            self._ended = {turn: found}  # nobody waits for it yet

    def _look_around(self) -> None:
        """What runs beside the turns may have changed."""
        if self._background.stale and not any(task.get_name() == "codex.background" for task in self._tasks):
            self._beside(self._tell_background(), "codex.background")

    def _beside(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_background(self) -> None:
        if (tasks := await self._background.changed()) is not None:
            self._desk.update(BackgroundChanged(tasks))

    async def _call(self, method: str, params: Json, doing: str = "start") -> Any:
        if self._server is None:
            raise AgentError(f"Agent {self._launch.name} has not been started.")
        try:
            return await self._rpc.call(method, params)
        except ConnectionError:
            raise await self._fate() from None
        except RpcError as problem:
            raise faults.refused(self._launch, problem, doing) from problem
