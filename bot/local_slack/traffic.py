"""What passed between app and workspace lately, for the page's inspector. Kept in memory; tokens never enter."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

from bot.local_slack.models import Json

KEPT = 500
LONGEST = 4_000


class Traffic:
    def __init__(self) -> None:
        self._entries: deque[Json] = deque(maxlen=KEPT)
        self._number = 0

    def note(
        self,
        at: float,
        direction: Literal["to_app", "from_app"],
        kind: str,
        name: str,
        outcome: str,
        detail: Any = None,
    ) -> None:
        self._number += 1
        self._entries.append(
            {
                "id": self._number,
                "at": at,
                "direction": direction,
                "kind": kind,
                "name": name,
                "outcome": outcome,
                "detail": _short(detail),
            }
        )

    def recent(self, limit: int) -> list[Json]:
        return list(self._entries)[-limit:]


def _short(value: Any) -> Any:
    """The same, with long strings cut and secrets left out."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, dict):
        return {key: "…" if key in {"token", "response_url"} else _short(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_short(item) for item in value]
    return value
