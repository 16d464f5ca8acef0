"""Slack's ids of what people did: each is handled once."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.store.database import Tx
from bot.store.times import to_us

KEEP = timedelta(days=3)
"""Slack re-sends for hours at most."""


def first_time(tx: Tx, key: str, now: datetime) -> bool:
    return tx.run("INSERT OR IGNORE INTO inbox (key, at) VALUES (?, ?)", key, to_us(now)) > 0


def prune(tx: Tx, now: datetime) -> int:
    return tx.run("DELETE FROM inbox WHERE at < ?", to_us(now - KEEP))
