"""A whole stage: the embedded workspace as a process of its own, the Slack side on real services, and people."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.services import Services
from bot.services.ports import SystemClock
from bot.services.settings import ServiceSettings
from bot.slack.app import SlackConfig, SlackSide
from bot.store.database import Database
from bot.wire.types import PersonId
from tests.bot.board import Board

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
PATIENCE = 15.0


@dataclass
class Workspace:
    """The embedded workspace's process and what it printed."""

    ready: Json
    http: aiohttp.ClientSession
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def person(self, name: str) -> Person:
        return Person(self, name, PersonId(self.ready["people"][name]))

    def channel(self, name: str) -> str:
        return str(self.ready["channels"][name])

    async def call(self, path: str, **body: Any) -> Json:
        headers = {"Authorization": f"Bearer {self.ready['person_key']}"}
        async with self.http.post(f"{self.ready['url']}/person/{path}", json=body, headers=headers) as answer:
            return dict(await answer.json())

    async def faults(self, **switches: Any) -> None:
        answer = await self.call("faults", **switches)
        assert answer["ok"], answer

    async def watch(self, person: PersonId) -> None:
        """Rings ``changed`` at whatever this person's page would be told."""
        url = f"{self.ready['url']}/person/events"
        headers = {"Authorization": f"Bearer {self.ready['person_key']}"}
        async with self.http.ws_connect(url, params={"as": person}, headers=headers) as pushes:
            async for _ in pushes:
                self.changed.set()


