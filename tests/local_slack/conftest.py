"""A running workspace on a free port, people who act in it, and Slack's own client libraries as the app."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from blockbuster import blockbuster_ctx
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.local_slack.clock import Clock
from bot.local_slack.manifest import AppManifest, read_manifest
from bot.local_slack.server import Options, Running, serve

Json = dict[str, Any]
MANIFEST = Path(__file__).parent / "manifest.json"


@dataclass
class Person:
    """Acts through the person API, as the page does."""

    running: Running
    http: aiohttp.ClientSession
    name: str = "ana"
    pushes: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.running.ready["people"][self.name])

    async def get(self, path: str, **query: Any) -> Json:
        async with self.http.get(f"{self.running.url}/person/{path}", params={"as": self.id, **query}) as answer:
            return dict(await answer.json())

    async def post(self, path: str, **body: Any) -> Json:
        async with self.http.post(f"{self.running.url}/person/{path}", json={"as": self.id, **body}) as answer:
            return dict(await answer.json())

    async def say(self, channel: str, text: str, **more: Any) -> str:
        answer = await self.post("message", channel=channel, text=text, **more)
        assert answer["ok"], answer
        return str(answer["ts"])

    async def history(self, channel: str, **query: Any) -> list[Json]:
        return list((await self.get("history", channel=channel, **query))["messages"])

    async def notified(self) -> list[tuple[str, str]]:
        return [(n["kind"], n["text"]) for n in (await self.get("notifications"))["notifications"]]

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[Callable[..., Awaitable[Json]]]:
        """Yields a function that waits for the next push of a type, passing over others."""
        async with self.http.ws_connect(f"{self.running.url}/person/events", params={"as": self.id}) as socket:

            async def next_push(kind: str) -> Json:
                async with asyncio.timeout(5):
                    while True:
                        push = await socket.receive_json()
                        self.pushes.append(push)
                        if push["type"] == kind:
                            return dict(push)

            await next_push("hello")
            yield next_push


@dataclass
class Place:
    """A workspace under test and everybody in it."""

    running: Running
    http: aiohttp.ClientSession
    api: AsyncWebClient

    def person(self, name: str = "ana") -> Person:
        return Person(self.running, self.http, name)

    @property
    def sessions(self) -> str:
        return str(self.running.ready["channels"]["sessions"])

    @property
    def bot(self) -> str:
        return str(self.running.ready["bot_user"])

    async def faults(self, **switches: Any) -> Json:
        answer = await self.person().post("faults", **switches)
        assert answer["ok"], answer
        return answer


@dataclass
class Inbox:
    """What the app received, in order; ``next`` waits for one that fits."""

    queue: asyncio.Queue[Json] = field(default_factory=asyncio.Queue)

    async def put(self, body: Json) -> None:
        await self.queue.put(body)

    async def next(self, fits: Callable[[Json], bool] = lambda body: True) -> Json:
        async with asyncio.timeout(10):
            while not fits(found := await self.queue.get()):
                pass
            return found

    async def event(self, kind: str, **wanted: Any) -> Json:
        """The next event of this type whose fields are as wanted; the whole wrapper with it as ``event``."""

        def fits(body: Json) -> bool:
            event = body.get("event", {})
            return event.get("type") == kind and all(event.get(key) == value for key, value in wanted.items())

        return await self.next(fits)


@pytest.fixture(autouse=True)
def nothing_blocks_the_loop() -> Iterator[None]:
    with blockbuster_ctx("bot.local_slack"):
        yield


@pytest.fixture
def manifest() -> AppManifest:
    return read_manifest(MANIFEST)


@contextlib.asynccontextmanager
async def place_in(
    folder: Path, manifest: AppManifest, *, clock: Clock | None = None, **options: Any
) -> AsyncIterator[Place]:
    async with serve(Options(folder, manifest, **options), clock) as running:
        headers = {"Authorization": f"Bearer {running.ready['person_key']}"}
        async with aiohttp.ClientSession(headers=headers) as http, aiohttp.ClientSession() as app_http:
            api = AsyncWebClient(
                running.ready["bot_token"], base_url=running.ready["api"], session=app_http, retry_handlers=[]
            )
            yield Place(running, http, api)


@pytest.fixture
async def place(tmp_path: Path, manifest: AppManifest) -> AsyncIterator[Place]:
    async with place_in(tmp_path, manifest) as found:
        yield found


@contextlib.asynccontextmanager
async def connected(place: Place, app: AsyncApp) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app, taking part over Socket Mode."""
    client = AsyncWebClient(base_url=place.running.ready["api"])
    handler = AsyncSocketModeHandler(app, place.running.ready["app_token"], web_client=client)
    try:
        await handler.connect_async()
        yield handler
    finally:
        await handler.close_async()


def bolt(place: Place, **options: Any) -> AsyncApp:
    return AsyncApp(client=place.api, **{"process_before_response": True, **options})


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox()
