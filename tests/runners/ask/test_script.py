"""``switchboard ask`` as a script runs it: the real command against a door."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.wire.types import Urgency
from runners.ask.script import Misused, Wanted, plan
from runners.files import FOLDER
from tests.runners.ask.desk import House, People, house

WITHIN = 30.0


async def started(folder: Path | None, *args: str, **env: str) -> Process:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SWITCHBOARD_")}
    found = inherited | ({FOLDER: str(folder)} if folder else {}) | env
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.cli", "ask", *args, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=found
    )


async def ended(process: Process, said: bytes | None = None) -> tuple[int, str, str]:
    async with asyncio.timeout(WITHIN):
        out, err = await process.communicate(said)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def asked(found: House, *args: str) -> AsyncIterator[Process]:
    """The command, once its question is with the people and it waits there."""
    process = await started(found.folder, *args)
    waiting = asyncio.create_task(found.people.until(lambda: found.people.waiting > 0))
    gone = asyncio.create_task(process.wait())
    await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    gone.cancel()
    yield process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_only_the_answer_is_printed(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        async with asked(
            found, "Which region?", "-o", "eu", "-o", "us", "--recommend", "eu", "--context", "EU costs."
        ) as cli:
            question = await found.people.question()
            asked_for = found.people.asked[question]
            assert (asked_for.context, asked_for.allow_text) == ("EU costs.", False)
            assert [option.recommended for option in asked_for.options] == [True, False]
            await found.people.answer(question, "us", "cheaper")
            assert await ended(cli) == (0, "us\n", "switchboard ask: cheaper\n")
        async with asked(found, "Which region?", "-o", "eu", "-o", "us", "--recommend", "eu", "--expect", "eu") as cli:
            second = await found.people.question(2)  # a script that runs again asks anew
            await found.people.answer(second, "us")
            assert (await ended(cli))[:2] == (1, "us\n")


async def test_context_from_standard_input_several_options_and_json(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        cli = await started(
            tmp_path, "Which pages?", "-o", "a", "-o", "b", "-o", "c", "--multiple", "--context", "-", "--json"
        )
        running = asyncio.create_task(ended(cli, b" 3 files changed\n"))
        question = await found.people.question()
        assert found.people.asked[question].context == " 3 files changed\n"
        await found.people.until(lambda: found.people.waiting == 1)
        await found.people.answer(question, more=("a", "c"))
        code, out, _ = await running
        assert code == 0
        assert json.loads(out)["labels"] == ["a", "c"]


async def test_a_parked_question_is_the_same_when_the_command_runs_again(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        code, out, err = await ended(await started(tmp_path, "What is it called?", "--no-wait"))
        assert (code, out) == (3, "")
        assert "Run the same command again" in err
        assert (await ended(await started(tmp_path, "What is it called?", "--park", "1s")))[0] == 3
        await found.people.answer(await found.people.question(), text="Bluebird")
        assert await ended(await started(tmp_path, "What is it called?")) == (0, "Bluebird\n", "")
        assert len(found.people.asked) == 1


async def test_a_default_waits_for_objections_or_goes_on_at_once(tmp_path: Path) -> None:
    line = ("Which region?", "-o", "eu", "-o", "us", "--default", "eu", "--within", "30m")
    async with house(tmp_path) as found:
        async with asked(found, *line) as cli:
            question = await found.people.question()
            assert found.people.asked[question].urgency is Urgency.ASSUMED
            await found.people.answer(question, "us")
            assert await ended(cli) == (0, "us\n", "")
        code, out, err = await ended(await started(tmp_path, *line, "--no-wait"))
        assert (code, out) == (0, "eu\n")
        assert "unless somebody objects" in err


async def test_nobody_in_time_withdraws_the_question(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        code, out, err = await ended(await started(tmp_path, "Deploy?", "-o", "yes", "-o", "no", "--within", "1s"))
        assert (code, out, "Nobody answered within 1s" in err) == (4, "", True)
        assert list(found.people.withdrawn.values()) == ["nobody answered within 1s"]


async def test_ctrl_c_withdraws_and_force_does_not(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        async with asked(found, "Deploy?") as cli:
            cli.send_signal(signal.SIGTERM)
            assert (await ended(cli))[:2] == (3, "")
            assert found.people.withdrawn == {}
        async with asyncio.timeout(WITHIN):
            await found.people.idle.wait()
        async with asked(found, "Deploy?") as cli:
            cli.send_signal(signal.SIGINT)
            assert await ended(cli) == (130, "", "switchboard ask: Interrupted; the question is withdrawn.\n")
            assert list(found.people.withdrawn.values()) == ["its script was interrupted"]
        assert len(found.people.asked) == 1


async def test_a_runner_that_restarts_meanwhile_costs_nothing(tmp_path: Path) -> None:
    people = People()
    async with house(tmp_path, people) as found:
        cli = await started(tmp_path, "Deploy?")
        await people.until(lambda: people.waiting == 1)
        first = found.door.url
    async with house(tmp_path, people) as found:
        assert found.door.url == first
        await people.until(lambda: people.waiting == 1)
        await people.answer(await people.question(), text="yes")
        assert await ended(cli) == (0, "yes\n", "")
    assert len(people.asked) == 1


async def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    async with house(tmp_path) as found:
        for args, words in [
            ((" ",), "is empty"),
            (("Which?", "-o", "a", "-o", "a"), "stands there twice"),
            (("Which?", *(f"-o{n}" for n in range(40))), "offer at most 25"),
            (("Which?", "--context", "x" * 30_000), "at most 20000"),
        ]:
            code, out, err = await ended(await started(tmp_path, *args))
            assert (code, out, words in err) == (2, "", True), err
        assert not found.people.asked


async def test_a_session_that_is_over_or_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "ended").write_bytes(b"")
    code, _, err = await ended(await started(tmp_path, "Deploy?"))
    assert (code, "The session has ended" in err) == (4, True)
    code, _, err = await ended(await started(tmp_path / "nowhere", "Deploy?"))
    assert (code, "is gone" in err) == (5, True)


async def test_what_is_no_text_is_named(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    async with house(tmp_path) as found:
        for args, said, name in (
            ((odd,), None, "The question"),
            (("Q?", "-o", odd), None, "--option"),
            (("Q?", "--context", odd), None, "--context"),
            (("Q?", "--id", odd), None, "--id"),
            (("Q?", "--context", "-"), b"\xff", "--context"),
        ):
            process = await started(found.folder, *args, PYTHONUTF8="1")
            code, out, err = await ended(process, said)
            assert (code, out) == (2, "")
            assert f"{name} is not UTF-8 text" in err
        assert not found.people.asked


async def test_without_a_session_and_a_host_the_fix_is_named(tmp_path: Path) -> None:
    code, out, err = await ended(await started(None, "Deploy?", SWITCHBOARD_HOST_DATA=str(tmp_path)))
    assert (code, out) == (5, "")
    assert "No host runs on this machine" in err
    assert "In CI, run the job on a machine with a host" in err


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"default": "a"}, "--default needs --within"),
        ({"default": "c", "within": "5m", "options": ("a", "b")}, "none of the options"),
        ({"recommend": "c", "options": ("a", "b")}, "none of the options"),
        ({"expect": "c", "options": ("a", "b")}, "none of the options"),
        ({"within": "soon"}, "--within soon: a time is written as"),
        ({"park": "soon"}, "--park soon"),
        ({"multiple": True}, "needs some --option"),
    ],
)
def test_options_that_do_not_go_together(wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(Misused, match=words):
        plan(Wanted("Which?", **wanted), "")


@pytest.mark.parametrize(
    ("wanted", "wait", "parks"),
    [
        ({}, None, False),
        ({"within": "5m"}, 300, False),
        ({"within": "5m", "default": "a"}, None, False),
        ({"park": "1m"}, 60, True),
        ({"park": "1m", "within": "5m"}, 60, True),
        ({"park": "10m", "within": "5m"}, 300, False),
        ({"park": "1m", "within": "5m", "default": "a"}, 60, True),
        ({"wait": False}, 0, True),
    ],
)
def test_how_long_it_waits(wanted: dict[str, Any], wait: float | None, parks: bool) -> None:
    found = plan(Wanted("Which?", **wanted), "")
    assert (found.wait, found.parks) == (wait, parks)