@dataclass
class Person:
    """Somebody who uses the page."""

    workspace: Workspace
    name: str
    id: PersonId

    async def post(self, path: str, **body: Any) -> Json:
        return await self.workspace.call(path, **{"as": self.id, **body})

    async def get(self, path: str, **query: Any) -> Json:
        headers = {"Authorization": f"Bearer {self.workspace.ready['person_key']}"}
        url = f"{self.workspace.ready['url']}/person/{path}"
        async with self.workspace.http.get(url, params={"as": self.id, **query}, headers=headers) as answer:
            return dict(await answer.json())

    async def types(self, text: str, channel: str = "sessions", command: str = "/session") -> Json:
        return await self.post("command", channel=self.workspace.channel(channel), command=command, text=text)

    async def says(self, channel: str, text: str, thread_ts: str = "") -> str:
        body = {"channel": channel, "text": text, **({"thread_ts": thread_ts} if thread_ts else {})}
        answer = await self.post("message", **body)
        assert answer["ok"], answer
        return str(answer["ts"])

    async def history(self, channel: str) -> list[Json]:
        return list((await self.get("history", channel=channel))["messages"])

    async def thread(self, channel: str, ts: str) -> list[Json]:
        return list((await self.get("thread", channel=channel, ts=ts))["messages"])

    async def direct(self) -> str:
        me = await self.get("workspace")
        return str((await self.post("dm", user=me["app"]["user"]))["channel"])

    async def clicks(self, channel: str, message: Json, label: str) -> Json:
        block, element = button(message, label)
        action = {key: element[key] for key in ("action_id", "type", "value") if key in element}
        container = {"type": "message", "channel": channel, "ts": message["ts"]}
        return await self.post("action", container=container, action={"block_id": block["block_id"], **action})

    async def picks(self, channel: str, message: Json, label: str) -> Json:
        for block in message["blocks"]:
            for element in block.get("elements", []):
                for option in element.get("options", []) if isinstance(element, dict) else []:
                    if option["text"]["text"].startswith(label):
                        action = {"type": element["type"], "action_id": element["action_id"], "selected_option": option}
                        container = {"type": "message", "channel": channel, "ts": message["ts"]}
                        body = {"block_id": block["block_id"], **action}
                        return await self.post("action", container=container, action=body)
        raise AssertionError(f"no option {label!r} in {message['text']!r}")

    async def ticks(self, channel: str, message: Json, send: str, *labels: str) -> Json:
        """Ticks boxes, or picks from a menu of many, and presses the button that sends them."""
        block = next(b for b in message["blocks"] if b["type"] == "input")
        element = block["element"]
        chosen = [o for o in element["options"] if o["text"]["text"].split(" · ")[0] in labels]
        values = {block["block_id"]: {element["action_id"]: {"type": element["type"], "selected_options": chosen}}}
        send_block, pressed = button(message, send)
        action = {key: pressed[key] for key in ("action_id", "type", "value")}
        container = {"type": "message", "channel": channel, "ts": message["ts"]}
        body = {"block_id": send_block["block_id"], **action}
        return await self.post("action", container=container, action=body, state={"values": values})

    async def modal(self) -> Json:
        """The modal on top."""

        async def top() -> Json | None:
            views = (await self.get("views"))["views"]
            done = views and views[-1]["blocks"][0].get("text", {}).get("text") != "One moment…"
            return views[-1] if done else None

        return await self.workspace_until(top, "a modal")

    async def submits(self, view: Json, **fields: str) -> Json:
        values: Json = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                values[block["block_id"]] = {block["block_id"]: _state(block["element"], fields.get(block["block_id"]))}
        return await self.post("view/submit", view_id=view["id"], state={"values": values})

    async def workspace_until(self, check: Callable[[], Any], what: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    self.workspace.changed.clear()
                    if found := await check():
                        return found
                    await self.workspace.changed.wait()
        except TimeoutError:
            raise AssertionError(f"{what} never came") from None

    async def sees(self, channel: str, words: str, thread: str = "") -> Json:
        """The newest message that contains ``words``, as soon as there is one."""

        async def look() -> Json | None:
            messages = await (self.thread(channel, thread) if thread else self.history(channel))
            return next((m for m in reversed(messages) if words in m.get("text", "")), None)

        found = await self.workspace_until(look, f"{words!r}")
        return dict(found)


def button(message: Json, label: str) -> tuple[Json, Json]:
    for block in message["blocks"]:
        for element in block.get("elements", []):
            if isinstance(element, dict) and element.get("type") == "button" and element["text"]["text"] == label:
                return block, element
    raise AssertionError(f"no button {label!r} in {labels(message)}")


def labels(message: Json) -> list[str]:
    return [
        element["text"]["text"]
        for block in message.get("blocks", [])
        for element in block.get("elements", [])
        if isinstance(element, dict) and element.get("type") == "button"
    ]


def _state(element: Json, value: str | None) -> Json:
    match element["type"]:
        case "static_select":
            chosen = next((o for o in element["options"] if o["value"] == value), element.get("initial_option"))
            return {"type": "static_select", "selected_option": chosen}
        case "checkboxes":
            ticked = [o for o in element["options"] if o["value"] == value]
            return {"type": "checkboxes", "selected_options": ticked}
        case "users_select":
            return {"type": "users_select", "selected_user": value}
    return {"type": element["type"], "value": element.get("initial_value") if value is None else value}


# --- the stage ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def workspace(folder: Path, *more: str) -> AsyncIterator[Workspace]:
    manifest = ROOT / "manifest.yml"
    argv = [sys.executable, "-m", "bot.local_slack", "--data-dir", str(folder), "--port", "0"]
    process = await asyncio.create_subprocess_exec(
        *argv, "--manifest", str(manifest), *more, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        ready = json.loads(await process.stdout.readline())
        async with aiohttp.ClientSession() as http:
            yield Workspace(ready, http)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def slack_side(folder: Path, at: Workspace, **config: Any) -> AsyncIterator[Stage]:
    """The bot's Slack side on a database of its own. Socket Mode, unless ``config`` says otherwise."""
    settings = ServiceSettings(default_channel="sessions", card_edit_every=timedelta(0))
    tokens = {"bot_token": at.ready["bot_token"], "app_token": at.ready["app_token"], "api_url": at.ready["api"]}
    clock = SystemClock()
    async with await Database.open(folder / "switchboard.db") as db, aiohttp.ClientSession() as http:
        services = Services(db, settings, clock)
        async with SlackSide(SlackConfig(**{**tokens, **config}), services, http) as side:
            running = asyncio.create_task(_run(side, at))
            try:
                yield Stage(at, side, Board(db, clock, settings, services))  # type: ignore[arg-type]
            finally:
                running.cancel()
                await asyncio.wait({running})
            if not running.cancelled() and (error := running.exception()):
                raise error


async def _run(side: SlackSide, at: Workspace) -> None:
    async with asyncio.TaskGroup() as tasks:
        side.run(tasks)
        for person in at.ready["people"].values():
            tasks.create_task(at.watch(PersonId(person)))


@dataclass
class Stage:
    workspace: Workspace
    side: SlackSide
    board: Board
    """Machines: hosts and runners, as the link server would speak for them."""

    @property
    def services(self) -> Services:
        return self.board.services
