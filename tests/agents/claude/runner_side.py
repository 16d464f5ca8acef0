"""A runner's side that is there to be killed: starts Claude Code, gives it a prompt, and never answers.

python -m tests.agents.claude.runner_side LAUNCH-JSON PROMPT; prints a line for each thing a test waits for.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from runners.agents.base import Launch
from runners.agents.claude.adapter import ClaudeAgent
from tests.contract.desk import RecordingDesk


async def main(words: str, prompt: str, questions: int) -> None:
    given = json.loads(words)
    paths = {name: Path(given.pop(name)) for name in ("cwd", "log", "folder")}
    desk = RecordingDesk()
    agent = ClaudeAgent(Launch(argv=(), adapter="claude", **paths, **given), desk)
    print("session", (await agent.start()).session, flush=True)
    turn = asyncio.create_task(agent.prompt(prompt))
    if questions:
        await desk.question(questions)
        print("asked", *[question.inquiry.key for question in desk.open], flush=True)
    await turn
    print("ended", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
