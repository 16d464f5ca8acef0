"""What an agent's hooks run: passes what happened on to its session, gives back the answer. Standard library alone.

Run as a script with ``python -I -S``, so that it starts in hundredths of a second. Whatever goes wrong, it says nothing
and ends with status 0: the terminal must go on as if Switchboard were not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import time

LONG = 86_000.0
"""Seconds a question may wait; a little less than the hook's own timeout."""
SHORT = 5.0
"""Seconds for everything else: it stands in the terminal's way."""
BORN_WITHIN = 20.0
"""Seconds a question waits for a session that is only just coming on the board."""
ASKING = ("PermissionRequest",)
BEGINNING = ("SessionStart", "UserPromptSubmit")
LARGEST = 8 << 20
NAME = "hooks.sock"
PRINTED = b"+"


def main() -> None:
    data = sys.argv[1]
    if os.environ.get("SWITCHBOARD_FOLDER"):
        return  # a runner drives this agent, and hears from it in another way
    raw = sys.stdin.buffer.read(LARGEST + 1)
    if len(raw) > LARGEST:
        return
    said = json.loads(raw)
    event = said.get("hook_event_name", "")
    where = os.environ.get("CLAUDE_PROJECT_DIR") or said.get("cwd") or os.getcwd()
    route = find(data, where)
    if event in BEGINNING:
        notice = _begin(data, where, said, event, route)
        if notice is not None:
            if notice:
                sys.stdout.write(json.dumps({"systemMessage": notice}))
            return
    waits = BORN_WITHIN if event in ASKING else 0.0
    what = {"event": event, "said": said, "hook": os.getpid(), "ask": os.urandom(8).hex(), **whose()}
    _tell(data, where, what, event in ASKING, waits)


def whose() -> dict[str, object]:
    """The agent that runs this hook."""
    home, program = os.environ.get("CLAUDE_CONFIG_DIR", ""), os.environ.get("CLAUDE_CODE_EXECPATH", "")
    return {"pid": os.getppid(), "home": home, "program": program}


def find(data: str, where: str) -> dict[str, object] | None:
    """What the host wrote of the worktree that ``where`` is in."""
    place = os.path.realpath(where)
    while True:
        top = os.path.join(place, ".git")
        if os.path.isfile(top) or os.path.exists(os.path.join(top, "HEAD")):
            name = hashlib.sha256(os.fsencode(place)).hexdigest()[:24]
            found = _json(os.path.join(data, "attached", f"{name}.json"))
            return found if isinstance(found, dict) else None
        above = os.path.dirname(place)
        if above == place:
            return None
        place = above


def _begin(data: str, where: str, said: dict[str, object], event: str, route: dict[str, object] | None) -> str | None:
    """Ask the host to put this session on the board; words for the person, or None to go on with the event itself."""
    session = str(said.get("session_id", ""))
    if route is not None and _goes_on(route, session, said, event):
        return None
    title = os.environ.get("SWITCHBOARD_TITLE") or str(said.get("prompt", ""))[:300]
    asked = {
        "verb": "attach",
        "worktree": where,
        "agent": "claude",
        "title": title,
        "session": session,
        **whose(),
        "force": event == "SessionStart",
    }
    line = _exchange(_socket(data, "host.sock"), json.dumps(asked).encode() + b"\n", SHORT)
    reply = json.loads(line or b"{}")
    if not reply.get("ok") and reply.get("two") and event == "SessionStart":
        return f"Switchboard: {reply['problem']} {reply['fix']}"
    return None if reply.get("ok") else ""


def _goes_on(route: dict[str, object], session: str, said: dict[str, object], event: str) -> bool:
    """The session of this worktree is on the board, and this is it."""
    folder = str(route.get("folder") or "")
    if not folder or route.get("left") or os.path.exists(os.path.join(folder, "ended")):
        return False
    if event == "UserPromptSubmit" or said.get("source") in ("clear", "compact"):
        return True  # its runner knows whether it is the one it listens to
    return route.get("session") in ("", session) or route.get("pid") == os.getppid()


def _tell(data: str, where: str, what: dict[str, object], asking: bool, waits: float) -> None:
    """Give an event to the session's runner, and print what it wants said to the agent."""
    line = json.dumps(what).encode() + b"\n"
    until = time.monotonic() + waits
    while True:
        began = time.monotonic()
        route = find(data, where)
        if route is None or route.get("left"):
            return
        folder = str(route.get("folder") or "")
        try:
            if folder:
                _exchange(_socket(folder, NAME), line, LONG if asking else SHORT, prints=True)
                return
        except TimeoutError:
            return
        except OSError:
            # Its runner has gone, perhaps for a moment: asked again, it is the same question.
            if os.path.exists(os.path.join(folder, "ended")):
                return
            if time.monotonic() > began + 1.0:
                until = time.monotonic() + waits
        if time.monotonic() >= until:
            return
        time.sleep(0.1)


def poke(folder: str) -> None:
    """Have a session's runner look at what was left in its folder."""
    try:
        _exchange(_socket(folder, NAME), b'{"event":"Look","said":{}}\n', SHORT)
    except OSError:
        return


def _print(reply: bytes, sock: socket.socket) -> None:
    """Say it to the agent, and then, to whoever sent it, that it was said."""
    try:
        sys.stdout.write(reply.decode())
        sys.stdout.flush()
        sock.sendall(PRINTED)
    except OSError:
        os._exit(0)  # nobody listens on one side or the other: to ask again would not help


def _exchange(path: str, line: bytes, within: float, *, prints: bool = False) -> bytes:
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(SHORT)
        sock.connect(path)
        sock.sendall(line)
        sock.settimeout(within)
        found = b""
        while not found.endswith(b"\n"):
            more = sock.recv(65536)
            if not more:
                raise ConnectionResetError(path)
            found += more
        found = found.rstrip(b"\n")
        if prints and found:
            _print(found, sock)
        return found
    finally:
        sock.close()


def _socket(folder: str, name: str) -> str:
    path = os.path.join(folder, name)
    try:
        with open(f"{path}.path", "rb") as note:
            return os.fsdecode(note.read())
    except OSError:
        return path


def _json(path: str) -> object:
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001, S110  (the terminal goes on exactly as without us)
        pass
    os._exit(0)
