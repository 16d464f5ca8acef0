"""The composition root of ``switchboard serve``: one exit stack for resources, one task group for tasks."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import aiohttp
import structlog
from aiohttp import web

from bot import web as routes
from bot.config import BotConfig
from bot.errors import ConfigError
from bot.files import ADMIN_TOKEN, BOT_URL, read_secret, write_secret
from bot.link.server import LinkServer
from bot.services import Services
from bot.services.ports import SystemClock
from bot.services.settings import ServiceSettings
from bot.slack.app import SlackConfig, SlackSide
from bot.store.database import Database
from bot.timers import Timers

log = structlog.get_logger()

HEARTBEAT = timedelta(seconds=10)


async def serve(config: BotConfig, ready_fd: int | None = None, lifeline_fd: int | None = None) -> None:
    """Run the bot until SIGTERM or SIGINT. One line of JSON goes to ``ready_fd`` once it can be used; end of file on
    ``lifeline_fd`` means that the parent is gone, and stops the bot as a signal would.

    Raises ConfigError for a data folder or address that cannot be used, SlackRefused for tokens that Slack rejects.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    if lifeline_fd is not None:
        loop.add_reader(lifeline_fd, _parent_gone, lifeline_fd, stop)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database(config.data_dir / "switchboard.db"))
        services = Services(db, _settings(config), clock)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30, sock_connect=10))
        )
        slack = await stack.enter_async_context(SlackSide(_slack(config), services, http))
        link = LinkServer(services.links, heartbeat=HEARTBEAT.total_seconds())
        app = routes.build(
            services,
            routes.Routes(
                runner=link.handler,
                slack_events=slack.http_handler if config.mode == "http" else None,
                slack_connected=slack.connected,
                drop=link.drop,
                admin_token=_admin_token(config.data_dir),
            ),
        )
        url = await _listen(stack, app, config)
        stack.push_async_callback(link.close)
        timers = await stack.enter_async_context(Timers(services, clock))
        (config.data_dir / BOT_URL).write_text(url + "\n")
        try:
            async with asyncio.TaskGroup() as tasks:
                slack.run(tasks)
                timers.run(tasks)
                log.info("bot.ready", url=url, mode=config.mode, data_dir=str(config.data_dir))
                if ready_fd is not None:
                    os.write(ready_fd, json.dumps({"url": url}).encode() + b"\n")
                    os.close(ready_fd)
                await stop.wait()
                _leave()
        except* _Stop:
            log.info("bot.stopping")
    log.info("bot.stopped")


def _parent_gone(lifeline_fd: int, stop: asyncio.Event) -> None:
    # The end of a pipe stays readable for ever: once is enough.
    asyncio.get_running_loop().remove_reader(lifeline_fd)
    stop.set()


class _Stop(Exception):
    """Leaves the task group, which cancels its tasks; each finishes what it has under way within its grace."""


def _leave() -> NoReturn:
    raise _Stop


def _settings(config: BotConfig) -> ServiceSettings:
    return ServiceSettings(
        admins=config.admins,
        default_channel=config.channel,
        digest=config.digest_text,
        progress_every=config.progress_every,
        heartbeat=HEARTBEAT,
    )


def _slack(config: BotConfig) -> SlackConfig:
    return SlackConfig(
        bot_token=config.bot_token,
        app_token=config.app_token or None,
        signing_secret=config.signing_secret or None,
        api_url=config.api_url,
        command=config.command,
    )


def _admin_token(data_dir: Path) -> str:
    path = data_dir / ADMIN_TOKEN
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32))
    return read_secret(path)


async def _listen(stack: AsyncExitStack, app: web.Application, config: BotConfig) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, config.listen.host, config.listen.port)
    try:
        await site.start()
    except OSError as err:
        raise ConfigError(
            f"  SWITCHBOARD_LISTEN: cannot listen on {config.listen.host}:{config.listen.port} ({err.strerror}). "
            "Stop what uses that port, or choose another."
        ) from err
    port = runner.addresses[0][1]
    host = f"[{config.listen.host}]" if ":" in config.listen.host else config.listen.host
    return f"http://{host}:{port}"
