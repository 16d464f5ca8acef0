"""Workspace, bot and host as separate processes, each of which a test may kill, cut off and start again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Literal

import aiohttp

from bot.slack.manifest import manifest
from bot.up import sample
from bot.up.children import Child, child
from tests.acceptance.people import Workspace
from tests.acceptance.proxy import Proxy
from tests.acceptance.up import environment

Mode = Literal["socket", "http"]


class Parts:
    """One installation. The bot keeps its port and data over restarts; hosts and runners reach it through ``wire``."""

    def __init__(self, root: Path, mode: Mode, stack: AsyncExitStack, settings: dict[str, str], more: str) -> None:
        self.root, self.mode, self._stack, self._settings, self._more = root, mode, stack, settings, more
        self.env = environment(root / "home")
        self.workspace: Workspace
        self.wire = Proxy()
        self.repo = root / sample.NAME
        self._ready: dict[str, str] = {}
        self._listen = "127.0.0.1:0"
        self._living: dict[str, tuple[Child, AsyncExitStack]] = {}

    @property
    def link(self) -> str:
        """The one-time address of the page."""
        return self._ready["open"]

    async def start_workspace(self) -> None:
        (self.root / "manifest.json").write_text(json.dumps(manifest()))
        argv = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(self.root / "workspace")]
        part = await self._start("workspace", [*argv, "--port", "0", "--manifest", str(self.root / "manifest.json")])
        self._ready = part.ready
        http = await self._stack.enter_async_context(aiohttp.ClientSession())
        self.workspace = Workspace(part.ready["url"], part.ready["person_key"], part.ready["people"], http)

    async def start_bot(self) -> None:
        secrets = {"SLACK_APP_TOKEN": self._ready["app_token"]}
        if self.mode == "http":
            secrets = {"SLACK_SIGNING_SECRET": self._ready["signing_secret"]}
        env = {
            **secrets,
            "SLACK_BOT_TOKEN": self._ready["bot_token"],
            "SLACK_API_URL": self._ready["api"],
            "SWITCHBOARD_DATA_DIR": str(self.root / "bot"),
            "SWITCHBOARD_LISTEN": self._listen,
            "SWITCHBOARD_CHANNEL": "sessions",
            "SWITCHBOARD_DIGEST": "off",
            **self._settings,
        }
        bot = await self._start("bot", [sys.executable, "-m", "bot.cli", "serve"], env)
        self._listen = bot.ready["url"].removeprefix("http://")
        self.wire.target = ("127.0.0.1", int(self._listen.rpartition(":")[2]))
        if self.mode == "http":
            reply = await self.workspace.post("/person/transport", url=bot.ready["url"] + "/slack/events")
            assert reply["ok"], reply

    async def start_host(self) -> None:
        token = self.root / "host.token"
        if not token.exists():
            await self.enroll("laptop", token)
        config = self.root / "switchboard.toml"
        if not config.exists():
            config.write_text(
                f"[repos.{sample.NAME}]\npath = {json.dumps(str(sample.ensure(self.root)))}\n"
                'base = "main"\nchecks = [["python3", "-m", "unittest", "-q"]]\nchannel = "sessions"\nshare = "full"\n'
                + self._more
            )
        argv = [sys.executable, "-m", "runners.cli", "host", "--bot", self.wire.url, "--token-file", str(token)]
        argv += ["--config", str(config), "--data-dir", str(self.root / "host")]
        await self._start("host", argv)

    async def enroll(self, name: str, token: Path) -> None:
        """A host of Ana's; its token goes into a file."""
        run = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.cli", "enroll", name, "--owner", self.workspace.people["ana"]),
            *("--token-file", str(token)),
            env={**self.env, "SWITCHBOARD_DATA_DIR": str(self.root / "bot")},
            stdout=asyncio.subprocess.DEVNULL,
        )
        assert await run.wait() == 0

    async def _start(self, name: str, argv: list[str], env: dict[str, str] | None = None) -> Child:
        own = AsyncExitStack()
        part = await own.enter_async_context(child(name, argv, self.root / f"{name}.log", {**self.env, **(env or {})}))
        self._living[name] = (part, own)
        return part

    async def end(self, name: str, signum: signal.Signals) -> None:
        """Send a signal to one part and wait until it is gone."""
        part, own = self._living.pop(name)
        part.process.send_signal(signum)
        await part.process.wait()
        await own.aclose()

    def ended(self) -> list[str]:
        """Parts that are not running any more."""
        return [name for name, (part, _) in self._living.items() if part.process.returncode is not None]

    async def gone(self, name: str) -> int:
        """Wait until a part has ended by itself; its exit status."""
        part, own = self._living.pop(name)
        status = await part.process.wait()
        await own.aclose()
        return status

    def runners(self) -> list[int]:
        """Process ids of the living runners."""
        found = []
        for lock in self.root.glob("host/sessions/*/lock"):
            text = lock.read_text().split()
            if text and Path(f"/proc/{text[0]}").exists():
                found.append(int(text[0]))
        return found

    async def close(self) -> None:
        """Stop everything, the runners too: they outlive their host on purpose."""
        for name in ("host", "bot", "workspace"):
            if name in self._living:
                await self._living.pop(name)[1].aclose()
        for pid in self.runners():
            os.kill(pid, signal.SIGKILL)
        await self.wire.close()


@asynccontextmanager
async def parts(root: Path, mode: Mode = "socket", more: str = "", **settings: str) -> AsyncIterator[Parts]:
    """All three parts, running. ``settings`` are the bot's environment, ``more`` ends switchboard.toml."""
    async with AsyncExitStack() as stack:
        installation = Parts(root, mode, stack, settings, more)
        stack.push_async_callback(installation.close)
        await installation.wire.open()
        await installation.start_workspace()
        await installation.start_bot()
        await installation.start_host()
        yield installation
