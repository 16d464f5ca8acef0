"""What can be wrong: not installed, too old, not logged in, a wrong model or mode, a failing service, a limit."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runners.agents.base import Trouble
from runners.errors import AgentConfused, AgentDied, AgentError, AgentLoginNeeded, AgentMissing
from tests.agents.codex.conftest import Opening, Stage
from tests.agents.codex.model import Fails, Says
from tests.contract.desk import RecordingDesk

pytestmark = [pytest.mark.agents, pytest.mark.timeout(60)]

OLD = """#!/bin/sh
echo "error: unexpected argument '--listen' found" >&2
exit 2
"""
ENDS = """#!/bin/sh
echo "cannot go on" >&2
exit 3
"""
SILENT = """#!/bin/sh
exec sleep 60
"""


def program(stage: Stage, text: str) -> tuple[str, ...]:
    path = stage.folder / "codex"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)
    return (str(path),)


async def test_it_is_not_installed(open_stage: Opening) -> None:
    async with open_stage() as stage:
        with pytest.raises(AgentMissing, match="npm install -g @openai/codex"):
            await stage.started(RecordingDesk(), argv=("no-such-codex",))
        with pytest.raises(AgentMissing, match=r"working folder .* does not exist"):
            await stage.started(RecordingDesk(), cwd=Path("/no/such/worktree"))


async def test_it_is_too_old_or_ends_or_says_nothing(open_stage: Opening) -> None:
    async with open_stage() as stage:
        with pytest.raises(AgentConfused, match=r"too old to be driven.* Install Codex 0\.166\.0 or newer"):
            await stage.started(RecordingDesk(), argv=program(stage, OLD))
        with pytest.raises(AgentDied, match="ended with exit status 3") as died:
            await stage.started(RecordingDesk(), argv=program(stage, ENDS))
        assert died.value.last_words.endswith("cannot go on")
        with pytest.raises(AgentConfused, match="did not answer within 1 s"):
            await stage.started(RecordingDesk(), argv=program(stage, SILENT), start_timeout=1.0)


async def test_it_needs_a_login(open_stage: Opening) -> None:
    async with open_stage() as stage:
        (stage.home / "config.toml").unlink()
        with pytest.raises(AgentLoginNeeded, match=r"log in on this machine first.* login in a terminal"):
            await stage.started(RecordingDesk())
        with pytest.raises(AgentLoginNeeded, match="Ask Ben"):
            await stage.started(RecordingDesk(), login_hint="Ask Ben.")


async def test_its_model_or_mode_does_not_exist(open_stage: Opening) -> None:
    missing = {"error": {"message": "The model `nope` does not exist", "code": "model_not_found"}}
    async with open_stage(Fails(404, missing), Says("Back.")) as stage:
        with pytest.raises(AgentError, match=r"no mode “wild”.* Choose one of ask,"):
            await stage.started(RecordingDesk(), mode="wild")
        agent, info = await stage.started(RecordingDesk(), model="nope")
        assert info.model == "nope"
        ended = await agent.prompt("Go")
        assert ended.reason == "failed"
        assert ended.detail.startswith("The model `nope` does not exist Name another model")
        assert (await agent.prompt("Go")).last_words == "Back."
        await agent.close()

        (stage.home / "config.toml").unlink()
        (stage.home / "auth.json").write_text('{"auth_mode": "apikey", "OPENAI_API_KEY": "sk-none"}', "utf-8")
        with pytest.raises(AgentError, match=r"does not know the model “nope”\. It offers .*gpt-"):
            await stage.started(RecordingDesk(), model="nope")


async def test_a_failing_service_is_told_and_fails_the_turn(open_stage: Opening) -> None:
    down = Fails(500, {"error": {"message": "down"}})
    async with open_stage(*[down] * 4, Says("Back.")) as stage:
        desk = RecordingDesk()
        agent, _ = await stage.started(desk)
        ended = await agent.prompt("Go")
        assert ended.reason == "failed"
        assert ended.detail
        first, *_, last = desk.of(Trouble)
        assert first.text
        assert last.text == ""


async def test_a_limit_puts_it_to_sleep_until_it_is_lifted(open_stage: Opening) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=3)
    body = {"error": {"type": "usage_limit_reached", "message": "limit", "resets_at": int(soon.timestamp())}}
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(int(soon.timestamp())),
    }
    async with open_stage(Fails(429, body, headers), Fails(429, body), Says("Awake.")) as stage:
        agent, _ = await stage.started(RecordingDesk())
        ended = await agent.prompt("Go")
        assert (ended.reason, ended.until) == ("asleep", soon)
        assert "usage limit" in ended.detail
        ended = await agent.prompt("Go")
        assert ended.reason == "asleep"
        assert (await agent.prompt("Go")).last_words == "Awake."
        await asyncio.sleep(0)
