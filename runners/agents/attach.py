"""A session that a person runs in a terminal, heard through its hooks. The terminal leads: nothing here holds it up."""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from contextlib import suppress

import structlog
from msgspec.structs import replace

from bot.wire.types import Ability
from runners.agents.base import Agent, AgentInfo, Answered, Cleared, Desk, Inquiry, Launch, TurnEnded
from runners.attach import hooks, record
from runners.attach.hook import LARGEST, NAME
from runners.attach.hooks import STAYS, Heard
from runners.attach.record import ADOPTING, Record, why_gone
from runners.errors import AgentConfused

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks at the terminal's process."""
IDLE_LOOKS = 3
"""Looks in a row at which the terminal is idle until a turn is taken to be broken off."""
TITLES = {"claude": "Claude Code in a terminal", "script": "A script"}
OUT_OF_TERMINAL = "This session runs in somebody's terminal"


def open_attached(launch: Launch, desk: Desk) -> Agent:
    """The hand-run session in ``launch.folder``, whichever agent it is."""
    if launch.name == "codex":
        from runners.agents.attach_codex import JoinedCodex

        return JoinedCodex(launch, desk)
    return AttachedAgent(launch, desk)


class AttachedAgent:
    """Implements ``Agent``. Its process is not ours: ``close`` lets go of it, and ends nothing."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        assert launch.folder is not None
        self._folder = launch.folder
        self._cwd = launch.cwd
        self._desk = desk
        self._record: Record | None = None
        self._server: asyncio.Server | None = None
        self._watching: asyncio.Task[None] | None = None
        self._talks: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._asked: dict[str, asyncio.Task[tuple[Answered, ...]]] = {}
        self._calls: dict[str, str] = {}
        """Ids of the tool calls begun and not ended, by what they are."""
        self._in_turn = False
        self._turn_changed = asyncio.Event()
        self._last = TurnEnded("done")
        self._words: deque[str] = deque()
        """What people have said, to be handed over at the next occasion."""
        self._gone = False

    # --- the port -----------------------------------------------------------------------------------------------------

    async def start(self, resume: str = "") -> AgentInfo:
        self._record = found = await asyncio.to_thread(record.read, self._folder / record.OWN)
        if found is None:
            raise AgentConfused(
                f"{self._folder / record.OWN} cannot be read.", "Detach the session and attach it again."
            )
        path = await asyncio.to_thread(record.socket_for, self._folder, NAME)
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._talk, path, limit=LARGEST + 65536)
        finally:
            os.umask(mask)
        self._watching = asyncio.create_task(self._watch(), name="terminal")
        self._in_turn = found.turn
        abilities = {Ability.STEER, Ability.ADOPT} if found.agent == "claude" else set()
        return AgentInfo(
            title=TITLES.get(found.agent, found.agent),
            version="",
            session=found.session,
            can_resume=True,
            resumed=True,
            abilities=frozenset(abilities),
            held=True,
            busy=found.turn,
        )

    async def prompt(self, text: str) -> TurnEnded:
        raise AgentConfused(
            f"{OUT_OF_TERMINAL}: it takes no message while it is idle.", "Say it there, or adopt the session."
        )

    async def rejoin(self) -> TurnEnded:
        while self._in_turn:
            self._turn_changed.clear()
            await self._turn_changed.wait()
        return self._last

    async def steer(self, text: str) -> bool:
        """Handed over when the turn would end: it goes on with these words."""
        if not self._in_turn or self._kind() != "claude":
            return False
        self._words.append(text)
        return True

    async def reset(self) -> Cleared:
        raise AgentConfused(f"{OUT_OF_TERMINAL}: its context is cleared there.", "Type /clear in it.")

    async def cancel(self) -> None:
        self._withdraw_all("the turn is to end")

    async def detach(self) -> None:
        await self.close()

    async def close(self) -> None:
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for task in list(self._talks):
                task.cancel()
            if self._talks:
                await asyncio.wait(self._talks)
            with suppress(OSError):
                await asyncio.to_thread(record.socket_gone, self._folder, NAME)

    # --- the terminal's process ---------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """A terminal that is closed tells nobody; neither does a worktree that is moved away."""
        idles = 0
        while not self._gone:
            self._look.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._look.wait()
            try:
                why, idle = await asyncio.to_thread(
                    lambda: (why_gone(self._folder, self._record, self._cwd), self._idle())
                )
            except OSError as err:
                log.warning("terminal.not_seen", error=str(err))
                continue
            if why:
                self._go(why)
            idles = idles + 1 if idle and self._in_turn else 0
            if idles >= IDLE_LOOKS:
                # A turn that is broken off there (Esc) calls no hook.
                self._withdraw_all("broken off in the terminal")
                await self._end(TurnEnded("cancelled"))

    def _idle(self) -> bool:
        """Claude Code keeps a note of each of its terminals; without one, nothing is concluded. Blocking."""
        known = self._record
        if known is None or known.agent != "claude" or not known.pid:
            return False
        return record.status(known) == "idle"

    def _go(self, why: str) -> None:
        if self._gone:
            return
        self._gone = True
        self._withdraw_all(why)
        self._turn_over(TurnEnded("cancelled"))
        log.info("terminal.gone", why=why)
        self._desk.gone(why)

    def _kind(self) -> str:
        return self._record.agent if self._record is not None else ""

    # --- hooks --------------------------------------------------------------------------------------------------------

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            line = await reader.readline()
            message = json.loads(line)
            if isinstance(message, dict) and message.get("event") == "Look":
                self._look.set()
            one = hooks.heard(message)
            reply = await self._heard(one, reader) if one is not None else ""
            writer.write(reply.encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # a hook that broke off or sent nonsense, or we are closing: its agent goes on by itself
        finally:
            self._talks.discard(task)
            writer.close()

    async def _heard(self, one: Heard, reader: asyncio.StreamReader) -> str:
        """What this hook prints; empty: nothing, and the agent goes on as without us."""
        known = self._record
        assert known is not None
        if one.event != "SessionStart" and known.session not in ("", one.session):
            return ""  # some other agent in the same worktree
        fresh = replace(
            known,
            session=one.session,
            pid=one.pid or known.pid,
            home=one.home or known.home,
            program=one.program or known.program,
            turn=known.turn and one.event != "SessionStart",
        )
        if fresh != known:
            await self._another(fresh)
        for update in hooks.updates(one):
            self._desk.update(update)
        match one.event:
            case "UserPromptSubmit":
                return await self._begun(one)
            case "PreToolUse":
                self._calls[hooks.fingerprint(one)] = one.call
            case "PermissionRequest":
                await self._begin()
                return await self._ask(one, reader)
            case "PostToolUse" | "PostToolUseFailure":
                self._done(one)
            case "Stop" | "StopFailure":
                return await self._stopped(one)
            case "SessionEnd":
                await self._left(one)
        if not one.sub and one.event in ("PreToolUse", "PostToolUse"):
            await self._begin()
        return ""

    async def _another(self, fresh: Record) -> None:
        """Write down what is new of the agent: for the next runner, and for its hooks."""
        self._record = fresh
        try:
            await asyncio.to_thread(record.write_own, self._folder, fresh)
            if not fresh.left:
                await asyncio.to_thread(record.refresh, self._folder.parent.parent, fresh)
        except OSError as err:
            log.warning("terminal.not_written", error=str(err))

    # --- turns --------------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._in_turn or self._gone:
            return
        self._in_turn = True
        self._desk.stirred()
        assert self._record is not None
        await self._another(replace(self._record, turn=True))

    async def _begun(self, one: Heard) -> str:
        self._withdraw_all("the terminal went on")
        self._turn_over(TurnEnded("cancelled"))  # one that was broken off there tells nobody of its end
        await self._begin()
        return hooks.beside_prompt(self._handed()) if self._words else ""

    async def _stopped(self, one: Heard) -> str:
        if one.sub:
            return ""
        self._withdraw_all("the terminal went on")
        if self._words and one.event == "Stop":
            return hooks.more_words(self._handed())
        words = one.text("last_assistant_message")
        if one.event == "StopFailure":
            why = one.text("error_details") or one.text("error")
            await self._end(TurnEnded("failed", words, detail=why))
        else:
            if not self._in_turn:
                self._in_turn = True
                self._desk.stirred()
            await self._end(TurnEnded("done", words))
        return ""

    async def _end(self, ended: TurnEnded) -> None:
        self._turn_over(ended)
        self._calls.clear()
        assert self._record is not None
        if self._record.turn:
            await self._another(replace(self._record, turn=False))

    def _turn_over(self, ended: TurnEnded) -> None:
        if self._in_turn:
            self._in_turn = False
            self._last = ended
            self._turn_changed.set()

    def _handed(self) -> list[str]:
        words = list(self._words)
        self._words.clear()
        return words

    async def _left(self, one: Heard) -> None:
        self._withdraw_all("the terminal went on")
        await self._end(TurnEnded("cancelled"))
        if one.text("reason") in STAYS:
            assert self._record is not None
            await self._another(replace(self._record, session=""))  # the next one that begins there is this session
        elif not await asyncio.to_thread((self._folder / ADOPTING).exists):
            self._go("its terminal has ended")

    # --- questions ----------------------------------------------------------------------------------------------------

    async def _ask(self, one: Heard, reader: asyncio.StreamReader) -> str:
        """Beside the dialog on the screen: whoever answers first wins."""
        key = self._calls.get(hooks.fingerprint(one)) or hooks.fingerprint(one)
        inquiries = hooks.inquiries(one, key)
        earlier = self._asked.pop(key, None)
        if earlier is not None:
            earlier.cancel()
        asking = asyncio.create_task(self._put(inquiries), name=f"question {key}")
        self._asked[key] = asking
        hung_up = asyncio.create_task(reader.read(1), name="hook's end")
        try:
            await asyncio.wait({asking, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel("the terminal no longer waits for an answer")
                await asyncio.wait({asking})
            return "" if asking.cancelled() else hooks.decision(one, inquiries, asking.result())
        finally:
            for task in (asking, hung_up):
                task.cancel()
            await asyncio.wait({asking, hung_up})
            if self._asked.get(key) is asking:
                del self._asked[key]

    async def _put(self, inquiries: tuple[Inquiry, ...]) -> tuple[Answered, ...]:
        if len(inquiries) == 1:
            return (await self._desk.ask(inquiries[0]),)
        return await self._desk.ask_all(inquiries)

    def _done(self, one: Heard) -> None:
        """A call that has been made waits for nobody: its question was answered in the terminal."""
        self._calls = {what: call for what, call in self._calls.items() if call != one.call}
        for key in (one.call, hooks.fingerprint(one)):
            asked = self._asked.get(key)
            if asked is not None:
                asked.cancel("answered in the terminal")

    def _withdraw_all(self, reason: str) -> None:
        for asked in self._asked.values():
            asked.cancel(reason)
