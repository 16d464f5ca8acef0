"""The small files of the bot's data folder that other processes of the same user read."""

from __future__ import annotations

import os
from pathlib import Path

ADMIN_TOKEN = "admin.token"  # noqa: S105 -- a file's name
"""Mode 0600: the command line's key to the admin route."""
BOT_URL = "bot.url"
"""Where the running bot listens."""


def write_secret(path: Path, secret: str) -> None:
    """One line, mode 0600 from its first byte on, whole or not at all. Replaces what is there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    draft.rename(path)


def read_secret(path: Path) -> str:
    return path.read_text().strip()
