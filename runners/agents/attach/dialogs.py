"""Questions that stand in the terminal and on the board at once: whoever answers first wins, the other copy closes."""

from __future__ import annotations

import asyncio

from runners.agents.base import Answered, Desk, Inquiry
from runners.attach import hooks
from runners.attach.hooks import Heard


class Dialogs:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked: dict[str, asyncio.Task[tuple[Answered, ...]]] = {}
        self._calls: dict[str, str] = {}
        """Ids of the tool calls begun and not ended, by what they are."""

    def called(self, one: Heard) -> None:
        """A tool call begins: a permission request for it names no id."""
        self._calls[hooks.fingerprint(one)] = one.call

    async def ask(self, one: Heard, reader: asyncio.StreamReader) -> str:
        """What the hook prints once it is answered; empty: it was answered in the terminal."""
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

    def done(self, one: Heard) -> None:
        """A call that has been made waits for nobody: its question was answered in the terminal."""
        self._calls = {what: call for what, call in self._calls.items() if call != one.call}
        for key in (one.call, hooks.fingerprint(one)):
            asked = self._asked.get(key)
            if asked is not None:
                asked.cancel("answered in the terminal")

    def withdraw(self, reason: str) -> None:
        for asked in self._asked.values():
            asked.cancel(reason)

    def turn_over(self) -> None:
        self._calls.clear()
