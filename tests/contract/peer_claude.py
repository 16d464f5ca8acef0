"""Claude Code, owned, as a peer: the program that claude-agent-sdk brings."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path

from runners.agents.base import Launch
from runners.agents.claude.adapter import ClaudeAgent
from runners.files import FOLDER
from tests.agents.repos import Worktree
from tests.agents.scripted import Calls, Model
from tests.contract.desk import RecordingDesk
from tests.contract.peers import Choose
from tests.contract.scripted_peer import ScriptedPeer, peer_on


def open_peer(folder: Path, worktree: Worktree) -> AbstractAsyncContextManager[ScriptedPeer]:
    def make(model: Model) -> ScriptedPeer:
        home, session = folder / "home", folder / "session"
        for each in (home, session):
            each.mkdir(mode=0o700)
        env = {
            "HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / ".claude"), "XDG_RUNTIME_DIR": str(home),
            "ANTHROPIC_BASE_URL": model.url, "ANTHROPIC_API_KEY": "sk-ant-scripted",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "CLAUDE_CODE_MAX_RETRIES": "1", FOLDER: str(session),
        }  # fmt: skip

        def agent(desk: RecordingDesk) -> ClaudeAgent:
            log = session / "agent.log"
            return ClaudeAgent(Launch("claude", (), worktree.path, log, env, adapter="claude", folder=session), desk)

        return ScriptedPeer(model, agent, _shell, _question)

    return peer_on(make)


def _shell(command: str) -> Calls:
    return Calls("Bash", {"command": command, "description": "Does it"})


def _question(asked: tuple[Choose, ...]) -> Calls:
    return Calls("AskUserQuestion", {"questions": [_one(choose) for choose in asked]})


def _one(choose: Choose) -> dict[str, object]:
    options = [{"label": label, "description": f"{label} it is"} for label in choose.options]
    return {"question": choose.title, "header": "Choice", "multiSelect": choose.multiple, "options": options}
