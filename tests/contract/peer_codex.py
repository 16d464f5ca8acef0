"""Codex, owned, as a peer: the program that codex-acp brings."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from runners.agents.base import Launch
from runners.agents.codex.adapter import CodexAgent
from tests.agents.install import CODEX, NotInstalled, installed
from tests.agents.repos import Worktree
from tests.agents.scripted import Calls, Model
from tests.contract.desk import RecordingDesk
from tests.contract.peers import Choose
from tests.contract.scripted_peer import ScriptedPeer, peer_on

CONFIG = """
model = "scripted"
model_provider = "local"
[model_providers.local]
name = "Scripted"
base_url = "{url}/v1"
wire_api = "responses"
[features]
default_mode_request_user_input = true
"""


def open_peer(folder: Path, worktree: Worktree) -> AbstractAsyncContextManager[ScriptedPeer]:
    try:
        program = str(installed(CODEX).with_name("codex"))
    except NotInstalled as problem:
        pytest.fail(str(problem), pytrace=False)

    def make(model: Model) -> ScriptedPeer:
        home, session = folder / "home", folder / "session"
        for each in (home, session):
            each.mkdir(mode=0o700)
        (home / "config.toml").write_text(CONFIG.format(url=model.url))
        env = {"HOME": str(home), "CODEX_HOME": str(home), "XDG_RUNTIME_DIR": str(home)}

        def agent(desk: RecordingDesk) -> CodexAgent:
            log = session / "agent.log"
            launch = Launch("codex", (program,), worktree.path, log, env, adapter="codex", folder=session)
            return CodexAgent(launch, desk)

        return ScriptedPeer(model, agent, _shell, _question)

    return peer_on(make)


def _shell(command: str) -> Calls:
    asked = {"cmd": command, "sandbox_permissions": "require_escalated", "justification": "Do it?"}
    return Calls("exec_command", asked)


def _question(asked: tuple[Choose, ...]) -> Calls:
    return Calls("request_user_input", {"questions": [_one(n, choose) for n, choose in enumerate(asked)]})


def _one(number: int, choose: Choose) -> dict[str, object]:
    options = [{"label": label, "description": f"{label} it is"} for label in choose.options]
    return {"id": f"q{number}", "header": "Choice", "question": choose.title, "options": options}
