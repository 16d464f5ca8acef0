"""Claude Code in a terminal as a peer: the hooks that it runs, in its order, are all that is heard of it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.wire.types import Ability
from runners.agents.attach.hooked import HookedAgent
from runners.agents.base import Agent, Launch, TurnEnded
from runners.attach import record, settings
from runners.attach.record import Record
from tests.agents.repos import Worktree
from tests.contract.desk import RecordingDesk
from tests.contract.peers import Ask, Choose, Run, Say, Step

SESSION = "c1"


class Attached:
    promises = frozenset((Ability.STEER, Ability.ADOPT))

    def __init__(self, folder: Path, worktree: Worktree) -> None:
        self._data, self._session, self._worktree = folder / "data", folder / "data" / "sessions" / "s1", worktree
        self._turns: deque[tuple[Step, ...]] = deque()
        self._heard: list[str] = []
        self._calls = 0
        self.agents: list[Agent] = []
        self._session.mkdir(parents=True)
        place = {"worktree": str(worktree.path), "repo": "playback", "branch": "by-hand"}
        known = Record("a1", "claude", **place, session=SESSION, pid=os.getpid(), folder=str(self._session))
        record.write(self._data, known)
        record.write_own(self._session, known)

    def play(self, *turns: tuple[Step, ...]) -> None:
        self._turns.extend(turns)

    def agent(self, desk: RecordingDesk) -> Agent:
        launch = Launch("claude", (), self._worktree.path, self._session / "log", folder=self._session)
        self.agents.append(HookedAgent(launch, desk))
        return self.agents[-1]

    def heard(self) -> str:
        return "\n".join(self._heard)

    async def turn(self, agent: Agent, text: str) -> TurnEnded:
        self._note(await self._hook("UserPromptSubmit", prompt=text))
        words = ""
        for step in self._turns.popleft():
            match step:
                case Say(text=words):
                    pass
                case Run(command=command):
                    if await self._call("Bash", {"command": command}) is not None:
                        subprocess.run(command, shell=True, cwd=self._worktree.path, check=True)  # noqa: ASYNC221
                case Choose():
                    await self._call("AskUserQuestion", {"questions": [_question(step)]})
                case Ask(questions=questions):
                    await self._call("AskUserQuestion", {"questions": [_question(each) for each in questions]})
        while (more := await self._hook("Stop", last_assistant_message=words)).get("decision") == "block":
            self._note(more)
        return await agent.rejoin()

    async def _call(self, tool: str, given: dict[str, Any]) -> dict[str, Any] | None:
        """A tool call that leave is asked for; its input where it was given."""
        self._calls += 1
        call = {"tool_name": tool, "tool_input": given}
        await self._hook("PreToolUse", **call, tool_use_id=f"t{self._calls}")
        said = await self._hook("PermissionRequest", **call)
        self._note(said)
        decision = said.get("hookSpecificOutput", {}).get("decision", {})
        if decision.get("behavior") != "allow":
            return None
        await self._hook("PostToolUse", **call, tool_use_id=f"t{self._calls}", tool_response={})
        return dict(decision.get("updatedInput") or given)

    def _note(self, said: dict[str, Any]) -> None:
        self._heard.append(json.dumps(said))

    async def _hook(self, event: str, **said: Any) -> dict[str, Any]:
        """What its settings name is run as Claude Code runs it: JSON in, JSON out."""
        [group] = settings.ours(self._data)["hooks"][event]
        where = str(self._worktree.path)
        process = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", group["hooks"][0]["command"]),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=where,
            env={"PATH": os.environ["PATH"], "CLAUDE_PROJECT_DIR": where},
        )  # fmt: skip
        given = {"hook_event_name": event, "session_id": SESSION, "cwd": where, **said}
        out, err = await process.communicate(json.dumps(given).encode())
        assert (process.returncode, err) == (0, b"")
        found: dict[str, Any] = json.loads(out) if out else {}
        return found


@asynccontextmanager
async def open_peer(folder: Path, worktree: Worktree) -> AsyncIterator[Attached]:
    peer = await asyncio.to_thread(Attached, folder, worktree)
    try:
        yield peer
    finally:
        for agent in peer.agents:
            await agent.close()


def _question(choose: Choose) -> dict[str, Any]:
    options = [{"label": label, "description": f"{label} it is"} for label in choose.options]
    return {"question": choose.title, "header": "Choice", "multiSelect": choose.multiple, "options": options}
