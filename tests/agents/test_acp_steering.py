"""Words within a turn, said by a second prompt: heard, or known not to be; never lost, never the turn's end."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runners.agents.acp.adapter import AcpAgent
from runners.agents.base import Launch
from tests.agents import acp_fake
from tests.agents.claude.conftest import soon
from tests.contract.desk import RecordingDesk


@pytest.fixture
def heard(tmp_path: Path) -> Path:
    path = tmp_path / "heard"
    path.touch()
    return path


@pytest.fixture
async def agent(tmp_path: Path, heard: Path) -> AsyncIterator[AcpAgent]:
    argv = (sys.executable, str(Path(acp_fake.__file__)), str(heard))
    agent = AcpAgent(Launch("opencode", argv, tmp_path, tmp_path / "log", profile="opencode"), RecordingDesk())
    await agent.start()
    yield agent
    await agent.close()


async def test_words_that_are_refused_at_once_were_not_said(agent: AcpAgent, heard: Path) -> None:
    turn = asyncio.create_task(agent.prompt("work"))
    await soon(heard.read_text)
    assert not await agent.steer("no")
    assert await agent.steer("enough")
    assert (await turn).reason == "done"
    assert heard.read_text().split("\n") == ["work", "no", "enough", ""]


async def test_words_whose_prompt_fails_are_said_again_and_the_turn_goes_on(agent: AcpAgent, heard: Path) -> None:
    turn = asyncio.create_task(agent.prompt("work"))
    await soon(heard.read_text)
    await agent.steer("no longer that")
    assert (await turn).reason == "done"
    assert heard.read_text().split("\n") == ["work", "no longer that", "no longer that", ""]
