"""How far each peer's events have been received, and who is connected."""

from __future__ import annotations

from datetime import datetime

from bot.store.database import Tx
from bot.store.times import to_us


def acked(tx: Tx, peer: str, epoch: str) -> int:
    row = tx.one("SELECT seq FROM received WHERE peer = ? AND epoch = ?", peer, epoch)
    return row[0] if row else 0


def ack(tx: Tx, peer: str, epoch: str, seq: int) -> None:
    tx.run(
        "INSERT INTO received (peer, epoch, seq) VALUES (?, ?, ?)"
        " ON CONFLICT (peer, epoch) DO UPDATE SET seq = MAX(seq, excluded.seq)",
        peer,
        epoch,
        seq,
    )


def set_connected(tx: Tx, peer: str, now: datetime, *, connected: bool) -> None:
    tx.run(
        "INSERT INTO peers (peer, connected, changed_at) VALUES (?, ?, ?)"
        " ON CONFLICT (peer) DO UPDATE SET connected = excluded.connected, changed_at = excluded.changed_at",
        peer,
        int(connected),
        to_us(now),
    )


def connected(tx: Tx, peer: str) -> bool:
    row = tx.one("SELECT connected FROM peers WHERE peer = ?", peer)
    return bool(row and row[0])


def nobody_connected(tx: Tx, now: datetime) -> None:
    """A new process starts with no links."""
    tx.run("UPDATE peers SET connected = 0, changed_at = ? WHERE connected = 1", to_us(now))


def forget(tx: Tx, peer: str) -> None:
    """The peer has ended for good; its last acknowledgement stays, so that a re-sent event changes nothing."""
    tx.run("DELETE FROM peers WHERE peer = ?", peer)
