"""Hosts: whose they are, what they offer, and whether they are there. Tokens are kept as hashes only."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.store.database import Tx
from bot.store.times import maybe, to_us
from bot.wire.messages import HostDescribed
from bot.wire.types import HostId, PersonId

_json = msgspec.json.Encoder()
_offers = msgspec.json.Decoder(HostDescribed)


@dataclass(frozen=True)
class Host:
    id: HostId
    owner: PersonId
    shared: bool
    connected: bool
    silent_since: datetime | None
    asleep: bool
    offers: HostDescribed | None


def _host(row: sqlite3.Row) -> Host:
    return Host(
        id=HostId(row["id"]),
        owner=PersonId(row["owner"]),
        shared=bool(row["shared"]),
        connected=bool(row["connected"]),
        silent_since=maybe(row["silent_since"]),
        asleep=bool(row["asleep"]),
        offers=_offers.decode(row["offers"]) if row["offers"] else None,
    )


def enroll(tx: Tx, host: HostId, owner: PersonId, token_hash: str, *, shared: bool) -> None:
    """A host that is enrolled again gets a new token; its old one stops working."""
    tx.run(
        "INSERT INTO hosts (id, owner, shared, token_hash) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " owner = excluded.owner, shared = excluded.shared, token_hash = excluded.token_hash, revoked = 0",
        host,
        owner,
        int(shared),
        token_hash,
    )


def revoke(tx: Tx, host: HostId) -> bool:
    return tx.run("UPDATE hosts SET revoked = 1, token_hash = NULL, connected = 0 WHERE id = ?", host) > 0


def get(tx: Tx, host: HostId) -> Host | None:
    row = tx.one("SELECT * FROM hosts WHERE id = ?", host)
    return _host(row) if row else None


def by_token(tx: Tx, token_hash: str) -> Host | None:
    row = tx.one("SELECT * FROM hosts WHERE token_hash = ? AND revoked = 0", token_hash)
    return _host(row) if row else None


def usable_by(tx: Tx, person: PersonId) -> list[Host]:
    """Their own hosts first, then shared ones (rule 15); connected or not."""
    rows = tx.all(
        "SELECT * FROM hosts WHERE revoked = 0 AND (owner = ?1 OR shared = 1) ORDER BY owner != ?1, id", person
    )
    return [_host(row) for row in rows]


def everyone(tx: Tx) -> list[Host]:
    return [_host(row) for row in tx.all("SELECT * FROM hosts WHERE revoked = 0 ORDER BY id")]


def describe(tx: Tx, host: HostId, offers: HostDescribed) -> None:
    tx.run("UPDATE hosts SET offers = ? WHERE id = ?", _json.encode(offers), host)


def came(tx: Tx, host: HostId) -> bool:
    """True when it had been called asleep."""
    row = tx.one("SELECT asleep FROM hosts WHERE id = ?", host)
    tx.run("UPDATE hosts SET connected = 1, silent_since = NULL, asleep = 0 WHERE id = ?", host)
    return bool(row and row[0])


def went(tx: Tx, host: HostId, now: datetime) -> None:
    tx.run("UPDATE hosts SET connected = 0, silent_since = COALESCE(silent_since, ?) WHERE id = ?", to_us(now), host)


def fell_asleep(tx: Tx, host: HostId) -> bool:
    return tx.run("UPDATE hosts SET asleep = 1 WHERE id = ? AND connected = 0 AND asleep = 0", host) > 0


def load(tx: Tx) -> dict[HostId, int]:
    """Open sessions on each host."""
    rows = tx.all("SELECT host, COUNT(*) FROM sessions WHERE open = 1 GROUP BY host")
    return {HostId(row[0]): row[1] for row in rows}
