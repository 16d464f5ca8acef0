"""The warm parent: everything imported, forks a runner in milliseconds; no loop, thread or database before the fork.

Speaks lines of JSON on an inherited socket with its host, and ends with it; the runners it forked live on.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

from runners.files import LOG
from runners.host import entry


def _reap(_number: int, _frame: FrameType | None) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(host: socket.socket) -> None:
    """Fork a runner for each folder named, until the host is gone."""
    entry.import_adapters()
    signal.signal(signal.SIGCHLD, _reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the host's to handle
    gc.collect()
    gc.freeze()
    with host, host.makefile("rb") as lines:
        for line in lines:
            reply = _fork(Path(json.loads(line)["folder"]), host.fileno())
            try:
                host.sendall(json.dumps(reply).encode() + b"\n")
            except OSError:
                return


def _fork(folder: Path, host_fd: int) -> dict[str, int | bool]:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _become_runner(folder, write, host_fd)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        ready = pipe.read(len(entry.READY)) == entry.READY
    return {"pid": pid, "ready": ready}


def _become_runner(folder: Path, ready_fd: int, host_fd: int) -> None:
    status = 1
    try:
        os.setsid()
        os.close(host_fd)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        null, out = (
            os.open(os.devnull, os.O_RDONLY),
            os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        )
        os.dup2(null, 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        status = entry.run_runner(folder, ready_fd)
    finally:
        sys.stderr.flush()
        os._exit(status)  # never back into the parent's code


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
