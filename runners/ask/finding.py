"""Whose question it is: the session this process runs in, that of its worktree, or a new one on the board. Blocking."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from runners.errors import RunnerError
from runners.files import FOLDER

SCRIPT = "script"
"""The agent of a session that a script brought on the board."""
BOARD_WITHIN = 20.0
"""Seconds the bot gets to take a session."""


class Nobody(RunnerError):
    """Nobody can be asked from here."""


def find(
    env: Mapping[str, str], worktree: Path, data_dir: Path | None, title: str, note: Callable[[str], None]
) -> Path:
    """The folder of a session whose people can be asked. Raises Nobody, with what to do."""
    if inside := env.get(FOLDER, ""):
        folder = Path(inside)
        if folder.is_dir():
            return folder
        raise Nobody(f"The session that this process belongs to is gone ({FOLDER}={inside}).", "Start a new one.")
    # Only now: inside a session nothing of this is needed.
    from runners.attach import control

    try:
        data = control.living(data_dir, env)
        reply = control.call(data, control.Request("find", worktree=str(worktree)))
        if not reply.get("folder"):
            note("No session works here; asking the host to put this script on the board.")
            wanted = control.Request(
                "attach",
                worktree=str(worktree),
                agent=SCRIPT,
                title=title,
                attach=f"script-{uuid.uuid4().hex[:16]}",
                wait=BOARD_WITHIN,
            )
            reply = control.call(data, wanted)
    except RunnerError as err:
        raise Nobody(
            f"Nobody can be asked from here: {err.problem}",
            f"{err.fix}\nInside a Switchboard session it works by itself. In CI, run the job on a machine with a host, "
            "or do not ask there.",
        ) from err
    if folder_of := reply.get("folder"):
        return Path(str(folder_of))
    raise Nobody(f"Nobody can be asked from here: {reply.get('problem', 'the host knows no session here.')}",
                 str(reply.get("fix", "")))  # fmt: skip
