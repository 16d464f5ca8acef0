"""Puts the workspace together, binds it to this machine only, and takes it down again."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from bot.local_slack import answers, seed
from bot.local_slack.clock import Clock, SystemClock
from bot.local_slack.delivery import Delivery
from bot.local_slack.errors import WorkspaceError
from bot.local_slack.faults import Faults
from bot.local_slack.guard import Guard, same_machine_same_origin
from bot.local_slack.http_mode import HttpMode
from bot.local_slack.hub import Hub
from bot.local_slack.manifest import AppManifest
from bot.local_slack.models import Json
from bot.local_slack.pages import Pages
from bot.local_slack.person import acts, live, look, scenes
from bot.local_slack.person.request import Handler, door
from bot.local_slack.socket_mode import SocketMode
from bot.local_slack.state import State
from bot.local_slack.store import Store
from bot.local_slack.traffic import Traffic
from bot.local_slack.triggers import Triggers
from bot.local_slack.uploads import LARGEST, Uploads
from bot.local_slack.web_api import router
from bot.local_slack.workspace import Workspace

DATABASE = "workspace.db"
ADDRESS = "127.0.0.1"

LOOKS: dict[str, Handler] = {
    "workspace": look.workspace,
    "history": look.history,
    "thread": look.thread,
    "notifications": look.notifications,
    "traffic": look.traffic,
    "views": acts.views,
}
ACTS: dict[str, Handler] = {
    "message": acts.message,
    "edit": acts.edit,
    "delete": acts.delete,
    "react": acts.react,
    "command": acts.command,
    "action": acts.action,
    "shortcut": acts.shortcut,
    "view/submit": acts.submit,
    "view/close": acts.close,
    "home": acts.home,
    "dm": acts.dm,
    "read": acts.read,
    "people": scenes.people,
    "people/change": scenes.change_person,
    "channels": scenes.new_channel,
    "archive": scenes.archive,
    "invite": scenes.invite,
    "scopes": scenes.scopes,
    "transport": scenes.transport,
    "faults": scenes.faults,
}


@dataclass(frozen=True)
class Options:
    data_dir: Path
    manifest: AppManifest
    port: int = 0
    admin_person: str = "Ana"
    tz: str = "UTC"
    http_events: str = ""


@dataclass(frozen=True)
class Running:
    """A workspace that answers requests; ``ready`` is what its starter has to know."""

    workspace: Workspace
    url: str
    ready: Json


@contextlib.asynccontextmanager
async def serve(options: Options, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Runs the workspace until the block ends; everything answered before that is on disk."""
    async with contextlib.AsyncExitStack() as stack:
        store = await Store.open(options.data_dir / DATABASE)
        stack.push_async_callback(store.close)
        ws = await _workspace(options, store, clock or SystemClock())
        guard = Guard(ws)
        pages = Pages(guard)
        runner = web.AppRunner(_app(ws, guard, pages), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        listening = _listen(options.port, int(ws.state.meta.get("port", 0)))
        site = web.SockSite(runner, listening)
        await site.start()
        port = listening.getsockname()[1]
        ws.base_url = f"http://{ADDRESS}:{port}"
        ws.state.meta["port"] = port
        ws.state.save_meta()
        await ws.settle()
        if isinstance(ws.delivery.transport, HttpMode):
            stack.push_async_callback(ws.delivery.transport.close)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        ws.delivery.start(group)
        try:
            yield Running(ws, ws.base_url, _ready(ws, guard))
        finally:
            ws.delivery.stop()
            ws.hub.close()
            await ws.socket_mode.close()


async def _workspace(options: Options, store: Store, clock: Clock) -> Workspace:
    state = State(store)
    await state.load()
    if state.first_run():
        seed.plant(state, options.manifest, options.admin_person, options.tz, int(clock.time()))
    else:
        seed.refresh(state, options.manifest)
    await store.commit()
    faults, traffic = Faults(), Traffic()
    sockets = SocketMode(clock, faults, str(state.meta["app_id"]))
    delivery = Delivery(state, clock, faults, traffic, sockets)
    if options.http_events:
        meta = state.meta
        delivery.transport = HttpMode(
            options.http_events, meta["signing_secret"], meta["verification_token"], clock, faults
        )
    ws = Workspace(
        state=state,
        clock=clock,
        manifest=options.manifest,
        hub=Hub(),
        traffic=traffic,
        faults=faults,
        delivery=delivery,
        socket_mode=sockets,
        triggers=Triggers(clock),
        scopes=options.manifest.scopes,
    )
    ws.uploads = Uploads(ws)
    return ws


def _app(ws: Workspace, guard: Guard, pages: Pages) -> web.Application:
    app = web.Application(middlewares=[same_machine_same_origin], client_max_size=LARGEST)
    api = router.handler(ws)

    async def response(request: web.Request) -> web.StreamResponse:
        return await answers.receive(ws, request)

    async def file(request: web.Request) -> web.StreamResponse:
        # The app reads files with its token, people with cookie or key.
        return await ws.uploads.serve(request) if guard.knows(request) else web.Response(status=403)

    app.add_routes(
        [
            web.get("/api/{method}", api),
            web.post("/api/{method}", api),
            web.get("/link/", ws.socket_mode.handle),
            web.get("/link", ws.socket_mode.handle),
            web.post("/upload/{ticket}", ws.uploads.receive),
            web.post("/response/{token}", response),
            web.get("/files/{id}/{name:.*}", file),
            web.get("/open", guard.open),
            web.post("/link", guard.renew),
            web.get("/person/events", live.socket(ws, guard)),
            *(web.get(f"/person/{name}", door(ws, guard, handler)) for name, handler in LOOKS.items()),
            *(web.post(f"/person/{name}", door(ws, guard, handler)) for name, handler in ACTS.items()),
            web.get("/archives/{channel}/{p:p[0-9]{7,}}", pages.permalink),
            web.get("/{path:.*}", pages.serve),
        ]
    )
    return app


def _listen(wanted: int, last: int) -> socket.socket:
    """The wanted port, or (for 0) the one of the last run if it is still free: links and cookies stay good."""
    for port in [wanted] if wanted else [last, 0]:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((ADDRESS, port))
        except OSError as error:
            listening.close()
            if wanted:
                raise WorkspaceError(f"port {wanted} is taken ({error.strerror}): choose another with --port") from None
            continue
        listening.listen(128)
        listening.setblocking(False)
        return listening
    raise WorkspaceError("no free port on 127.0.0.1")


def _ready(ws: Workspace, guard: Guard) -> Json:
    meta = ws.state.meta
    people = ws.state.people.values()
    return {
        "url": ws.base_url,
        "open": f"{ws.base_url}{guard.open_path}",
        "api": f"{ws.base_url}/api/",
        "bot_token": meta["bot_token"],
        "app_token": meta["app_token"],
        "signing_secret": meta["signing_secret"],
        "person_key": meta["person_key"],
        "people": {person.name: person.id for person in people if not person.is_bot and not person.deleted},
        "channels": {channel.name: channel.id for channel in ws.state.channels.values() if channel.kind == "channel"},
        "bot_user": ws.state.bot.id,
    }
