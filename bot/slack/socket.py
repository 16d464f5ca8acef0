"""Socket Mode: one connection that feeds Bolt, and that gets itself a fresh ticket whenever it lost one."""

from __future__ import annotations

import asyncio
import logging

import structlog
from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

log = structlog.get_logger()

PING_EVERY = 2.5
"""Seconds. The SDK's ten leave the bot deaf for up to 14 s after a silent stall."""


class FreshTickets(SocketModeClient):
    """The SDK's client, except that a ticket is used for one handshake only.

    The original keeps a ticket whose handshake failed and tries the same one for ever, holding its lock.
    """

    async def connect(self) -> None:
        while not self.closed:
            try:
                await self._connect_once()
                return
            except Exception as err:  # noqa: BLE001 - the task boundary of reconnecting: whatever it was, try again
                # Not its text: that holds the address with its ticket.
                log.warning("slack.socket.retry", problem=type(err).__name__, status=getattr(err, "status", None))
            self.wss_uri = None
            await asyncio.sleep(self.ping_interval / 2)

    async def _connect_once(self) -> None:
        self.auto_reconnect_enabled = False
        if (old := self.current_session) is not None:
            await old.close()
        ticket = self.wss_uri or await self.issue_new_wss_url()
        self.wss_uri = None
        self.current_session = await self.aiohttp_client_session.ws_connect(
            ticket, autoping=False, heartbeat=self.ping_interval, proxy=self.proxy
        )
        self.auto_reconnect_enabled = self.default_auto_reconnect_enabled
        self.stale, self.last_ping_pong_time = False, None
        for task in (self.current_session_monitor, self.message_receiver):
            if task is not None and task is not asyncio.current_task():
                task.cancel()
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())
        log.info("slack.socket.connected")


class Socket(AsyncBaseSocketModeHandler):
    """Feeds what one connection receives to Bolt and sends Bolt's answer back as the acknowledgement."""

    def __init__(self, app: AsyncApp, app_token: str, first_ticket: str, logger: logging.Logger) -> None:
        self.app = self._bolt = app
        self.client: FreshTickets = FreshTickets(
            app_token=app_token, logger=logger, web_client=app.client, ping_interval=PING_EVERY
        )
        self.client.wss_uri = first_ticket
        self.client.socket_mode_request_listeners.append(self.handle)

    async def open(self) -> None:
        await self.client.connect()

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        response = await run_async_bolt_app(self._bolt, req)
        await send_async_response(client, req, response, 0.0)

    async def connected(self) -> bool:
        return await self.client.is_connected()
