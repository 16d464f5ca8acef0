"""Commands wait here until their peer has them on its own disk. Ids rise for ever; order is kept for each peer."""

from __future__ import annotations

from datetime import datetime

from bot.store.database import Tx
from bot.store.times import to_us
from bot.wire import codec
from bot.wire.messages import CommandBody
from bot.wire.types import HostId, SessionId


def host_peer(host: HostId) -> str:
    return f"host:{host}"


def runner_peer(session: SessionId) -> str:
    return f"runner:{session}"


def bell(peer: str) -> str:
    return f"commands:{peer}"


def add(tx: Tx, peer: str, session: SessionId, body: CommandBody, now: datetime) -> int:
    row = {
        "peer": peer,
        "session": session,
        "type": body.type,
        "body": codec.body_bytes(body),
        "created": to_us(now),
    }
    tx.ring(bell(peer))
    return tx.insert("commands", row)


def waiting(tx: Tx, peer: str, after: int, limit: int = 100) -> list[tuple[int, str, bytes]]:
    rows = tx.all(
        "SELECT id, type, body FROM commands WHERE peer = ? AND id > ? ORDER BY id LIMIT ?", peer, after, limit
    )
    return [(row[0], row[1], row[2]) for row in rows]


def take(tx: Tx, peer: str, command: int) -> tuple[str, SessionId, bytes] | None:
    """Remove an acknowledged command, credential and all; None when it was acknowledged before."""
    row = tx.one("SELECT type, session, body FROM commands WHERE id = ? AND peer = ?", command, peer)
    if row is None:
        return None
    tx.run("DELETE FROM commands WHERE id = ?", command)
    return row[0], SessionId(row[1]), row[2]


def drop_for_runner(tx: Tx, session: SessionId) -> None:
    """Nobody will ever take them: the session has ended."""
    tx.run("DELETE FROM commands WHERE peer = ?", runner_peer(session))


def cancel_start(tx: Tx, peer: str, session: SessionId) -> bool:
    """True when the host had not taken the session yet, and now never will."""
    return tx.run("DELETE FROM commands WHERE peer = ? AND session = ? AND type = 'session.start'", peer, session) > 0


def start_waits(tx: Tx, peer: str, session: SessionId) -> bool:
    """Whether its host is still to be told to open it."""
    return (
        tx.one("SELECT 1 FROM commands WHERE peer = ? AND session = ? AND type = 'session.start'", peer, session)
        is not None
    )


def waits(tx: Tx, peer: str, kind: str) -> bool:
    """Whether a command of this type is still to be taken."""
    return tx.one("SELECT 1 FROM commands WHERE peer = ? AND type = ?", peer, kind) is not None
