"""A runner's part in a process of its own, to be killed: python -m tests.agents.codex.victim FOLDER PROMPT MODE

Prints the session's id, and the key of each question.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from runners.agents.base import Inquiry
from tests.agents.codex.conftest import Stage
from tests.agents.codex.model import Model
from tests.agents.repos import Worktree
from tests.contract.desk import RecordingDesk


def tell(*words: str) -> None:
    print(*words, flush=True)


class Teller(RecordingDesk):
    async def ask(self, inquiry: Inquiry):
        tell("asked", inquiry.key)
        return await super().ask(inquiry)


async def main(folder: Path, prompt: str, mode: str) -> None:
    stage = Stage(folder, Model(()), Worktree(folder / "repo", folder / "work"))
    agent, info = await stage.started(Teller(), mode=mode)
    tell("session", info.session)
    tell("ended", (await agent.prompt(prompt)).reason)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
