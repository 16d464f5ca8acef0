"""Claude Code as an ``Agent``: turns, questions, and taking up the one that an earlier runner left alive."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from bot.wire.types import Ability
from runners.agents.base import AgentInfo, BackgroundChanged, Cleared, Desk, Launch, TurnEnded
from runners.agents.claude import frames, held, program
from runners.agents.claude.asking import Asking
from runners.agents.claude.course import Course
from runners.agents.claude.failures import fault, gone
from runners.agents.claude.fields import Json, number, table, text
from runners.agents.claude.held import Held
from runners.agents.claude.translate import Translator
from runners.agents.text import prose
from runners.errors import AgentConfused, AgentDied, AgentError

log = structlog.get_logger()

ABILITIES = frozenset(
    (Ability.RESUME, Ability.STEER, Ability.PROMPT, Ability.CANCEL, Ability.RESET, Ability.BACKGROUND)
)
REPLY_WITHIN = 30.0
"""Seconds for Claude Code to answer what it answers without a model."""


class ClaudeAgent:
    """Implements the ``Agent`` port."""

    def __init__(self, launch: Launch, desk: Desk, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._launch, self._desk, self._clock = launch, desk, clock
        self._folder = launch.folder or launch.log.parent
        self._held: Held | None = None
        self._course = Course()
        self._translator = Translator(str(launch.cwd))
        self._asking = Asking(desk, self._translator, str(launch.cwd), self._reply, self._stop_turn, self._not_asked)
        self._replies: dict[str, asyncio.Future[Json]] = {}
        self._turn = asyncio.Lock()
        self._attended = False
        self._closed = False
        self._ends: deque[tuple[int, TurnEnded | AgentError]] = deque(maxlen=8)
        self._seen = 0
        self._ended = asyncio.Event()
        self._gone = asyncio.Event()
        self._replayed = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None

    # --- start -------------------------------------------------------------------------------------------------------

    async def start(self, resume: str = "") -> AgentInfo:
        try:
            async with asyncio.timeout(self._launch.start_timeout):
                found = await self._take_up(resume) if resume else None
                return found or await self._begin(resume)
        except TimeoutError:
            problem = AgentConfused(
                f"Agent {self._launch.name} did not answer within {self._launch.start_timeout:g} s.",
                f"Its log: {self._launch.log}",
            )
            await self.close()
            raise problem from None
        except AgentError:
            await self.close()
            raise

    async def _take_up(self, resume: str) -> AgentInfo | None:
        """The Claude Code that outlived an earlier runner, if it is the one that is meant."""
        found = await held.join(self._folder)
        if found is None:
            return None
        if resume not in (*found.sessions, text(found.note, "session")):
            found.hang_up()
            return None
        note = found.note
        self._course.session = (found.sessions or [text(note, "session")])[-1]
        self._translator.life = text(note, "life")
        self._seen = frames.taken(self._launch.taken, self._translator.life)
        self._translator.baselines = dict(table(note, "baselines"))
        self._listen(found)
        await self._replayed.wait()
        await found.order(seen=self._seen)
        await self._show_door(note)
        await asyncio.sleep(0)  # what it still asks has been put to the desk again
        self._course.running = self._course.running or text(found.first, "state") in ("running", "requires_action")
        if self._translator.background:
            self._desk.update(BackgroundChanged(self._translator.background))
        log.info("agent.held", agent=self._launch.name, session=self._course.session, busy=self.busy)
        return self._info(note, resumed=True, kept=True)

    async def _show_door(self, note: Json) -> None:
        """A new runner may serve our own tool elsewhere than the last one did."""
        ask = self._launch.ask
        if ask is None or self._gone.is_set() or program.door_mark(ask) == text(note, "door"):
            return
        try:
            await self._control("mcp_set_servers", servers=table(program.servers(ask), "mcpServers"))
            await self._live().order(note={"door": program.door_mark(ask)})
        except AgentConfused as problem:
            log.warning("agent.door.not_moved", agent=self._launch.name, problem=str(problem))

    async def _begin(self, resume: str) -> AgentInfo:
        session = resume or str(uuid.uuid4())
        try:
            note = await self._launched(session, resume)
        except AgentDied as died:
            if not resume or self._closed:
                raise
            log.warning("agent.resume.failed", agent=self._launch.name, problem=died.last_words)
            await self._forget()
            session, resume = str(uuid.uuid4()), ""
            note = await self._launched(session, "")
        log.info("agent.started", agent=self._launch.name, session=session, resumed=bool(resume))
        return self._info(note, resumed=bool(resume), kept=False)

    async def _launched(self, session: str, resume: str) -> Json:
        launch = self._launch
        command = await asyncio.to_thread(program.program, launch)
        door = await asyncio.to_thread(program.write_servers, self._folder, launch.ask) if launch.ask else None
        argv = [*command, *program.arguments(launch, session=session, resume=resume, servers=door)]
        found = await held.spawn(launch, self._folder, argv, program.environment(launch), session)
        self._gone.clear()
        self._seen = 0
        self._course.session = session
        self._translator.life = uuid.uuid4().hex[:8]
        self._listen(found)
        hello = await self._control("initialize", hooks=None)
        version = text(hello, "claude_code_version")
        program.check_version(launch, version)
        note: Json = {
            "session": session,
            "version": version,
            "life": self._translator.life,
            "door": program.door_mark(launch.ask),
            "rules": bool(launch.rules),
        }
        await found.order(note=note)
        return note

    def _info(self, note: Json, *, resumed: bool, kept: bool) -> AgentInfo:
        return AgentInfo(
            title="Claude Code",
            version=text(note, "version"),
            session=self._course.session,
            can_resume=True,
            resumed=resumed,
            abilities=ABILITIES,
            model=self._course.model or self._launch.model,
            has_rules=bool(note.get("rules")),
            held=kept,
            busy=kept and self.busy,
            keeps_ends=True,
        )

    @property
    def busy(self) -> bool:
        """A turn is under way, or its end has been told to nobody yet."""
        return self._course.running or bool(self._ends)

    # --- turns -------------------------------------------------------------------------------------------------------

    async def prompt(self, text: str) -> TurnEnded:
        async with self._attending():
            await self._taken()
            self._translator.turn()
            if owed := self._asking.take_owed():
                text = f"{owed}\n\n{text}"
            await self._say(text)
            return await self._turn_end()

    async def rejoin(self) -> TurnEnded:
        async with self._attending():
            if not self.busy:
                return TurnEnded("done", self._translator.last_words)
            return await self._turn_end()

    async def steer(self, text: str) -> bool:
        if self._held is None or self._gone.is_set() or not self._course.running:
            return False
        await self._say(text)
        return True

    async def reset(self) -> Cleared:
        async with self._attending():
            await self._taken()
            before, resets = self._translator.background, self._course.resets
            await self._say("/clear")
            await self._turn_end()
            if self._course.resets == resets:
                raise AgentConfused(f"Agent {self._launch.name} did not clear its context.", "Update Claude Code.")
            after = self._translator.background
            note = {"session": self._course.session}
            await self._live().order(lock=self._course.session, note=note, seen=self._seen)
            return Cleared(self._course.session, after, tuple(task for task in before if task not in after))

    async def cancel(self) -> None:
        if self._held is None or self._gone.is_set() or not (self._course.running or self._course.waiting):
            return
        await self._asking.withdraw()
        try:
            await self._control("interrupt", spare_background_tasks=True)
        except AgentDied:
            log.info("agent.cancel.too_late", agent=self._launch.name)

    def _stop_turn(self) -> None:
        """A refusal that ends the turn: its answer has been sent just before."""
        request = {"subtype": "interrupt", "spare_background_tasks": True}
        self._asking.later(self._send_control(str(uuid.uuid4()), request))

    def _not_asked(self, problem: Exception) -> None:
        """A question that the runner itself could not take: the turn must not wait for ever."""
        self._ends.append((self._seen, AgentError(f"Agent {self._launch.name} could not ask its question: {problem}")))
        self._ended.set()

    async def _say(self, words: str) -> None:
        prompt = str(uuid.uuid4())
        self._course.sent(prompt)
        await self._send(frames.prompt(prompt, words))

    @asynccontextmanager
    async def _attending(self) -> AsyncIterator[None]:
        """One call at a time waits for a turn's end; a turn that begins outside of it has begun by itself."""
        async with self._turn:
            self._attended = True
            try:
                yield
            finally:
                self._attended = False
            if self.busy and not self._gone.is_set():
                self._desk.stirred()  # the next one has begun by itself before this one's end was taken

    async def _turn_end(self) -> TurnEnded:
        while not self._ends:
            if self._gone.is_set():
                raise self._fate()
            self._ended.clear()
            await self._ended.wait()
        self._seen, end = self._ends.popleft()
        if isinstance(end, AgentError):
            raise end
        return replace(end, mark=frames.mark(self._translator.life, self._seen))

    async def _taken(self) -> None:
        """The runner goes on: what came before needs to be told to no later one."""
        if self._ends:
            self._seen = self._ends[-1][0]
        self._ends.clear()
        await self._live().order(seen=self._seen)

    # --- what Claude Code says ---------------------------------------------------------------------------------------

    def _listen(self, found: Held) -> None:
        self._held = found
        self._replayed.clear()
        self._reader = asyncio.create_task(self._read(found), name=f"agent.read {self._launch.name}")

    async def _read(self, found: Held) -> None:
        left = int(number(found.first, "frames"))
        if not left:
            self._replayed.set()
        background = found.first.get("background")
        if isinstance(background, str) and background:
            self._translator.updates(held.parsed(background.encode()))
        while (line := await found.read()) is not None:
            count, message = line
            match message.get("type"):
                case "control_request":
                    self._asking.asked(message)
                case "control_cancel_request":
                    self._asking.cancelled(text(message, "request_id"))
                case "control_response":
                    self._replied(table(message, "response"))
                case _:
                    self._take(count, message)
            left -= 1
            if left == 0:
                self._replayed.set()
        if not found.exit:  # the holder was killed: what it held must not go on unheard
            await found.forget()
        self._part()
        await self._asking.withdraw()

    def _part(self) -> None:
        """No word comes from it any more: nobody may wait for one."""
        self._gone.set()
        self._replayed.set()
        self._ended.set()
        for future in self._replies.values():
            if not future.done():
                future.set_exception(self._fate())

    def _take(self, count: int, message: Json) -> None:
        was = self._course.running
        for update in self._translator.updates(message):
            self._desk.update(update)
        ended = self._course.take(message)
        if message.get("type") == "result" and self._held is not None:
            self._asking.later(self._held.order(note={"baselines": self._translator.baselines}))
        if self._course.running and not was and not self._attended and self._replayed.is_set():
            self._translator.turn()
            self._desk.stirred()
        if ended:
            self._end(count)

    def _end(self, count: int) -> None:
        words, kind = self._translator.last_words, self._course.error
        said = prose(text(self._course.result or {}, "result"))
        end = self._course.ended(words, self._clock())
        if count <= self._seen:
            return  # an earlier runner was killed with its consequence on disk, before this was forgotten
        problem = fault(kind, said, self._launch.name, self._launch.login_hint) if end is None else None
        self._ends.append((count, end or problem or TurnEnded("failed", words, detail=said)))
        self._ended.set()

    # --- what we say -------------------------------------------------------------------------------------------------

    async def _control(self, subtype: str, **more: object) -> Json:
        name = str(uuid.uuid4())
        future: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._replies[name] = future
        try:
            await self._send_control(name, {"subtype": subtype, **more})
            if self._gone.is_set():
                raise self._fate()
            async with asyncio.timeout(max(REPLY_WITHIN, self._launch.start_timeout)):
                reply = await future
        except TimeoutError:
            raise AgentConfused(f"Agent {self._launch.name} did not answer “{subtype}”.") from None
        finally:
            del self._replies[name]
        if reply.get("subtype") == "error":
            raise AgentConfused(f"Agent {self._launch.name} refused “{subtype}”: {prose(text(reply, 'error'), 300)}")
        return table(reply, "response")

    async def _send_control(self, name: str, request: Json) -> None:
        await self._send(frames.control(name, request))

    def _replied(self, response: Json) -> None:
        future = self._replies.get(text(response, "request_id"))
        if future is not None and not future.done():
            future.set_result(response)

    async def _reply(self, request: str, response: Json | None, error: str = "") -> None:
        await self._send(frames.answer(request, response, error))

    async def _send(self, message: Json) -> None:
        await self._live().send(message)

    def _live(self) -> Held:
        if self._held is None:
            raise AgentError(f"Agent {self._launch.name} has not been started.")
        if self._gone.is_set():
            raise self._fate()
        return self._held

    # --- its end -----------------------------------------------------------------------------------------------------

    def _fate(self) -> AgentDied:
        told = self._held.exit if self._held is not None else {}
        return gone(self._launch.name, told, stopped=self._closed)

    async def detach(self) -> None:
        self._closed = True
        if self._held is not None:
            self._held.hang_up()
        await self._settle()

    async def close(self) -> None:
        self._closed = True
        await self._asking.withdraw()
        await self._forget()

    async def _forget(self) -> None:
        if self._held is not None:
            await self._held.end()
            if self._reader is not None:
                await asyncio.wait({self._reader}, timeout=held.ENDING)
            self._held.hang_up()
            await self._held.forget()
        await self._settle()

    async def _settle(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait({self._reader})
            self._reader = None
            self._part()
        await self._asking.close()
