"""Figures of the main job, each beside a floor from the same run: `python -m bench.main_job` prints them as a table.

The floor is a bare Bolt app (bench/bare_bolt.py) on the same embedded workspace, doing only the Slack call.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.table import Table

from bench.peers import connected
from bot.slack.manifest import manifest
from bot.up.children import child
from bot.wire.messages import Asked, DeliverAnswer, HostDescribed, SessionChanged, SessionPlaced, StartSession
from bot.wire.types import (
    AgentOffer,
    Option,
    Place,
    Question,
    QuestionId,
    QuestionKind,
    RepoOffer,
    RunState,
)
from tests.acceptance.people import Person, Workspace, words
from tests.acceptance.up import environment, up

ROUNDS = 60
IDLE_SECONDS = 20
SESSIONS = 20
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


async def timed(rounds: int, one: Callable[[int], Awaitable[float]]) -> list[float]:
    """Seconds of each round, in order, after three that warm up."""
    return [await one(number) for number in range(rounds + 3)][3:]


async def floor(work: Path) -> dict[str, list[float]]:
    """post: a message asks for a post → the post is seen; click: a click → the edit is seen."""
    async with AsyncExitStack() as stack:
        ready = await workspace(stack, work)
        env = {**os.environ, "SLACK_BOT_TOKEN": ready["bot_token"], "SLACK_APP_TOKEN": ready["app_token"]}
        env["SLACK_API_URL"] = ready["api"]
        await stack.enter_async_context(
            child("bare bolt", [sys.executable, "-m", "bench.bare_bolt"], work / "bolt.log", env)
        )
        ana = await person(stack, ready)

        async def post(number: int) -> float:
            begun = time.perf_counter()
            await ana.says(f"post {number}")
            await ana.sees(lambda m: m.get("text") == f"asked {number}")
            return time.perf_counter() - begun

        async def click(number: int) -> float:
            message = await ana.sees(lambda m: m.get("text") == f"asked {number}")
            begun = time.perf_counter()
            pressed = asyncio.ensure_future(ana.clicks(message, "Yes"))
            await ana.sees(lambda m: m["ts"] == message["ts"] and m.get("text") == "answered")
            took = time.perf_counter() - begun
            await pressed
            return took

        return {"post": await timed(ROUNDS, post), "click": await timed(ROUNDS, click)}


async def switchboard(work: Path) -> dict[str, list[float]]:
    """ask: a runner asks → its card is seen; click: a click → the runner has the answer; edit: → the card shows it."""
    async with AsyncExitStack() as stack:
        ready = await workspace(stack, work)
        env = {**os.environ, "SLACK_BOT_TOKEN": ready["bot_token"], "SLACK_APP_TOKEN": ready["app_token"]}
        env |= {
            "SLACK_API_URL": ready["api"],
            "SWITCHBOARD_DATA_DIR": str(work / "bot"),
            "SWITCHBOARD_LISTEN": "127.0.0.1:0",
        }
        env |= {"SWITCHBOARD_CHANNEL": "sessions", "SWITCHBOARD_DIGEST": "off"}
        bot = await stack.enter_async_context(
            child("bot", [sys.executable, "-m", "bot.cli", "serve"], work / "bot.log", env)
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        ana = await person(stack, ready)
        admin = {"Authorization": f"Bearer {(work / 'bot' / 'admin.token').read_text().strip()}"}
        async with http.post(
            f"{bot.ready['url']}/admin/hosts", json={"name": "bench", "owner": ana.id}, headers=admin
        ) as answer:
            token = (await answer.json())["token"]
        host = await stack.enter_async_context(connected(http, bot.ready["url"], token, "host", "bench"))
        await host.tell(HostDescribed((RepoOffer("r", "main", agent="a", channel="sessions"),), (AgentOffer("a"),)))
        await ana.types("/session", "start repo=r Measure")
        start = await host.commands.get()
        assert isinstance(start, StartSession)
        spec = start.spec
        await host.tell(SessionPlaced(Place(spec.branch, "/w", "main", "0" * 40, "a")), spec.session)
        runner = await stack.enter_async_context(
            connected(http, bot.ready["url"], spec.token, "runner", spec.session, spec.session)
        )
        await runner.tell(SessionChanged(RunState.WORKING))
        await ana.sees_text("Measure")

        async def ask(number: int) -> float:
            begun = time.perf_counter()
            options = (Option("1", "Yes", recommended=True), Option("2", "No"))
            question = Question(
                QuestionId(f"{spec.session}.q{number}"), QuestionKind.CHOICE, f"Round {number}?", options=options
            )
            await runner.tell(Asked(question))
            await ana.sees(lambda m: f"Round {number}?" in words(m) and m.get("thread_ts"))
            return time.perf_counter() - begun

        edits: list[float] = []

        async def click(number: int) -> float:
            card = await ana.sees(lambda m: f"Round {number}?" in words(m) and m.get("thread_ts"))
            begun = time.perf_counter()
            pressed = asyncio.ensure_future(ana.clicks(card, "Yes"))
            assert isinstance(await runner.commands.get(), DeliverAnswer)
            took = time.perf_counter() - begun
            await ana.sees(lambda m: m["ts"] == card["ts"] and not [b for b in m["blocks"] if b["type"] == "actions"])
            edits.append(time.perf_counter() - begun)
            await pressed
            return took

        asks: list[float] = []
        clicks: list[float] = []
        # Each question is answered before the next is asked, as people do; the person's own pause is not measured.
        for number in range(ROUNDS + 3):
            asks.append(await ask(number))
            clicks.append(await click(number))
        return {"ask": asks[3:], "click": clicks[3:], "edit": edits[3:]}


async def workspace(stack: AsyncExitStack, work: Path) -> dict[str, str]:
    work.mkdir(exist_ok=True)
    (work / "manifest.json").write_text(json.dumps(manifest()))
    argv = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(work / "workspace"), "--port", "0"]
    argv += ["--manifest", str(work / "manifest.json")]
    part = await stack.enter_async_context(child("workspace", argv, work / "workspace.log", os.environ))
    return part.ready


async def person(stack: AsyncExitStack, ready: dict[str, str]) -> Person:
    http = await stack.enter_async_context(aiohttp.ClientSession())
    place = Workspace(ready["url"], ready["person_key"], ready["people"], http)  # type: ignore[arg-type]
    return await stack.enter_async_context(place.person("ana"))


async def whole(work: Path) -> dict[str, float]:
    """`up` → usable page; then memory of bot and runner, and what an idle runner costs, while a question is open."""
    begun = time.perf_counter()
    async with up(work) as running, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.get(running.link) as page:
            assert page.status == 200
        took = time.perf_counter() - begun
        async with Workspace.opened(work) as place, place.person("ana") as ana:
            await ana.types("/session", "start repo=playback Add typo tolerance to search")
            await ana.sees(lambda m: m.get("thread_ts") and "recommended" in words(m), "the question")
            (bot,) = running.pids("bot.cli serve")
            runner = next(int(pid) for pid in runner_pids(work))
            before = cpu(runner)
            await asyncio.sleep(IDLE_SECONDS)
            return {
                "up": took,
                "bot_rss": rss(bot),
                "runner_rss": rss(runner),
                "runner_pss": pss(runner),
                "runner_idle": (cpu(runner) - before) / IDLE_SECONDS * 1000,
            }


async def crowd(work: Path) -> dict[str, float]:
    """SESSIONS sessions on one host, each waiting with a question: a runner's share of memory, in MiB."""
    async with up(work), Workspace.opened(work) as place, place.person("ana") as ana:
        begun = time.perf_counter()
        for number in range(SESSIONS):
            await ana.types("/session", f"start repo=playback name=s{number} Add typo tolerance to search")

        def waiting() -> int:
            return sum(1 for m in ana.messages.values() if m.get("thread_ts") and "recommended" in words(m))

        await ana.sees(lambda m: waiting() == SESSIONS, "all questions", patience=180)
        took = time.perf_counter() - begun
        shares = [pss(int(pid)) for pid in runner_pids(work)]
        return {"runners": len(shares), "pss": statistics.mean(shares), "took": took}


