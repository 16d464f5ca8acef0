"""An agent that does what a test says, in the test's own process; it can outlive its runner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.wire.types import Ability
from runners import kept
from runners.agents.base import AgentInfo, Answered, Cleared, Desk, Inquiry, Launch, TurnEnded, UsageChanged
from runners.errors import AgentConfused, AgentDied

ALL = frozenset(Ability) - {Ability.ADOPT}
WITHIN = 20.0


def _set(event: asyncio.Event) -> asyncio.Event:
    event.set()
    return event


@asynccontextmanager
async def kept_process(session: Path) -> AsyncIterator[None]:
    """One that outlives its runner, as an agent's holder does."""
    process = await asyncio.create_subprocess_exec("sleep", "300", start_new_session=True)
    kept.keep(session, process.pid)
    yield
    if process.returncode is None:
        process.kill()
    await process.wait()


@dataclass
class Actor:
    """``open`` makes the agents; what is said to any of them is noted here, and tests act for the newest."""

    abilities: frozenset[Ability] = ALL
    holds: bool = False
    """Its process outlives a runner that lets go of it."""
    hears: bool = True
    """Whether it takes what is said within a turn."""
    deaf: bool = False
    """It does not end its turn when it is told to."""
    resumes: bool = True
    survived: tuple[str, ...] = ("npm run dev",)
    launches: list[Launch] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    asides: list[str] = field(default_factory=list)
    resets: int = 0
    resets_here: bool = True
    closed: int = 0
    rejoined: int = 0
    pending: list[tuple[Inquiry, ...]] = field(default_factory=list)
    """What the process still waits for, whoever listens."""
    ear: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, it takes its time to hear what is said within a turn."""
    ready: asyncio.Event = field(default_factory=lambda: _set(asyncio.Event()))
    """Cleared, it takes its time to start, or to be joined."""
    listening: asyncio.Event = field(default_factory=lambda: _set(asyncio.Event()))
    """Cleared, what it is given as a turn is on its way for long."""
    keeps_ends: bool = False
    steering: int = 0
    agent: ScriptedAgent | None = None
    resuming: bool = False
    """A turn of an earlier runner's waits to be joined, ended or not."""
    _alive: bool = False
    _turn: asyncio.Future[TurnEnded] | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def open(self, launch: Launch, desk: Desk) -> ScriptedAgent:
        self.launches.append(launch)
        self.agent = ScriptedAgent(self, desk)
        self.ear.set()
        return self.agent

    def note(self) -> None:
        task = asyncio.ensure_future(self._notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(WITHIN), self._changed:
            await self._changed.wait_for(true)

    async def prompted(self, count: int = 1) -> str:
        """The ``count``-th message it was given as a turn."""
        await self.until(lambda: len(self.prompts) >= count)
        return self.prompts[count - 1]

    # --- what it does ------------------------------------------------------------------------------------------------

    def begin(self) -> asyncio.Future[TurnEnded]:
        self._turn = asyncio.get_running_loop().create_future()
        self._turn.add_done_callback(lambda turn: turn.exception())  # its runner may be gone by then
        return self._turn

    @property
    def busy(self) -> bool:
        return self._turn is not None and not self._turn.done()

    def end(self, reason: str = "limit", words: str = "", **more: object) -> None:
        """Its turn ends. ``limit`` is an end that nothing follows from."""
        assert self._turn is not None
        self.pending.clear()
        self._turn.set_result(TurnEnded(reason, words, **more))  # type: ignore[arg-type]

    def die(self, status: int = -9, words: str = "Segmentation fault") -> None:
        """Its process is gone, in the middle of whatever it does."""
        self._alive = False
        self.pending.clear()
        assert self.agent is not None
        self.agent.withdraw_all()
        if self.busy:
            assert self._turn is not None
            self._turn.set_exception(
                AgentDied(f"Agent actor was ended by {status}.", exit_status=status, last_words=words)
            )

    def ask(self, *inquiries: Inquiry) -> asyncio.Task[tuple[Answered, ...]]:
        assert self.agent is not None
        self.pending.append(inquiries)
        return self.agent.put(inquiries)

    def spend(self, dollars: float, tokens: int = 1000, meter: str = "m") -> None:
        assert self.agent is not None
        self.agent.desk.update(UsageChanged(tokens, dollars, meter=meter))


class ScriptedAgent:
    """Implements ``Agent``."""

    def __init__(self, actor: Actor, desk: Desk) -> None:
        self.actor = actor
        self.desk = desk
        self.asking: list[asyncio.Task[tuple[Answered, ...]]] = []

    def put(self, inquiries: Sequence[Inquiry]) -> asyncio.Task[tuple[Answered, ...]]:
        task = asyncio.create_task(self.desk.ask_all(inquiries))
        self.asking.append(task)
        return task

    async def start(self, resume: str = "") -> AgentInfo:
        actor = self.actor
        await actor.ready.wait()
        actor.starts.append(resume)
        held = actor.holds and actor._alive
        actor._alive = True
        actor.resuming = held and actor.busy
        if held:
            for inquiries in actor.pending:
                self.put(inquiries)
        actor.note()
        return AgentInfo(
            "Actor",
            "1.0",
            session=resume or f"a{len(actor.starts)}",
            resumed=held or (bool(resume) and actor.resumes),
            abilities=actor.abilities,
            model="small",
            held=held,
            busy=held and actor.busy,
            keeps_ends=actor.keeps_ends,
        )

    async def prompt(self, text: str) -> TurnEnded:
        await self.actor.listening.wait()
        turn = self.actor.begin()
        self.actor.prompts.append(text)
        self.actor.note()
        return await asyncio.shield(turn)

    async def rejoin(self) -> TurnEnded:
        taken_up = self.actor._turn if self.actor.resuming else None
        self.actor.resuming = False
        turn = taken_up or self.actor.begin()
        self.actor.rejoined += 1
        self.actor.note()
        return await asyncio.shield(turn)

    async def steer(self, text: str) -> bool:
        self.actor.steering += 1
        self.actor.note()
        await self.actor.ear.wait()
        if not self.actor.hears or not self.actor.busy:
            return False
        self.actor.asides.append(text)
        self.actor.note()
        return True

    async def reset(self) -> Cleared:
        if not self.actor.resets_here:
            raise AgentConfused("This session runs in somebody's terminal: its context is cleared there.")
        self.actor.resets += 1
        return Cleared(f"fresh{self.actor.resets}", survived=self.actor.survived)

    async def cancel(self) -> None:
        self.withdraw_all()
        if self.actor.busy and not self.actor.deaf:
            self.actor.end("cancelled")

    async def detach(self) -> None:
        if not self.actor.holds:
            await self.close()
        self.withdraw_all()

    async def close(self) -> None:
        self.actor.closed += 1
        self.withdraw_all()
        if self.actor._alive:
            self.actor.die(-15, "")
        await asyncio.sleep(0)

    def withdraw_all(self) -> None:
        for task in self.asking:
            task.cancel()
        self.asking.clear()
