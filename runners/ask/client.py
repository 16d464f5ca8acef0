"""Knocks at a session's door from another process and waits there, over restarts of its runner. Blocking, no loop."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runners.ask.paper import Paper, read_paper
from runners.errors import RunnerError
from runners.files import ENDED

SILENT = 60.0
"""Seconds without a sign of life from the door, which gives one every 15."""
FIRST, AWAY = 60.0, 900.0
"""Seconds a door may be missing before a question was asked, and once it was."""
PAUSES = (0.1, 0.3, 1.0, 2.0, 5.0)


class Refused(RunnerError):
    """The question cannot be asked like this; the words say what to change."""


class Unreachable(RunnerError):
    """There is nobody at the door."""


class Over(RunnerError):
    """The session has ended."""


@dataclass
class Knocker:
    """``note`` gets words for a person; ``beat`` is called at every sign of life. ``posted`` once people have it."""

    folder: Path
    note: Callable[[str], None] = lambda words: None
    beat: Callable[[], None] = lambda: None
    posted: tuple[str, ...] = field(default=(), init=False)
    _sent: dict[str, Any] | None = field(default=None, init=False)

    def ask(self, arguments: dict[str, Any], *, wait: float | None, for_all: bool, tool: bool) -> dict[str, Any]:
        """The door's last line: ``answers`` and ``text``. Raises Refused, Unreachable, Over."""
        end = None if wait is None else time.monotonic() + wait
        gone = 0.0  # since when nobody was there
        tries = 0
        while True:
            left = None if end is None else max(end - time.monotonic(), 0)
            self._sent = arguments
            body = {"arguments": arguments, "wait": left, "for_all": for_all, "tool": tool}
            try:
                for line in self._lines("/ask", body):
                    gone, tries = 0.0, 0
                    if "posted" in line:
                        self.posted = tuple(line["posted"])
                    elif "answers" in line:
                        return line
                    self.beat()
                problem = "it hung up"
            except (OSError, http.client.HTTPException, ValueError) as err:
                problem = str(err) or type(err).__name__
            gone = gone or time.monotonic()
            self._look(problem, gone)
            time.sleep(PAUSES[min(tries, len(PAUSES) - 1)])
            tries += 1
            if tries == 3:
                self.note("The session's runner is away; waiting for it to come back.")

    def withdraw(self, reason: str) -> bool:
        """Whether the door heard it."""
        if self._sent is None:
            return False
        what = {"ids": self.posted} if self.posted else {"arguments": self._sent}
        try:
            return any(self._lines("/withdraw", {"reason": reason, **what}))
        except (OSError, http.client.HTTPException, ValueError, RunnerError):
            return False

    def _look(self, problem: str, gone: float) -> None:
        """Give up where it makes no sense to wait."""
        if (self.folder / ENDED).exists():
            raise Over("The session has ended.", "Nobody can be asked through it any more.")
        if not self.folder.is_dir():
            raise Over(f"There is no session in {self.folder} any more.", "Nobody can be asked through it.")
        if time.monotonic() - gone > (AWAY if self.posted else FIRST):
            still = " Your question is with the people all the same: run the same command again." if self.posted else ""
            raise Unreachable(
                f"The runner of this session does not answer ({problem}).",
                f"Look whether `switchboard host` runs on this machine.{still}",
            )

    def _lines(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        paper = read_paper(self.folder)
        if paper is None:
            raise ConnectionError("its door is not open yet")
        connection = http.client.HTTPConnection(_address(paper), timeout=SILENT)
        try:
            headers = {"Authorization": f"Bearer {paper.token}", "Content-Type": "application/json"}
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            if response.status in (400, 413, 422):
                raise Refused(str(json.loads(response.read())["error"]))
            if response.status != 200:
                raise ConnectionError(f"its door says {response.status}")
            for line in response:
                yield json.loads(line)
        finally:
            connection.close()


def _address(paper: Paper) -> str:
    return urlsplit(paper.url).netloc
