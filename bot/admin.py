"""The command line's side of the admin route: finds the running bot by its data folder and asks it over loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from rich.console import Console
from rich.table import Table

from bot.config import default_data_dir
from bot.errors import SwitchboardError
from bot.files import ADMIN_TOKEN, BOT_URL, write_secret


class BotUnreachable(SwitchboardError):
    """No bot answers where this data folder says one listens."""


class BotRefused(SwitchboardError):
    """The bot understood and said no; the message is its own."""


def _bot_dir(env: Mapping[str, str], data_dir: Path | None) -> Path:
    """The running bot's folder: the one named, else the environment's, else that of `up`, whichever holds a bot."""
    named = data_dir or (Path(env["SWITCHBOARD_DATA_DIR"]) if env.get("SWITCHBOARD_DATA_DIR") else None)
    root = named or default_data_dir()
    candidates = [root, root / "bot"] if named else [root, root / "up" / "bot"]
    for candidate in candidates:
        if (candidate / BOT_URL).exists():
            return candidate
    raise BotUnreachable(
        f"No bot has run with its data in {root}. Start one with `switchboard up` or `switchboard serve`, "
        "or name its folder with SWITCHBOARD_DATA_DIR."
    )


async def call(bot_dir: Path, method: str, path: str, body: object = None) -> dict[str, Any]:
    """One admin call. Raises BotUnreachable, or BotRefused with the bot's words."""
    url = (bot_dir / BOT_URL).read_text().strip()
    token = (bot_dir / ADMIN_TOKEN).read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.request(method, url + path, json=body) as answer,
        ):
            reply: dict[str, Any] = await answer.json()
    except (aiohttp.ClientError, TimeoutError, json.JSONDecodeError) as err:
        raise BotUnreachable(
            f"The bot at {url} does not answer. Start it with `switchboard up` or `switchboard serve`."
        ) from err
    if not reply.get("ok"):
        raise BotRefused(str(reply.get("message", "The bot refused, without a reason.")))
    return reply


async def accepted(url: str, token: str) -> bool:
    """Whether the bot at ``url`` lets in whoever shows this token; asked without connecting as them."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http,
            http.get(url.rstrip("/") + "/runner") as answer,
        ):
            return answer.status != 401
    except (aiohttp.ClientError, TimeoutError, ValueError) as err:
        raise BotUnreachable(f"The bot at {url} does not answer.") from err


@dataclass(frozen=True)
class Enrolled:
    """``url``: where the bot listens; ``replaced``: an earlier token of that host is no longer accepted."""

    url: str
    replaced: bool

    @property
    def loopback(self) -> bool:
        """No other machine reaches that address."""
        return urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")


async def enroll_host(
    env: Mapping[str, str], data_dir: Path | None, name: str, owner: str, shared: bool, token_file: Path
) -> Enrolled:
    """Ask the bot for a new host token and write it to ``token_file`` (0600), replacing what is there."""
    bot_dir = _bot_dir(env, data_dir)
    body = {"name": name, "owner": owner, "shared": shared}
    reply = await call(bot_dir, "POST", "/admin/hosts", body)
    write_secret(token_file, reply["token"])
    return Enrolled((bot_dir / BOT_URL).read_text().strip(), bool(reply["replaced"]))


async def revoke_host(env: Mapping[str, str], data_dir: Path | None, name: str) -> None:
    """Ask the bot to forget a host's token and to end its connection. BotRefused names the hosts there are."""
    await call(_bot_dir(env, data_dir), "DELETE", f"/admin/hosts/{quote(name, safe='')}")


async def print_sessions(env: Mapping[str, str], data_dir: Path | None, as_json: bool) -> None:
    """A table of the open sessions, or JSON."""
    rows = (await call(_bot_dir(env, data_dir), "GET", "/admin/sessions"))["sessions"]
    # Into a pipe nothing is wrapped: a table cut at 80 columns is of use to no program.
    console = Console() if sys.stdout.isatty() else Console(width=1_000)
    if as_json:
        # Not through rich: scripts want the text as it is.
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        console.print("No open sessions. Start one in Slack with /session start.")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("session", "state", "repo", "branch", "doing"):
        table.add_column(column, overflow="fold")
    for row in rows:
        doing = "; ".join(row["waiting"]) or row["line"]
        table.add_row(row["name"], row["state"], row["repo"], row["branch"], doing)
    console.print(table)
