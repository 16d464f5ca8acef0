"""The runner's door on loopback: one small HTTP server, behind a token that only this user can read.

Knows no route by itself but those that are mounted; whatever comes in, it answers in words and stays up.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import re
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec
import structlog
from aiohttp import web

from runners.agents.base import AskDoor
from runners.ask.paper import DOOR, Paper, read_paper
from runners.files import write_atomic

log = structlog.get_logger()

MOST_BYTES = 1024 * 1024
"""Of a request's body."""
LOOPBACK = "127.0.0.1"
NAMES = (LOOPBACK, "localhost", "[::1]")

Handler = Callable[[web.Request, Mapping[str, str]], Awaitable[web.StreamResponse]]
"""Gets the request and what its path's ``{names}`` stand for."""


@dataclass(frozen=True)
class _Route:
    method: str
    path: re.Pattern[str]
    handler: Handler


class Door:
    """``async with`` opens it: on the port and with the token it had before, as far as that port is free.

    ``mount`` may be called before and afterwards; a path mounted again is handled by the newest handler.
    """

    def __init__(self, folder: Path, beside: Callable[[], Coroutine[None, None, None]] | None = None) -> None:
        """``beside``: goes on for as long as the door is open."""
        self._folder = folder
        self._beside = beside
        self._task: asyncio.Task[None] | None = None
        self._routes: dict[tuple[str, str], _Route] = {}
        self._runner: web.AppRunner | None = None
        self._paper: Paper | None = None

    @property
    def url(self) -> str:
        assert self._paper is not None, "the door is not open"
        return self._paper.url

    @property
    def ask_door(self) -> AskDoor:
        """For ``Launch.ask``."""
        assert self._paper is not None, "the door is not open"
        return AskDoor(f"{self._paper.url}/mcp", self._paper.token)

    def mount(self, path: str, handler: Handler, method: str = "POST") -> None:
        """``path`` as ``/hook/{event}``: each name in braces stands for one segment."""
        pattern = "".join(
            f"(?P<{part[1:-1]}>[^/]+)" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{\w+\})", path)
        )
        self._routes[method, path] = _Route(method, re.compile(pattern), handler)

    async def __aenter__(self) -> Self:
        before = await asyncio.to_thread(read_paper, self._folder)
        app = web.Application(client_max_size=MOST_BYTES)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        # A caller that goes away ends its handler: what it waited for is parked, not forgotten.
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await self._runner.setup()
        await self._listen(self._runner, before)
        bound = self._runner.addresses[0][1]
        token = before.token if before else f"sbd_{secrets.token_urlsafe(32)}"
        self._paper = Paper(f"http://{LOOPBACK}:{bound}", token, os.getpid())
        try:
            await asyncio.to_thread(write_atomic, self._folder / DOOR, msgspec.json.encode(self._paper))
        except BaseException:
            await self._runner.cleanup()
            raise
        log.info("door.opened", url=self._paper.url)
        if self._beside is not None:
            self._task = asyncio.create_task(self._beside(), name="door.beside")
        return self

    async def _listen(self, runner: web.AppRunner, before: Paper | None) -> None:
        if before is not None and (found := re.search(r":(\d+)$", before.url)):
            with contextlib.suppress(OSError, OverflowError):
                await web.TCPSite(runner, LOOPBACK, int(found[1])).start()
                return
        await web.TCPSite(runner, LOOPBACK, 0).start()

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._runner is not None:
            await self._runner.cleanup()

    # --- requests ----------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if (problem := self._refusal(request)) is not None:
            return problem
        allowed = []
        for route in tuple(self._routes.values()):
            if (match := route.path.fullmatch(request.path)) is None:
                continue
            if route.method != request.method:
                allowed.append(route.method)
                continue
            return await self._run(route, request, match.groupdict())
        if allowed:
            return refused(405, f"{request.method} is not for {request.path}.", {"Allow": ", ".join(sorted(allowed))})
        return refused(404, f"There is nothing at {request.path}.")

    def _refusal(self, request: web.Request) -> web.Response | None:
        """A page in a browser must not get in by any name it gives this address."""
        if re.sub(r":\d+$", "", request.headers.get("Host", "")).lower() not in NAMES:
            return refused(403, "This door is open on this machine alone.")
        origin = request.headers.get("Origin")
        if origin is not None and re.sub(r"^https?://|:\d+$", "", origin).lower() not in NAMES:
            return refused(403, "No page of another site gets in here.")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        expected = self._paper.token if self._paper else ""
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"), expected.encode()
        ):
            fix = f"Send the token in the session's {DOOR} as Authorization: Bearer."
            return refused(401, f"Wrong token. {fix}", {"WWW-Authenticate": "Bearer"})
        return None

    async def _run(self, route: _Route, request: web.Request, names: Mapping[str, str]) -> web.StreamResponse:
        try:
            return await route.handler(request, names)
        except web.HTTPRequestEntityTooLarge:
            return refused(413, f"More than {MOST_BYTES // 1024} KiB at once. Say it shorter.")
        except web.RequestPayloadError as err:
            return refused(400, f"The body cannot be read: {err}")
        except RecursionError:
            return refused(400, "The body cannot be read: it is nested too deeply.")
        except web.HTTPException as err:
            return refused(err.status, err.reason)
        except ConnectionError:
            raise  # the caller has gone
        except Exception:
            # One request's boundary: the session goes on.
            log.exception("door.failed", method=request.method, path=request.path)
            return refused(500, "That failed in the runner; its log says more.")


def refused(status: int, problem: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": problem}, status=status, headers=headers)
