"""People: their Slack profiles, as far as known, and their own wishes."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from bot.store.database import Tx
from bot.store.times import maybe, to_us
from bot.wire.types import Person, PersonId


@dataclass(frozen=True)
class Profile:
    """A person as Slack describes them."""

    id: PersonId
    name: str = ""
    real_name: str = ""
    email: str = ""
    tz: str = ""
    is_bot: bool = False
    is_guest: bool = False
    team: str = ""


@dataclass(frozen=True)
class Known:
    """A row of the table. ``known`` is false until Slack has told us the profile."""

    profile: Profile
    known: bool
    digest: str
    own_tz: str
    home_until: datetime | None
    acted_at: datetime | None
    pinged_at: datetime | None

    @property
    def checked(self) -> bool:
        """Whether we can tell a member from a guest. Of whom Slack does not know, nothing is known but that."""
        return self.known and bool(self.profile.name or self.profile.real_name)

    @property
    def person(self) -> Person:
        profile = self.profile
        return Person(id=profile.id, name=profile.real_name or profile.name or profile.id, email=profile.email)


def _known(row: sqlite3.Row) -> Known:
    return Known(
        profile=Profile(
            id=PersonId(row["id"]),
            name=row["name"],
            real_name=row["real_name"],
            email=row["email"],
            tz=row["tz"],
            is_bot=bool(row["is_bot"]),
            is_guest=bool(row["is_guest"]),
            team=row["team"],
        ),
        known=row["known_at"] is not None,
        digest=row["digest"],
        own_tz=row["own_tz"],
        home_until=maybe(row["home_until"]),
        acted_at=maybe(row["acted_at"]),
        pinged_at=maybe(row["pinged_at"]),
    )


def meet(tx: Tx, person: PersonId) -> Known:
    """The person's row, made on first sight; their profile is then asked for."""
    row = tx.one("SELECT * FROM people WHERE id = ?", person)
    if row is None:
        tx.run("INSERT INTO people (id) VALUES (?)", person)
        tx.ring("people")
        row = tx.one("SELECT * FROM people WHERE id = ?", person)
        assert row is not None
    return _known(row)


def get(tx: Tx, person: PersonId) -> Known | None:
    row = tx.one("SELECT * FROM people WHERE id = ?", person)
    return _known(row) if row else None


def unknown(tx: Tx, limit: int) -> list[PersonId]:
    return [PersonId(row[0]) for row in tx.all("SELECT id FROM people WHERE known_at IS NULL LIMIT ?", limit)]


def know(tx: Tx, profile: Profile, now: datetime) -> None:
    tx.run("INSERT OR IGNORE INTO people (id) VALUES (?)", profile.id)
    tx.run(
        "UPDATE people SET name = ?, real_name = ?, email = ?, tz = ?, is_bot = ?, is_guest = ?, team = ?,"
        " known_at = ? WHERE id = ?",
        profile.name,
        profile.real_name,
        profile.email,
        profile.tz,
        int(profile.is_bot),
        int(profile.is_guest),
        profile.team,
        to_us(now),
        profile.id,
    )


def names(tx: Tx, limit: int = 10) -> list[str]:
    rows = tx.all(
        "SELECT COALESCE(NULLIF(real_name, ''), name) FROM people"
        " WHERE known_at IS NOT NULL AND is_bot = 0 ORDER BY 1 LIMIT ?",
        limit,
    )
    return [row[0] for row in rows if row[0]]


def wish(tx: Tx, person: PersonId, *, digest: str, tz: str) -> None:
    tx.run("UPDATE people SET digest = ?, own_tz = ? WHERE id = ?", digest, tz, person)


def acted(tx: Tx, person: PersonId, now: datetime) -> None:
    tx.run("UPDATE people SET acted_at = ? WHERE id = ?", to_us(now), person)


def pinged(tx: Tx, person: PersonId, what: str, now: datetime) -> None:
    tx.insert("pings", {"person": person, "at": to_us(now), "what": what})
    tx.run("UPDATE people SET pinged_at = ? WHERE id = ?", to_us(now), person)


def pings_since(tx: Tx, person: PersonId, since: datetime) -> int:
    row = tx.one("SELECT COUNT(*) FROM pings WHERE person = ? AND at >= ?", person, to_us(since))
    return row[0] if row else 0


def watch_home(tx: Tx, person: PersonId, until: datetime) -> None:
    tx.run("UPDATE people SET home_until = ? WHERE id = ?", to_us(until), person)


def watching_home(tx: Tx, people: tuple[PersonId | None, ...], now: datetime) -> list[PersonId]:
    found = []
    for person in dict.fromkeys(people):
        row = tx.one("SELECT 1 FROM people WHERE id = ? AND home_until > ?", person, to_us(now)) if person else None
        if person and row:
            found.append(person)
    return found


def called(tx: Tx, person: PersonId) -> str:
    """Their name, for words in which nobody is mentioned."""
    known = get(tx, person)
    return known.person.name if known else person
