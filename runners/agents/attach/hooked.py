"""A session that a person runs in a terminal, heard through its hooks: Claude Code; and scripts, which only ask."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace

from bot.wire.types import Ability
from runners import files
from runners.agents.attach.dialogs import Dialog, Dialogs
from runners.agents.attach.listening import Ear
from runners.agents.attach.watching import Watch
from runners.agents.base import AgentInfo, Cleared, Desk, Launch, TurnEnded
from runners.attach import hooks, record
from runners.attach.hook import BORN_WITHIN
from runners.attach.hooks import STAYS, Heard
from runners.attach.record import Record
from runners.errors import AgentConfused
from runners.kept import started_at

log = structlog.get_logger()

IDLE_LOOKS = 3
"""Looks in a row at which the terminal is idle until a turn is taken to be broken off."""
LOOK_EVERY = 0.2
DECIDED_LOOKS = 2
"""Looks in a row at which a terminal waits for nobody: between two dialogs it may seem so for a moment."""
TITLES = {"claude": "Claude Code in a terminal", "script": "A script"}
OUT_OF_TERMINAL = "This session runs in somebody's terminal"


class HookedAgent:
    """Implements ``Agent``. Its process is not ours: ``close`` lets go of it, and ends nothing."""

    def __init__(self, launch: Launch, desk: Desk) -> None:
        assert launch.folder is not None
        self._folder = launch.folder
        self._desk = desk
        self._record: Record | None = None
        self._written: Record | None = None
        self._writing = asyncio.Lock()
        self._dialogs = Dialogs(desk)
        self._watch = Watch(launch.folder, launch.cwd, lambda: self._record, self._go, self._idled)
        self._ear = Ear(launch.folder, self._heard, self._printed, self._watch.look)
        self._in_turn = False
        self._turn_changed = asyncio.Event()
        self._last = TurnEnded("done")
        self._handing: dict[str, tuple[str, ...]] = {}
        """Words on their way to the agent, by the hook that is to print them."""
        self._idles = 0

    # --- the port -----------------------------------------------------------------------------------------------------

    async def start(self, resume: str = "") -> AgentInfo:
        self._record = self._written = found = await asyncio.to_thread(record.needed, self._folder)
        self._in_turn = found.turn
        self._dialogs.expect(found.waiting)
        await self._ear.open()
        self._watch.begin()
        await self._asked_again()
        return AgentInfo(
            title=TITLES.get(found.agent, found.agent),
            version="",
            session=found.session,
            can_resume=True,
            resumed=True,
            abilities=frozenset((Ability.STEER, Ability.ADOPT) if found.agent == "claude" else ()),
            held=True,
            busy=found.turn or self._in_turn,
        )

    async def _asked_again(self) -> None:
        """Hooks that waited at the runner before this one come by themselves: what they ask is not lost with it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(BORN_WITHIN):
                while any(record.there(each.hook) for each in self._dialogs.missing()):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)

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
        if not self._in_turn or self._record is None or self._record.agent != "claude":
            return False
        words = (*self._known.words, text)
        await self._note(words=words)
        if self._written is not None and text in self._written.words:
            return True
        await self._note(words=tuple(word for word in self._known.words if word is not text))
        return False  # not on disk: it waits with the runner

    async def reset(self) -> Cleared:
        raise AgentConfused(f"{OUT_OF_TERMINAL}: its context is cleared there.", "Type /clear in it.")

    async def cancel(self) -> None:
        self._dialogs.withdraw("the turn is to end")

    async def detach(self) -> None:
        await self.close()

    async def close(self) -> None:
        await self._watch.end()
        await self._ear.close()

    @property
    def _known(self) -> Record:
        assert self._record is not None
        return self._record

    # --- the terminal -------------------------------------------------------------------------------------------------

    async def _idled(self) -> str:
        """A turn that is broken off there (Esc) calls no hook. Without Claude Code's own note nothing is concluded."""
        known = self._record
        if self._in_turn and known is not None and known.agent == "claude" and known.pid:
            idle = await asyncio.to_thread(record.status, known) == "idle"
            self._idles = self._idles + 1 if idle and self._in_turn else 0
            if self._idles >= IDLE_LOOKS:
                self._dialogs.withdraw("broken off in the terminal")
                await self._end(TurnEnded("cancelled"))
        else:
            self._idles = 0
        return ""

    def _go(self, why: str) -> None:
        self._dialogs.withdraw(why)
        self._turn_over(TurnEnded("cancelled"))
        self._desk.gone(why)

    # --- hooks --------------------------------------------------------------------------------------------------------

    async def _heard(self, one: Heard, reader: asyncio.StreamReader) -> str:
        """What this hook prints; empty: nothing, and the agent goes on as without us."""
        known = self._known
        if one.event != "SessionStart" and known.session not in ("", one.session):
            return ""  # some other agent in the same worktree
        started = known.started
        if one.pid and (one.pid != known.pid or not started or one.event == "SessionStart"):
            started = await asyncio.to_thread(started_at, one.pid)
            known = self._known
        await self._note(
            session=one.session,
            pid=one.pid or known.pid,
            started=started,
            home=one.home or known.home,
            program=one.program or known.program,
            turn=known.turn and one.event != "SessionStart",
        )
        for update in hooks.updates(one):
            self._desk.update(update)
        match one.event:
            case "UserPromptSubmit":
                return await self._begun(one)
            case "PreToolUse":
                self._dialogs.called(one)
            case "PermissionRequest":
                await self._begin()
                return await self._asked(one, reader)
            case "PostToolUse" | "PostToolUseFailure":
                self._dialogs.done(one)
            case "Stop" | "StopFailure":
                return await self._stopped(one)
            case "SessionEnd":
                await self._left(one)
        if not one.sub and one.event in ("PreToolUse", "PostToolUse"):
            await self._begin()
        return ""

    async def _asked(self, one: Heard, reader: asyncio.StreamReader) -> str:
        """Where this runner goes first, the note of it stays: the next one waits for this hook."""
        dialog = self._dialogs.opened(one)
        try:
            await self._note(waiting=self._dialogs.waiting)
            looking = asyncio.create_task(self._decided_there(dialog), name="dialog")
            try:
                said = await self._dialogs.ask(dialog, reader)
            finally:
                looking.cancel()
                await asyncio.wait({looking})
        finally:
            self._dialogs.closed(dialog)
        await self._note(waiting=self._dialogs.waiting)
        return said

    async def _decided_there(self, dialog: Dialog) -> None:
        """The call's own end may be long in coming: Claude Code's note says when its terminal waits no longer."""
        seen, looks = False, 0
        while looks < DECIDED_LOOKS:
            said = await asyncio.to_thread(record.status, self._known)
            seen = seen or said == "waiting"
            looks = looks + 1 if seen and said in ("busy", "idle") else 0
            await asyncio.sleep(LOOK_EVERY)
        dialog.settle("answered in the terminal")

    async def _note(self, **new: Any) -> None:
        """Write down what is new of the agent: for the next runner, and for its hooks. The newest state is last."""
        self._record = replace(self._known, **new)
        async with self._writing:
            if (fresh := self._record) == self._written:
                return
            try:
                await asyncio.to_thread(record.write_own, self._folder, fresh)
                if not fresh.left:
                    await asyncio.to_thread(record.refresh, self._folder.parent.parent, fresh)
            except OSError as err:
                log.warning("terminal.not_written", error=str(err))
            else:
                self._written = fresh

    # --- turns --------------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._in_turn or self._watch.gone:
            return
        self._in_turn = True
        self._desk.stirred()
        await self._note(turn=True)

    async def _begun(self, one: Heard) -> str:
        self._dialogs.withdraw("the terminal went on")
        self._turn_over(TurnEnded("cancelled"))  # one that was broken off there tells nobody of its end
        await self._begin()
        return hooks.beside_prompt(self._handed(one)) if self._known.words else ""

    async def _stopped(self, one: Heard) -> str:
        if one.sub:
            return ""
        self._dialogs.withdraw("the terminal went on")
        if self._known.words and one.event == "Stop":
            return hooks.more_words(self._handed(one))
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
        self._dialogs.turn_over()
        await self._note(turn=False)

    def _turn_over(self, ended: TurnEnded) -> None:
        if self._in_turn:
            self._in_turn = False
            self._last = ended
            self._turn_changed.set()

    def _handed(self, one: Heard) -> tuple[str, ...]:
        self._handing[one.ask] = words = self._known.words
        return words

    async def _printed(self, one: Heard) -> None:
        """Only now the agent has them: a hook, or this runner, may have ended before."""
        if words := self._handing.pop(one.ask, ()):
            await self._note(words=self._known.words[len(words) :])

    async def _left(self, one: Heard) -> None:
        self._dialogs.withdraw("the terminal went on")
        await self._end(TurnEnded("cancelled"))
        if one.text("reason") in STAYS:
            await self._note(session="")  # the next one that begins there is this session
        elif not await asyncio.to_thread((self._folder / files.MOVING).exists):  # its terminal ends on purpose
            self._watch.leave("its terminal has ended")
