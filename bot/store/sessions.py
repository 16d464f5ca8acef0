"""The sessions table: one row for each session, for ever."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

import msgspec

from bot.domain.sessions import Session, SessionState
from bot.store.database import Tx
from bot.store.times import from_us, maybe, to_us
from bot.wire.types import Ability, Ending, HostId, PersonId, Place, SessionId, Snapshot

_json = msgspec.json.Encoder()
_places = msgspec.json.Decoder(Place)
_snapshots = msgspec.json.Decoder(Snapshot)
_scopes = msgspec.json.Decoder(tuple[str, ...])
_abilities = msgspec.json.Decoder(frozenset[Ability])


def _session(row: sqlite3.Row) -> Session:
    return Session(
        id=SessionId(row["id"]),
        name=row["name"],
        repo=row["repo"],
        task=row["task"],
        owner=PersonId(row["owner"]),
        reviewer=PersonId(row["reviewer"]) if row["reviewer"] else None,
        agent=row["agent"],
        base=row["base"],
        branch=row["branch"],
        scope=_scopes.decode(row["scope"]),
        host=HostId(row["host"]),
        state=SessionState(row["state"]),
        state_at=from_us(row["state_at"]),
        created=from_us(row["created"]),
        open=bool(row["open"]),
        ended_at=maybe(row["ended_at"]),
        ending=Ending(row["ending"]) if row["ending"] else None,
        detail=row["detail"],
        look=row["look"],
        last_words=row["last_words"],
        stop_by=PersonId(row["stop_by"]) if row["stop_by"] else None,
        place=_places.decode(row["place"]) if row["place"] else None,
        snapshot=_snapshots.decode(row["snapshot"]) if row["snapshot"] else None,
        channel=row["channel"],
        thread_ts=row["thread_ts"],
        agent_title=row["agent_title"],
        abilities=_abilities.decode(row["abilities"]) if row["abilities"] else None,
        limited_until=maybe(row["limited_until"]),
        wakes=bool(row["wakes"]),
        exit_status=row["exit_status"],
        budget=row["budget"],
        attach=row["attach"],
    )


def add(tx: Tx, session: Session, token_hash: str) -> None:
    tx.insert(
        "sessions",
        {
            "id": session.id,
            "name": session.name,
            "repo": session.repo,
            "task": session.task,
            "owner": session.owner,
            "reviewer": session.reviewer,
            "agent": session.agent,
            "base": session.base,
            "branch": session.branch,
            "scope": _json.encode(session.scope),
            "host": session.host,
            "token_hash": token_hash,
            "state": session.state.value,
            "state_at": to_us(session.state_at),
            "created": to_us(session.created),
            "open": 1,
            "channel": session.channel,
            "budget": session.budget,
            "attach": session.attach,
        },
    )


def get(tx: Tx, session: SessionId) -> Session | None:
    row = tx.one("SELECT * FROM sessions WHERE id = ?", session)
    return _session(row) if row else None


def must(tx: Tx, session: SessionId) -> Session:
    """For ids that come from our own rows."""
    found = get(tx, session)
    if found is None:
        raise LookupError(f"session {session} is not in the database")
    return found


def by_token(tx: Tx, token_hash: str, ended_since: datetime) -> SessionId | None:
    """The session whose credential this is, if it is open or ended only since then."""
    row = tx.one(
        "SELECT id FROM sessions WHERE token_hash = ? AND (open = 1 OR ended_at > ?)", token_hash, to_us(ended_since)
    )
    return SessionId(row[0]) if row else None


def by_name(tx: Tx, name: str) -> Session | None:
    """The open session of that name, else the newest that had it."""
    row = tx.one("SELECT * FROM sessions WHERE name = ? ORDER BY open DESC, created DESC LIMIT 1", name)
    return _session(row) if row else None


def by_attach(tx: Tx, host: HostId, attach: str) -> Session | None:
    row = tx.one("SELECT * FROM sessions WHERE host = ? AND attach = ? AND attach != ''", host, attach)
    return _session(row) if row else None


def in_thread(tx: Tx, channel: str, thread_ts: str) -> SessionId | None:
    """Whose thread this is: the one under a session's card, or under a copy of one of its cards in somebody's DM."""
    row = tx.one(
        "SELECT CASE m.subject WHEN 'session' THEN m.ref WHEN 'question' THEN q.session ELSE r.session END"
        " FROM messages m LEFT JOIN questions q ON q.card = m.ref AND m.subject = 'question'"
        " LEFT JOIN reviews r ON r.id = m.ref AND m.subject = 'review'"
        " WHERE m.channel = ? AND m.ts = ? AND m.subject IN ('session', 'question', 'review')",
        channel,
        thread_ts,
    )
    return SessionId(row[0]) if row and row[0] else None


def card_at(tx: Tx, session: SessionId) -> tuple[str, str] | None:
    """Channel and ts of the session's card, once it is posted."""
    row = tx.one("SELECT channel, ts FROM messages WHERE subject = 'session' AND ref = ? AND ts != ''", session)
    return (row[0], row[1]) if row else None


def last_repo(tx: Tx, owner: PersonId) -> str:
    row = tx.one("SELECT repo FROM sessions WHERE owner = ? ORDER BY created DESC LIMIT 1", owner)
    return row[0] if row else ""


def names_in_use(tx: Tx) -> set[str]:
    return {row[0] for row in tx.all("SELECT name FROM sessions WHERE open = 1")}


