"""``ask_human`` over standard input and output: answers the protocol itself, and takes each call to a session's door.

Lives as long as its agent, so it imports little, and no event loop: a thread for each call that waits.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from runners.ask import protocol
from runners.ask.client import Knocker
from runners.ask.finding import find
from runners.ask.patience import patience
from runners.ask.protocol import Ask, Noted, Reply
from runners.errors import RunnerError

LONGEST = 4 * 1024 * 1024
"""Bytes of a line."""
MOST_CALLS = 50


class Shim:
    """One agent. A runner that is away, or a session that is found only later, costs the agent nothing but time."""

    def __init__(
        self, out: BinaryIO, env: Mapping[str, str], where: Path, data_dir: Path | None, told: float | None
    ) -> None:
        self._out = out
        self._env = env
        self._where = where
        self._data_dir = data_dir
        self._told = told
        self._client = ""
        self._writing = threading.Lock()
        self._finding = threading.Lock()
        self._folder: Path | None = None
        self._open: set[protocol.RequestId] = set()

    def take(self, line: bytes) -> None:
        message = protocol.received(line, version=protocol.software())
        match message:
            case Reply():
                if message.client is not None:
                    self._client = message.client
                self._say(message.message)
            case Noted():
                if (number := protocol.cancelled(message)) is not None:
                    self._open.discard(number)  # its question stays with the people; only nobody listens any more
            case Ask() if len(self._open) >= MOST_CALLS:
                words = f"{MOST_CALLS} calls wait already. Gather your questions into one."
                self._say(protocol.called(message, words, failed=True))
            case Ask():
                self._open.add(message.id)
                threading.Thread(target=self._ask, args=(message,), daemon=True).start()

    def _ask(self, ask: Ask) -> None:
        try:
            reply = protocol.called(ask, self._answer(ask))
        except RunnerError as err:
            reply = protocol.called(ask, f"Nothing was asked. {err}", failed=True)
        except Exception as err:  # noqa: BLE001  (a thread's boundary: its call must be answered)
            reply = protocol.called(ask, f"That failed: {type(err).__name__}: {err}", failed=True)
        if ask.id in self._open:
            self._open.discard(ask.id)
            self._say(reply)

    def _answer(self, ask: Ask) -> str:
        arguments = ask.arguments if isinstance(ask.arguments, dict) else {"questions": ask.arguments}
        client = ask.client or self._client
        wait = patience(client, told=self._told, progress=ask.progress is not None, stdio=True)
        count = 0

        def beat() -> None:
            nonlocal count
            count += 1
            if ask.progress is not None and ask.id in self._open:
                self._say(protocol.alive(ask.progress, count, "Waiting for people to answer"))

        knocker = Knocker(self._session(_title(arguments)), beat=beat)
        return str(knocker.ask(arguments, wait=wait, for_all=False, tool=True)["text"])

    def _session(self, title: str) -> Path:
        """The same for every call, as long as it is there."""
        with self._finding:
            if self._folder is None or not self._folder.is_dir():
                self._folder = find(self._env, self._where, self._data_dir, title, _note)
            return self._folder

    def _say(self, message: protocol.Json) -> None:
        with self._writing:
            self._out.write(json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            self._out.flush()


def _title(arguments: Mapping[str, object]) -> str:
    asked = arguments.get("questions")
    first = asked[0] if isinstance(asked, list) and asked else asked
    words = first.get("question", "") if isinstance(first, dict) else first
    return str(words or "A question")[:200]


def _note(words: str) -> None:
    sys.stderr.write(f"switchboard mcp: {words}\n")
    sys.stderr.flush()


def serve(
    source: BinaryIO, out: BinaryIO, env: Mapping[str, str], where: Path, data_dir: Path | None, told: float | None
) -> None:
    """Until its agent hangs up. What waits then stays with the people."""
    shim = Shim(out, env, where, data_dir, told)
    try:
        while line := source.readline(LONGEST):
            if line.strip():
                shim.take(line)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
