"""`switchboard revoke this-machine` beside a running `up`: it ends tidily, and the next `up` simply works."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.acceptance.up import ROOT, START_PATIENCE, environment, up


async def test_up_lets_its_own_machine_in_again_after_a_revoke(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with up(data) as running:
        revoke = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "revoke", "this-machine", "--data-dir", str(data)),
            cwd=ROOT,
            env=environment(tmp_path / "home"),
        )
        assert await revoke.wait() == 0
        assert running.process.stdout is not None
        async with asyncio.timeout(START_PATIENCE):
            said = (await running.process.stdout.read()).decode()
            assert await running.process.wait() == 1
        assert "does not accept this host's token" in said
        assert "Traceback" not in said
        assert "ExceptionGroup" not in said
    async with up(data) as again:
        assert "Open http" in again.printed
