"""Questions that stand in the terminal and on the board at once: whoever answers first wins, the other copy closes."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field

from runners.agents.base import Answered, Desk, Inquiry
from runners.attach import hooks
from runners.attach.hooks import Heard
from runners.attach.record import Waiting


@dataclass(eq=False)
class Dialog:
    """One hook that waits. Its own name of its question is the question's key: what a person grants to this one
    reaches no other, however much alike, and this one also over the end of a runner."""

    one: Heard
    what: str
    note: Waiting
    asking: asyncio.Task[tuple[Answered, ...]] | None = field(default=None, init=False)
    over: bool = field(default=False, init=False)

    def settle(self, reason: str) -> None:
        self.over = True
        if self.asking is not None:
            self.asking.cancel(reason)


class Dialogs:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._open: dict[str, Dialog] = {}
        self._begun: dict[str, list[str]] = {}
        """Ids of the tool calls begun for which nobody has asked, by what they are."""
        self._noted: dict[str, Waiting] = {}

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        return tuple(each.note for each in self._open.values())

    def expect(self, noted: tuple[Waiting, ...]) -> None:
        """Those that waited at the runner before this one."""
        self._noted = {each.ask: each for each in noted}

    def missing(self) -> tuple[Waiting, ...]:
        """Those of them that have not asked this one yet."""
        asked = {ask for ask, each in self._open.items() if each.asking is not None or each.over}
        return tuple(each for ask, each in self._noted.items() if ask not in asked)

    def called(self, one: Heard) -> None:
        """A tool call begins: a permission request for it names no id."""
        self._begun.setdefault(hooks.fingerprint(one), []).append(one.call)

    def opened(self, one: Heard) -> Dialog:
        what, ask = hooks.fingerprint(one), one.ask or uuid.uuid4().hex
        noted = self._noted.get(ask)
        if noted is None:
            begun = self._begun.get(what)
            noted = Waiting(ask, one.hook, begun.pop(0) if begun else "")
        dialog = self._open[ask] = Dialog(one, what, noted)
        return dialog

    async def ask(self, dialog: Dialog, reader: asyncio.StreamReader) -> str:
        """What the hook prints once it is answered; empty: it was answered in the terminal."""
        if dialog.over:
            return ""
        inquiries = hooks.inquiries(dialog.one, dialog.note.ask)
        dialog.asking = asking = asyncio.create_task(self._put(inquiries), name=f"question {dialog.note.ask}")
        hung_up = asyncio.create_task(reader.read(1), name="hook's end")
        try:
            await asyncio.wait({asking, hung_up}, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                asking.cancel("the terminal no longer waits for an answer")
                await asyncio.wait({asking})
            return "" if asking.cancelled() else hooks.decision(dialog.one, inquiries, asking.result())
        finally:
            for task in (asking, hung_up):
                task.cancel()
            await asyncio.wait({asking, hung_up})

    def closed(self, dialog: Dialog) -> None:
        self._noted.pop(dialog.note.ask, None)
        if self._open.get(dialog.note.ask) is dialog:
            del self._open[dialog.note.ask]

    async def _put(self, inquiries: tuple[Inquiry, ...]) -> tuple[Answered, ...]:
        if len(inquiries) == 1:
            return (await self._desk.ask(inquiries[0]),)
        return await self._desk.ask_all(inquiries)

    def done(self, one: Heard) -> None:
        """A call that has been made waits for nobody: its question was answered in the terminal."""
        what = hooks.fingerprint(one)
        self._begun = {
            each: left for each, calls in self._begun.items() if (left := [call for call in calls if call != one.call])
        }
        found = next((each for each in self._open.values() if one.call and each.note.call == one.call), None)
        if found is None:  # its beginning was not heard: the oldest that is just like it
            found = next((each for each in self._open.values() if not each.note.call and each.what == what), None)
        if found is not None:
            found.settle("answered in the terminal")

    def withdraw(self, reason: str) -> None:
        for dialog in self._open.values():
            dialog.settle(reason)

    def turn_over(self) -> None:
        self._begun.clear()
