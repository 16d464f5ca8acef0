"""Scripts ask people: `switchboard ask` from a repository the host knows, to the board and back."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.parts import Parts, parts
from tests.acceptance.people import Person, has_button, words
from tests.acceptance.story import git

pytestmark = [pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@asynccontextmanager
async def script(running: Parts, *argv: str, cwd: Path | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", "ask", *argv),
        cwd=cwd or running.repo,
        env={**running.env, "SWITCHBOARD_HOST_DATA": str(running.root / "host")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def board(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Parts, Person]]:
    async with parts(tmp_path_factory.mktemp("board")) as running, running.workspace.person("ana") as ana:
        yield running, ana


async def test_a_script_gets_the_answer_and_nothing_else_on_its_output(board: tuple[Parts, Person]) -> None:
    running, ana = board
    async with script(running, "Which region?", "-o", "eu", "-o", "us", "--context", "Costs are equal.") as process:
        card = await ana.sees(lambda m: has_button(m, "us"), "the script's question")
        assert "Which region?" in words(card)
        assert "Costs are equal." in words(card)
        await ana.clicks(card, "us")
        out, _ = await process.communicate()
        assert (process.returncode, out.decode()) == (0, "us\n")
    assert git(running.repo, "status", "--porcelain") == ""
    await ana.sees(lambda m: "Which region?" in words(m) and not has_button(m, "us"), "the settled card")


async def test_ctrl_c_takes_the_question_back(board: tuple[Parts, Person]) -> None:
    running, ana = board
    async with script(running, "Deploy now?", "-o", "yes", "-o", "no") as process:
        card = await ana.sees(lambda m: has_button(m, "yes"), "the question")
        process.send_signal(signal.SIGINT)
        await process.communicate()
        assert process.returncode == 130
        await ana.sees(lambda m: m["ts"] == card["ts"] and not has_button(m, "yes"), "the card, withdrawn")


async def test_a_folder_that_no_host_knows_is_told_what_to_do(tmp_path: Path, board: tuple[Parts, Person]) -> None:
    running, _ = board
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    async with script(running, "Anybody?", cwd=elsewhere) as process:
        out, err = await process.communicate()
        assert process.returncode == 5
        assert out == b""
        assert "Traceback" not in err.decode()
        assert str(elsewhere) in err.decode()
