"""The demo agent's ACP side: sessions, prompts, cancel; each prompt plays the session's script from where it stands."""

from __future__ import annotations

import asyncio
import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acp import PROTOCOL_VERSION, RequestError, run_agent, stdio_streams, update_agent_message_text
from acp.interfaces import Client
from acp.schema import (
    AgentCapabilities,
    AuthMethodAgent,
    Implementation,
    InitializeResponse,
    LoadSessionResponse,
    NewSessionResponse,
    PromptResponse,
    StopReason,
    Usage,
)

from runners.agents.demo import faults
from runners.agents.demo.brief import read_answer, read_brief, read_words
from runners.agents.demo.script import Script, ScriptProblem, applies, filled, load, verb
from runners.agents.demo.state import State, States
from runners.agents.demo.steps import Player, Stopped
from runners.agents.demo.stories import story
from runners.agents.demo.workspace import facts

AGENT = Implementation(name="switchboard-demo", title="Demo agent", version="1.0")


@dataclass
class Live:
    """A session in this process. ``turn`` is what cancel ends."""

    state: State
    turn: asyncio.Task[StopReason] | None = None
    tokens: int = 0
    """Spent in the running turn."""
    deaf: list[bool] = field(default_factory=list)


class DemoAgent:
    def __init__(self, states: States, writer: asyncio.StreamWriter) -> None:
        self._states = states
        self._writer = writer
        self._sessions: dict[str, Live] = {}
        self._client: Client | None = None
        path = os.environ.get("SWITCHBOARD_DEMO_SCRIPT")
        self._script = load(Path(path)) if path else None

    def on_connect(self, client: Client) -> None:
        self._client = client

    # --- ACP

    async def initialize(self, protocol_version: int, **_: Any) -> InitializeResponse:
        fault = self._script.at_start if self._script else ""
        await faults.at_start(fault, self._writer)
        return InitializeResponse(
            protocol_version=99 if fault == "version" else PROTOCOL_VERSION,
            agent_capabilities=AgentCapabilities(load_session=True),
            auth_methods=[AuthMethodAgent(id="demo", name="Demo login", description="only in this script")]
            if fault == "login"
            else [],
            agent_info=AGENT,
        )

    async def new_session(self, cwd: str, **_: Any) -> NewSessionResponse:
        if self._script and self._script.at_start == "login":
            raise RequestError.auth_required()
        state = self._states.new(cwd)
        self._sessions[state.id] = Live(state)
        return NewSessionResponse(session_id=state.id)

    async def load_session(self, cwd: str, session_id: str, **_: Any) -> LoadSessionResponse:
        state = self._states.load(session_id)
        if state is None:
            raise RequestError.resource_not_found(session_id)
        state.cwd = cwd
        self._sessions[session_id] = Live(state)
        for words in state.said:
            await self._conn.session_update(session_id, update_agent_message_text(words))
        return LoadSessionResponse()

    async def prompt(self, session_id: str, prompt: list[Any], **_: Any) -> PromptResponse:
        live = self._sessions.get(session_id)
        if live is None:
            raise RequestError.resource_not_found(session_id)
        if live.turn is not None and not live.turn.done():
            raise RequestError.invalid_request({"details": "a turn is running; wait for its end"})
        text = "".join(getattr(block, "text", "") for block in prompt)
        live.turn = asyncio.create_task(self._turn(live, text), name="demo.turn")
        try:
            reason = await live.turn
            return PromptResponse(stop_reason=reason, usage=_usage(live.tokens))
        except asyncio.CancelledError:
            if (here := asyncio.current_task()) and here.cancelling():
                raise
            return PromptResponse(stop_reason="cancelled")

    async def cancel(self, session_id: str, **_: Any) -> None:
        live = self._sessions.get(session_id)
        if live and live.turn and not live.deaf:
            live.turn.cancel()

    # --- a turn

    @property
    def _conn(self) -> Client:
        assert self._client is not None
        return self._client

    async def _turn(self, live: Live, text: str) -> StopReason:
        state = live.state
        player = Player(self._conn, self._writer, state, live.deaf)
        try:
            if not state.started:
                await self._begin(state, text)
            elif state.finished:
                _follow(state, text)
            else:
                state.values["prompt"] = " ".join(text.split())[:2000]
                await player.go_on(_late_answer(state, text))
            return await self._play(state, player)
        except ScriptProblem as problem:
            await player.say(f"{problem}\n")
            state.position = len(state.steps)
            return "end_turn"
        except Stopped as end:
            return end.reason
        finally:
            live.tokens = player.tokens
            await asyncio.to_thread(self._states.save, state)

    async def _begin(self, state: State, prompt: str) -> None:
        brief = read_brief(prompt)
        cwd = Path(state.cwd)
        script = self._script
        if brief.script:
            script = await asyncio.to_thread(load, cwd / brief.script)
        seen = await facts(cwd)
        if script is None:
            script = await asyncio.to_thread(story, brief, cwd, seen)
        _install(
            state, script, {"task": brief.title, "brief": brief.task, "slug": brief.slug, "prompt": prompt, **seen}
        )

    async def _play(self, state: State, player: Player) -> StopReason:
        while state.position < len(state.steps):
            step = state.steps[state.position]
            if applies(step, state.values):
                await asyncio.sleep(state.pace)
                await player.play(verb(step), filled(step, state.values))
            state.position += 1
            await asyncio.to_thread(self._states.save, state)
        return "end_turn"


def _install(state: State, script: Script, values: dict[str, str]) -> None:
    pace = os.environ.get("SWITCHBOARD_DEMO_PACE")
    with contextlib.suppress(ValueError):
        state.pace = float(pace) if pace else script.pace
    state.steps, state.follow = list(script.steps), list(script.follow)
    state.values = {**values, **script.values}
    state.position, state.started = 0, True


def _usage(tokens: int) -> Usage | None:
    return Usage(total_tokens=tokens, input_tokens=tokens, output_tokens=0) if tokens else None


def _follow(state: State, prompt: str) -> None:
    """The story is told; each further prompt plays the follow-up once."""
    words = read_words(prompt)
    short = words if len(words) <= 60 else words[:59].rstrip() + "…"
    state.values |= {"prompt": " ".join(prompt.split())[:2000], "words": words[:2000], "words.short": short}
    state.steps = list(state.follow) or [{"say": "There is nothing more in my script.\n"}]
    state.position = 0


def _late_answer(state: State, prompt: str) -> tuple[str, str] | None:
    """The question at which the story stands may have been answered while this process was gone."""
    step = state.steps[state.position]
    if step.get("ask") not in ("choice", "text"):
        return None
    return read_answer(prompt, filled(step.get("options", []), state.values))


async def serve() -> None:
    reader, writer = await stdio_streams()
    try:
        agent = DemoAgent(States.default(), writer)
    except ScriptProblem as problem:
        raise SystemExit(f"demo agent: {problem}") from problem
    await run_agent(agent, writer, reader, use_unstable_protocol=True)  # type: ignore[arg-type]
