"""Plays the steps of a script: each is a real edit, commit, command, question or fault."""

from __future__ import annotations

import asyncio
import json
import shlex
import uuid
from pathlib import Path
from typing import Any

import watchfiles
from acp import (
    RequestError,
    plan_entry,
    start_tool_call,
    tool_diff_content,
    update_agent_message_text,
    update_plan,
    update_tool_call,
)
from acp.helpers import update_agent_thought_text
from acp.interfaces import Client
from acp.schema import Cost, PlanEntryStatus, StopReason, UsageUpdate

from runners.agents.demo import faults, workspace
from runners.agents.demo.questions import Questions
from runners.agents.demo.script import ScriptProblem
from runners.agents.demo.state import State

Step = dict[str, Any]
_STOP_REASONS: dict[str, StopReason] = {
    "done": "end_turn",
    "refused": "refusal",
    "limit": "max_tokens",
    "cancelled": "cancelled",
}


class Stopped(Exception):
    """The turn ends here; the story goes on with the next prompt."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Player:
    """Plays one turn of one session."""

    def __init__(self, client: Client, writer: asyncio.StreamWriter, state: State, deaf: list[bool]) -> None:
        self._client, self._writer, self._state, self._deaf = client, writer, state, deaf
        self._cwd = Path(state.cwd)
        self._questions = Questions(client, state)
        self.tokens = 0
        """Spent in this turn, as its script says."""

    async def play(self, verb: str, step: Step) -> None:
        await getattr(self, "_several" if verb == "questions" else f"_{verb}")(step)

    async def say(self, words: str) -> None:
        self._state.said = [*self._state.said[-49:], words]
        await self._tell(update_agent_message_text(words))

    async def go_on(self, answer: tuple[str, str] | None) -> None:
        """The story was interrupted at its current step, which may have been answered meanwhile."""
        if answer is None:
            await self.say("I go on where I was.\n")
            return
        step = self._state.steps[self._state.position]
        await self.say(f"Thank you: {answer[1]}. I go on with that.\n")
        self._questions.note(step.get("name", ""), *answer)
        self._state.position += 1

    async def _tell(self, update: Any) -> None:
        await self._client.session_update(self._state.id, update)

    # --- what an agent does

    async def _say(self, step: Step) -> None:
        if step.get("thought"):
            await self._tell(update_agent_thought_text(step["say"]))
        else:
            await self.say(step["say"])

    async def _plan(self, step: Step) -> None:
        done, active = step.get("done", 0), step.get("active", 0)
        entries = []
        for number, title in enumerate(step["plan"], 1):
            status: PlanEntryStatus = (
                "completed" if number <= done else "in_progress" if number == active else "pending"
            )
            entries.append(plan_entry(title, status=status))
        await self._tell(update_plan(entries))

    async def _read(self, step: Step) -> None:
        call = self._call_id()
        path = str((self._cwd / step["read"]).resolve())
        title = "Look around" if step["read"] == "." else f"Read {step['read']}"
        await self._tell(start_tool_call(call, title, kind="read", locations=[_place(path)]))
        await self._tell(update_tool_call(call, status="completed"))

    async def _edit(self, step: Step) -> None:
        name, call = step["edit"], self._call_id()
        path, before, after = await asyncio.to_thread(
            workspace.edit,
            self._cwd,
            name,
            step.get("text", ""),
            append=step.get("append", False),
            replace=step.get("replace", ""),
            head=step.get("head", ""),
        )
        self._state.edited = [*self._state.edited, name]
        await self._tell(start_tool_call(call, f"Edit {name}", kind="edit", locations=[_place(str(path))]))
        content = [tool_diff_content(str(path), after, before)]
        await self._tell(update_tool_call(call, status="completed", content=content))

    async def _commit(self, step: Step) -> None:
        call = self._call_id()
        await self._tell(start_tool_call(call, f"Commit “{step['commit']}”", kind="execute"))
        try:
            paths = step.get("paths", self._state.edited)
            sha = await workspace.commit(self._cwd, step["commit"], step.get("body", ""), paths)
        except ScriptProblem:
            await self._tell(update_tool_call(call, status="failed"))
            raise
        await self._tell(update_tool_call(call, status="completed"))
        self._state.values["commit"] = sha
        self._state.edited = []

    async def _run(self, step: Step) -> None:
        call, command, name = self._call_id(), step["run"], step.get("name", "")
        argv = command if isinstance(command, list) else ["sh", "-c", command]
        shown = shlex.join(command) if isinstance(command, list) else command
        await self._tell(start_tool_call(call, shown, kind="execute", raw_input={"command": shown}))
        ran = await workspace.run(self._cwd, *argv)
        await self._tell(update_tool_call(call, status="completed" if ran.status == 0 else "failed"))
        if name:
            tail = ran.output.splitlines()[-1][:200] if ran.output else ""
            how = "passed" if ran.status == 0 else f"ended with exit status {ran.status}"
            self._state.values |= {
                f"{name}.status": str(ran.status),
                f"{name}.output": ran.output[-2000:],
                f"{name}.told": f"`{shown}` {how}" + (f": {tail}" if tail else "."),
            }

    # --- what an agent leaves to its host

    async def _host_read(self, step: Step) -> None:
        path, name = str(self._cwd / step["host_read"]), step.get("name", "read")
        try:
            found = await self._client.read_text_file(
                self._state.id, path, line=step.get("line"), limit=step.get("limit")
            )
            self._state.values[name] = found.content
        except RequestError as refusal:
            self._state.values[name] = f"refused ({refusal.code}): {refusal}"

    async def _host_write(self, step: Step) -> None:
        path, name = str(self._cwd / step["host_write"]), step.get("name", "write")
        try:
            await self._client.write_text_file(self._state.id, path, step.get("text", ""))
            self._state.values[name] = "written"
        except RequestError as refusal:
            self._state.values[name] = f"refused ({refusal.code}): {refusal}"

    async def _host_run(self, step: Step) -> None:
        """``leave``: goes on beside the turn; ``kill``: ended at once."""
        name, here = step.get("name", "ran"), self._state.id
        cwd = str(self._cwd / step["cwd"]) if "cwd" in step else None
        try:
            made = await self._client.create_terminal(
                here, step["host_run"], step.get("args"), cwd=cwd, output_byte_limit=step.get("limit")
            )
            if step.get("leave"):
                return
            if step.get("kill"):
                await self._client.kill_terminal(here, made.terminal_id)
            ended = await self._client.wait_for_terminal_exit(here, made.terminal_id)
            told = await self._client.terminal_output(here, made.terminal_id)
            await self._client.release_terminal(here, made.terminal_id)
            how = ended.signal or ended.exit_code
            self._state.values |= {name: told.output, f"{name}.status": str(how), f"{name}.cut": str(told.truncated)}
        except RequestError as refusal:
            self._state.values[name] = f"refused ({refusal.code}): {refusal}"

    async def _usage(self, step: Step) -> None:
        cost = Cost(amount=float(step["cost"]), currency="USD") if "cost" in step else None
        used = int(step["usage"])
        update = UsageUpdate(session_update="usage_update", used=used, size=max(used, 200_000), cost=cost)
        self.tokens += int(step.get("tokens", 0))
        await self._tell(update)

    # --- what an agent asks

    async def _ask(self, step: Step) -> None:
        if not await self._questions.ask(step, self._call_id()):
            raise Stopped("cancelled")

    async def _parallel(self, step: Step) -> None:
        asked = [self._questions.ask(question, self._call_id()) for question in step["parallel"]]
        if not all(await asyncio.gather(*asked)):
            raise Stopped("cancelled")

    async def _several(self, step: Step) -> None:
        if not await self._questions.several(step.get("message", ""), step["questions"]):
            raise Stopped("cancelled")

    async def _form(self, step: Step) -> None:
        content = await self._questions.form(step.get("message", ""), step["form"])
        self._state.values[step.get("name", "form")] = json.dumps(content, ensure_ascii=False, sort_keys=True)

    # --- what an agent should not do

    async def _wait(self, step: Step) -> None:
        """Until the file exists; somebody else makes it."""
        path = (self._cwd / step["wait"]).resolve()
        async for _ in watchfiles.awatch(path.parent, yield_on_timeout=True, rust_timeout=200):
            if path.exists():
                return

    async def _burst(self, step: Step) -> None:
        for number in range(int(step["burst"])):
            if step.get("kind") == "tool":
                await self._tell(start_tool_call(self._call_id(), f"Step {number}", kind="other", status="completed"))
            else:
                await self._tell(update_agent_message_text(step.get("text", "{n} ").replace("{n}", str(number))))

    async def _flood(self, step: Step) -> None:
        await faults.flood(int(step["flood"]))

    async def _garbage(self, step: Step) -> None:
        await faults.garbage(self._writer, step["garbage"], int(step.get("times", 1)))

    async def _huge(self, step: Step) -> None:
        await faults.huge(self._writer, int(step["huge"]))

    async def _crash(self, step: Step) -> None:
        faults.crash(int(step["crash"]), f"the demo agent crashes ({step['crash']}), as its script says")

    async def _hang(self, step: Step) -> None:
        if step["hang"] == "deaf":
            self._deaf.append(True)
            await self.say("(I hear nothing any more.)")
        await faults.forever()

    async def _spawn(self, step: Step) -> None:
        """A grandchild that inherits our pipes and outlives us."""
        process = await asyncio.create_subprocess_exec("sh", "-c", step["spawn"])
        self._state.values["spawned"] = str(process.pid)

    async def _end(self, step: Step) -> None:
        self._state.position += 1
        raise Stopped(_STOP_REASONS.get(step["end"], "end_turn"))

    async def _fail(self, step: Step) -> None:
        """The model's service refuses; the next prompt goes on after it."""
        self._state.position += 1
        raise RequestError(-32603, "Internal error", {"details": step["fail"]})

    def _call_id(self) -> str:
        return f"call-{uuid.uuid4().hex[:12]}"


def _place(path: str) -> Any:
    from acp.schema import ToolCallLocation

    return ToolCallLocation(path=path)
