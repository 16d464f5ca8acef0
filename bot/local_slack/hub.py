"""Live updates to people's browsers: one small JSON object per change."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bot.local_slack.models import Json

BACKLOG = 1000


class Hub:
    """A queue per open page. A page that stops reading is cut off rather than waited for; it reloads and catches up."""

    def __init__(self) -> None:
        self._pages: dict[asyncio.Queue[Json | None], str] = {}

    def join(self, person: str) -> asyncio.Queue[Json | None]:
        page: asyncio.Queue[Json | None] = asyncio.Queue(BACKLOG)
        self._pages[page] = person
        return page

    def leave(self, page: asyncio.Queue[Json | None]) -> None:
        self._pages.pop(page, None)

    def tell(self, people: Iterable[str], push: Json) -> None:
        wanted = set(people)
        for page, person in list(self._pages.items()):
            if person in wanted:
                self._put(page, push)

    def tell_all(self, push: Json) -> None:
        for page in list(self._pages):
            self._put(page, push)

    def close(self) -> None:
        for page in list(self._pages):
            self._end(page)

    def _put(self, page: asyncio.Queue[Json | None], push: Json) -> None:
        try:
            page.put_nowait(push)
        except asyncio.QueueFull:
            self._end(page)

    def _end(self, page: asyncio.Queue[Json | None]) -> None:
        """None, as the last thing in the queue, tells the page's socket to close."""
        self.leave(page)
        while page.full():
            page.get_nowait()
        page.put_nowait(None)