def runner_pids(data_dir: Path) -> list[str]:
    return [path.read_text().split()[0] for path in data_dir.glob("host/sessions/*/lock") if path.read_text().strip()]


def rss(pid: int) -> float:
    """MiB resident."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE / 2**20


def pss(pid: int) -> float:
    """MiB, shared pages divided among those who share them."""
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    return int(found[1]) / 1024 if found else float("nan")


def cpu(pid: int) -> float:
    """Seconds of processor time used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def row(table: Table, what: str, ours: list[float], base: list[float]) -> None:
    here, there = statistics.median(ours), statistics.median(base)
    table.add_row(what, f"{here * 1000:.1f} ms", f"{there * 1000:.1f} ms", f"{here / there:.2f}")


async def main() -> None:
    os.environ.update(environment(Path(tempfile.mkdtemp())))
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        base = await floor(work / "floor")
        ours = await switchboard(work / "ours")
        figures = await whole(work / "up")
        many = await crowd(work / "crowd")
    table = Table("what (median)", "Switchboard", "bare Bolt", "ratio")
    row(table, "agent asks → card visible / message → post visible", ours["ask"], base["post"])
    row(table, "click → agent receives / click → edit visible", ours["click"], base["click"])
    row(table, "click → card edited / click → edit visible", ours["edit"], base["click"])
    table.add_section()
    table.add_row("`up` → first usable page", f"{figures['up']:.2f} s", "", "")
    table.add_row("bot, resident", f"{figures['bot_rss']:.0f} MiB", "", "")
    table.add_row(
        "runner, resident / proportional", f"{figures['runner_rss']:.0f} / {figures['runner_pss']:.1f} MiB", "", ""
    )
    table.add_row(f"idle runner, over {IDLE_SECONDS} s", f"{figures['runner_idle']:.2f} ms/s CPU", "", "")
    table.add_section()
    table.add_row(f"a runner of {many['runners']:.0f} on one host, proportional", f"{many['pss']:.1f} MiB", "", "")
    table.add_row(f"{SESSIONS} starts → {SESSIONS} questions on screen", f"{many['took']:.1f} s", "", "")
    Console().print(table)
    Console().print(f"{ROUNDS} rounds, {os.cpu_count()} cores")


if __name__ == "__main__":
    asyncio.run(main())
