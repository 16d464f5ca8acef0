"""Another one-time link to the embedded workspace's page, for whoever may read the data folder."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import aiohttp

from bot.config import default_data_dir
from bot.errors import SwitchboardError


class NoWorkspace(SwitchboardError):
    """No embedded workspace runs with this data folder."""


def command(verb: str, data_dir: Path) -> str:
    """``switchboard VERB`` for this data folder, as short as it can be typed."""
    named = "" if data_dir == default_data_dir() / "up" else f" --data-dir {shlex.quote(str(data_dir))}"
    return f"switchboard {verb}{named}"


async def another(data_dir: Path) -> str:
    """The link. Raises NoWorkspace, with what to start."""
    facts = data_dir / "workspace" / "workspace.json"
    start = f"Start it with `{command('up', data_dir)}`."
    try:
        known = json.loads(facts.read_text())
    except OSError:
        raise NoWorkspace(f"No embedded workspace has run with its data in {data_dir}. {start}") from None
    headers = {"Authorization": f"Bearer {known['person_key']}"}
    try:
        async with aiohttp.ClientSession(headers=headers) as http, http.post(known["url"] + "/link") as answer:
            link: str = (await answer.json())["open"]
    except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as err:
        raise NoWorkspace(f"The embedded workspace at {known['url']} does not answer. {start}") from err
    return link
