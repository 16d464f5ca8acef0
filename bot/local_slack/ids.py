"""Names in Slack's manner: C…, U…, V…, and message timestamps that are unique and increase."""

from __future__ import annotations

import hmac
import secrets

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def new_id(prefix: str, length: int = 10) -> str:
    return prefix + "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_token(prefix: str = "", size: int = 24) -> str:
    return prefix + secrets.token_hex(size)


def same_secret(given: str, secret: str) -> bool:
    """In constant time, whatever bytes a header held."""
    return hmac.compare_digest(given.encode(errors="surrogateescape"), secret.encode())


def short_id(length: int = 5) -> str:
    """A block_id or action_id such as Slack makes where the app gave none."""
    return "".join(secrets.choice(ALPHABET + ALPHABET.lower()) for _ in range(length))


class Timestamps:
    """Message timestamps (``seconds.micros``), one per message in the whole workspace."""

    def __init__(self) -> None:
        self._last = 0

    def saw(self, ts: str) -> None:
        self._last = max(self._last, micros(ts))

    def next(self, now: float) -> str:
        self._last = max(self._last + 1, int(now * 1_000_000))
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"


def micros(ts: str) -> int:
    """A timestamp as a number that compares; ValueError if it is none."""
    seconds, _, rest = ts.partition(".")
    if not seconds.isdigit() or (rest and not rest.isdigit()):
        raise ValueError(f"not a message timestamp: {ts!r}")
    return int(seconds) * 1_000_000 + int(rest[:6].ljust(6, "0") or "0")