def of(tx: Tx, person: PersonId | None, *, ended_since: datetime | None = None) -> list[Session]:
    """Open sessions that a person owns or reviews (all for None), then those that ended since; oldest first in each."""
    mine = "(owner = ?1 OR reviewer = ?1)" if person else "?1 IS NULL"
    rows = tx.all(f"SELECT * FROM sessions WHERE {mine} AND open = 1 ORDER BY created, rowid", person)  # noqa: S608
    if ended_since:
        rows += tx.all(
            f"SELECT * FROM sessions WHERE {mine} AND open = 0 AND ended_at >= ?2 ORDER BY ended_at LIMIT 500",  # noqa: S608
            person,
            to_us(ended_since),
        )
    return [_session(row) for row in rows]


def has_any(tx: Tx, person: PersonId) -> bool:
    """Whether an open session is theirs to answer for."""
    return tx.one("SELECT 1 FROM sessions WHERE (owner = ?1 OR reviewer = ?1) AND open = 1", person) is not None


def on_host(tx: Tx, host: HostId) -> list[tuple[SessionId, PersonId, PersonId | None]]:
    """Id, owner and reviewer of the open sessions of a host."""
    rows = tx.all("SELECT id, owner, reviewer FROM sessions WHERE host = ? AND open = 1", host)
    return [(SessionId(r[0]), PersonId(r[1]), PersonId(r[2]) if r[2] else None) for r in rows]


def change(tx: Tx, session: SessionId, **changes: str | int | float | bytes | None) -> None:
    tx.update("sessions", "id", session, dict(changes))


def set_state(
    tx: Tx, session: SessionId, state: SessionState, at: datetime, *, detail: str = "", last_words: str = ""
) -> None:
    """``at`` is kept where the state does not change, so that a repeated report does not restart its age."""
    tx.run(
        "UPDATE sessions SET state_at = CASE WHEN state = ?2 THEN state_at ELSE ?3 END, state = ?2, detail = ?4,"
        " last_words = CASE WHEN ?5 = '' THEN last_words ELSE ?5 END WHERE id = ?1",
        session,
        state.value,
        to_us(at),
        detail,
        last_words,
    )


def describe(tx: Tx, session: SessionId, title: str, abilities: frozenset[Ability]) -> None:
    """What its agent has said of itself."""
    change(tx, session, agent_title=title, abilities=_json.encode(sorted(abilities)))


def set_limit(tx: Tx, session: SessionId, until: datetime | None, *, wakes: bool) -> None:
    change(tx, session, limited_until=to_us(until) if until else None, wakes=int(wakes))


def end(tx: Tx, session: SessionId, ending: Ending, at: datetime, *, detail: str, look: str, last_words: str) -> None:
    """Final. Its credential works a little longer: see ``by_token``."""
    tx.run(
        "UPDATE sessions SET open = 0, state = 'ended', state_at = ?2, ended_at = ?2, ending = ?3, detail = ?4,"
        " look = ?5, last_words = CASE WHEN ?6 = '' THEN last_words ELSE ?6 END WHERE id = ?1",
        session,
        to_us(at),
        ending.value,
        detail,
        look,
        last_words,
    )


def set_place(tx: Tx, session: SessionId, place: Place) -> None:
    change(
        tx,
        session,
        place=_json.encode(place),
        branch=place.branch,
        base=place.base,
        agent=place.agent,
        scope=_json.encode(place.scope),
    )


@dataclass(frozen=True, slots=True)
class Glance:
    """The little that a progress event needs to know of its session."""

    line: str
    channel: str
    owner: PersonId
    reviewer: PersonId | None
    told_at: int | None


def glance(tx: Tx, session: SessionId) -> Glance | None:
    """Of an open session only."""
    row = tx.one("SELECT line, channel, owner, reviewer, told_at FROM sessions WHERE id = ? AND open = 1", session)
    return Glance(row[0], row[1], PersonId(row[2]), row[3], row[4]) if row else None


def progressed(tx: Tx, session: SessionId, snapshot: Snapshot, line: str) -> None:
    """Keep the newest snapshot; ``line`` is what the card shows of it."""
    tx.run("UPDATE sessions SET snapshot = ?, line = ? WHERE id = ?", _json.encode(snapshot), line, session)


# --- the one progress message of a thread ---------------------------------------------------------------------------


def told(tx: Tx, session: SessionId) -> tuple[Snapshot | None, datetime | None, datetime | None, int]:
    """What the progress message shows, since when, when it was brought up to date before that, new commits in it."""
    row = tx.one("SELECT told, told_at, told_before, told_commits FROM sessions WHERE id = ?", session)
    if row is None or row["told"] is None:
        return None, None, None, 0
    return _snapshots.decode(row["told"]), maybe(row["told_at"]), maybe(row["told_before"]), row["told_commits"] or 0


def tell(tx: Tx, session: SessionId, snapshot: Snapshot, at: datetime, new_commits: int) -> bool:
    """Remember what the progress message shows from now on. True when a person has written below the last one."""
    row = tx.one("SELECT wrote_below FROM sessions WHERE id = ?", session)
    tx.run(
        "UPDATE sessions SET told_before = told_at, told = ?, told_at = ?, told_commits = ?, wrote_below = 0"
        " WHERE id = ?",
        _json.encode(snapshot),
        to_us(at),
        new_commits,
        session,
    )
    return bool(row and row[0])


def wrote_below(tx: Tx, session: SessionId) -> None:
    tx.run("UPDATE sessions SET wrote_below = 1 WHERE id = ?", session)
