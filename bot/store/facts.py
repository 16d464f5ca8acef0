"""The few things that are known of the workspace as a whole."""

from __future__ import annotations

from bot.store.database import Tx

WORKSPACE_URL, WORKSPACE_TEAM = "workspace.url", "workspace.team"


def know(tx: Tx, key: str, value: str) -> None:
    tx.run(
        "INSERT INTO facts (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        key,
        value,
    )


def get(tx: Tx, key: str) -> str:
    row = tx.one("SELECT value FROM facts WHERE key = ?", key)
    return row[0] if row else ""
