"""Machines come and go: what the command line next to the bot decides is felt at once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.acceptance.parts import Parts, parts


async def switchboard(running: Parts, *argv: str) -> tuple[int, str]:
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", *argv),
        env={**running.env, "SWITCHBOARD_DATA_DIR": str(running.root / "bot")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await run.communicate()
    return run.returncode or 0, out.decode()


async def test_a_revoked_machine_is_out_at_once_and_can_be_let_in_again(tmp_path: Path) -> None:
    async with parts(tmp_path) as running, running.workspace.person("ana") as ana:
        status, said = await switchboard(running, "revoke", "lptop")
        assert status == 1
        assert "Enrolled: laptop" in said

        status, said = await switchboard(running, "revoke", "laptop")
        assert status == 0, said
        assert await running.gone("host") == 1
        assert "switchboard enroll" in (tmp_path / "host.log").read_text()
        await ana.types("/session", "start repo=playback Anything")
        await ana.sees_text("switchboard host")

        (tmp_path / "host.token").unlink()
        await running.start_host()
        await ana.types("/session", "start repo=playback name=again Anything")
        await ana.sees_text("*again*")
        status, said = await switchboard(running, "sessions")
        assert status == 0
        assert "switchboard/again" in said


async def test_enrolling_says_that_a_loopback_address_is_of_no_use_elsewhere(tmp_path: Path) -> None:
    async with parts(tmp_path) as running:
        status, said = await switchboard(
            running, "enroll", "desk", "--owner", "U0123ABC", "--token-file", str(tmp_path / "desk.token")
        )
    assert status == 0, said
    assert "on this machine alone" in said
    assert "SWITCHBOARD_LISTEN" in said
