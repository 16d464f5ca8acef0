from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.slack.scene import Stage, slack_side, workspace


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with workspace(tmp_path / "workspace") as there, slack_side(tmp_path / "bot", there) as stage:
        yield stage
